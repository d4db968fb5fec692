import { errors } from './errors/manifest-writer';
import { testRejections } from './support/rejections';

testRejections('the manifest writer', errors);
