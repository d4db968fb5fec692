import { errors } from './errors/bind';
import { testRejections } from './support/rejections';

testRejections('bindings', errors);
