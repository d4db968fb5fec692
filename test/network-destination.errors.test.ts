import { errors } from './errors/network-destination';
import { testRejections } from './support/rejections';

testRejections('destinations of the gateways\' own traffic', errors);
