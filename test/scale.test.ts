import { App, Chart } from 'cdk8s';
import { HttpRule, RemoteMesh, SpiffeId, TrustBundle } from '../src';
import { makeCertificate } from './support/certificates';
import { objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { pair } from './support/pair';
import * as checks from '../src/checks/peer';
import * as annotations from '../src/model/annotations';
import * as permission from '../src/model/permission';
import * as spellings from '../src/model/spellings';
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

test('a further allowFrom for one port reads neither the annotations nor the rules of the earlier ones', () => {
  const allow = (count: number) => {
    const { app, reviews, west } = pair();
    const spies = [jest.spyOn(annotations, 'mergeAnnotations'), jest.spyOn(permission, 'operationsOf'), jest.spyOn(spellings, 'isFoldable')];
    for (let index = 0; index < count; index++) {
      reviews.allowFrom(west, {
        ports: [9080],
        http: [HttpRule.allow({ methods: ['GET'], paths: [`/reviews/${index}/*`], exceptPaths: [`/reviews/${index}/drafts/*`] })],
        purpose: `purpose ${index}`,
        dataCategories: [`category ${index}`],
      });
    }
    const counts = spies.map((spy) => spy.mock.calls.length);
    jest.restoreAllMocks();
    return { counts, app };
  };
  const [few, more, many] = [allow(10), allow(20), allow(40)];
  const further = more.counts.map((count, index) => count - few.counts[index]);
  expect(many.counts).toEqual(more.counts.map((count, index) => count + 2 * further[index]));
  expect(further.slice(0, 2)).toEqual([0, 0]);
  const route = objectsOf(many.app).find(({ kind, metadata }) => kind === 'VirtualService' && metadata.name.startsWith('fed-in-reviews-9080'))!;
  expect(route.metadata.annotations['cdk8s-mesh-federation/purpose'].split('; ')).toHaveLength(40);
  expect(route.metadata.annotations['cdk8s-mesh-federation/data-categories'].split('; ')).toHaveLength(40);
});
