import { errors } from './errors/credential';
import { testRejections } from './support/rejections';

testRejections('credentials', errors);
