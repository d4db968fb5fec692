import { errors, holding, served } from './errors/mesh';
import { testRejections } from './support/rejections';

testRejections('meshes', errors);

test('a mesh accepts a memory limit that is exactly as large as required', () => {
  expect(served({ ingressGateway: holding('256Mi'), egressGateway: holding('256Mi') }, 256)).not.toThrow();
});
