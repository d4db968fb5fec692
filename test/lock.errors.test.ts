import { errors } from './errors/lock';
import { testRejections } from './support/rejections';

testRejections('locked workloads', errors);
