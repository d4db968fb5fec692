import { errors } from './errors/peer';
import { testRejections } from './support/rejections';

testRejections('peers', errors);
