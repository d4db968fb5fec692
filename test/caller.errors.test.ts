import { errors } from './errors/caller';
import { testRejections } from './support/rejections';

testRejections('callers and local names', errors);
