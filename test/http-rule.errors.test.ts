import { errors } from './errors/http-rule';
import { testRejections } from './support/rejections';

testRejections('rules for HTTP', errors);
