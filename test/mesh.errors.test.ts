import { errors, holding, served } from './errors/mesh';
import { testRejections } from './support/rejections';

testRejections('meshes', errors);

test('a memory limit that is just enough is accepted', () => {
  expect(served({ ingressGateway: holding('256Mi'), egressGateway: holding('256Mi') }, 256)).not.toThrow();
});
