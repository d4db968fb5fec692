import { errors } from './errors/expose';
import { testRejections } from './support/rejections';

testRejections('exports', errors);
