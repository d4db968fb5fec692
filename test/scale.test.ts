import { App, Chart } from 'cdk8s';
import { RemoteMesh, SpiffeId, TrustBundle } from '../src';
import { makeCertificate } from './support/certificates';
import { meshOf } from './support/meshes';
import * as checks from '../src/checks/peer';
import * as certificates from '../src/pki/certificates';

/*
 * The cost of one further declaration does not grow with the number of earlier ones. Operations are counted, not measured.
 */

test('addPeer compares a peer only with our mesh and with peers that share a CA or a trust domain, and computes no digest', async () => {
  const pems = await Promise.all(Array.from({ length: 40 }, async (_, index) => (await makeCertificate(`ca-${index}`, true)).certificate));
  const app = new App();
  const east = meshOf(app, 'east');
  const chart = new Chart(app, 'peers');
  const remote = (name: string, trustDomain: string, pem: string) => new RemoteMesh(chart, name, {
    meshName: name, trustDomain, trustBundle: TrustBundle.fromPem(pem), egressIdentity: SpiffeId.parse(`spiffe://${trustDomain}/ns/a/sa/${name}`),
  });
  const peers = pems.map((pem, index) => remote(`p${index}`, `p${index}.example`, pem));
  const second = remote('second', 'p7.example', pems[7]);
  const compared = jest.spyOn(checks, 'checkTrustApart');
  const digests = jest.spyOn(certificates, 'keyDigestOf');
  peers.forEach((peer) => east.addPeer(peer));
  expect(compared).toHaveBeenCalledTimes(peers.length);
  expect(digests).not.toHaveBeenCalled();
  compared.mockClear();
  east.addPeer(second);
  expect(compared.mock.calls.map(([, , , { meshName }]) => meshName)).toEqual(['east', 'p7']);
  jest.restoreAllMocks();
});
