import { errors } from './errors/gateway';
import { testRejections } from './support/rejections';

testRejections('boundary gateways', errors);
