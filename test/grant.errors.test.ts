import { errors } from './errors/grant';
import { testRejections } from './support/rejections';

testRejections('allow rules', errors);
