import { TrustBundle } from '../src';
import { errors, makeCertificates } from './errors/trust';
import { errorOf, testRejections } from './support/rejections';

testRejections('trust bundles and SPIFFE IDs', errors);

beforeAll(makeCertificates);

test('no message shows what was in a file with a private key', async () => {
  const { ca } = await makeCertificates();
  const { message } = errorOf(() => TrustBundle.fromPem(`${ca.certificate}\n${ca.privateKey}`));
  const lines = ca.privateKey.split('\n').slice(1, -1);
  expect(message).toMatch(/^FED201 /);
  expect(lines.filter((line) => message.includes(line))).toEqual([]);
});
