import { errors } from './errors/restriction';
import { testRejections } from './support/rejections';

testRejections('restricted namespaces', errors);
