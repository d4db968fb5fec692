import { errors } from './errors/service';
import { testRejections } from './support/rejections';

testRejections('services and ports', errors);
