import { generateKeyPairSync } from 'crypto';
import { errors, keys, requiredJwt } from './errors/jwt';
import { errorOf, testRejections } from './support/rejections';

testRejections('end-user JWTs', errors);

test('no error message contains a private key of a key set', () => {
  const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const calls = [keys(secret), requiredJwt({ jwksUri: undefined, jwks: `${JSON.stringify({ keys: [secret] })}]` }), requiredJwt({ jwksUri: undefined, jwks: JSON.stringify(secret) })];
  for (const { message } of calls.map(errorOf)) {
    expect(message).toMatch(/^FED31[47] /);
    expect(message).not.toContain(secret.d);
  }
});
