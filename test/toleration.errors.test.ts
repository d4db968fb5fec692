import { errors } from './errors/toleration';
import { testRejections } from './support/rejections';

testRejections('tolerations of node taints', errors);
