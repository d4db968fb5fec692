import { errors } from './errors/remote-mesh';
import { testRejections } from './support/rejections';

testRejections('remote meshes', errors);
