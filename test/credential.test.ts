import { App, Duration } from 'cdk8s';
import { BoundaryGateway, Caller, CertManagerOptions, FederatedMeshProps, GatewayCredential, KeyAlgorithm, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { principalsOf, rbacOf } from './support/rbac';

/*
 * Which certificates the gateways present, and who may read them.
 */

/** East exposes and binds, with what is given. */
function east(props: Partial<FederatedMeshProps>): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', props);
  const west = meshOf(new App(), 'west');
  const offer = (owner: typeof mesh, name: string) => owner.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(80)],
  });
  const details = offer(west, 'details');
  mesh.addPeer(west);
  const reviews = offer(mesh, 'reviews');
  reviews.allowFrom(west);
  reviews.lockWorkload({ reason: 'partners and one page only', podLabels: { app: 'reviews' }, localCallers: [Caller.serviceAccount('page', 'web')] });
  details.allowFrom(mesh);
  mesh.bind('Bound', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}

const certificate = (options: Partial<CertManagerOptions>) =>
  find(east({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca', ...options }) }), 'Certificate', 'federation-ingress').spec;
const volumesOf = (objects: Manifest[]) => find(objects, 'Deployment', 'federation-egress').spec.template.spec.volumes.map(({ name }: Manifest) => name);

test('by default nobody may read a Secret, and none is named', () => {
  const objects = east({});
  expect([...names(objects, 'Role'), ...names(objects, 'RoleBinding'), ...names(objects, 'Certificate')]).toEqual([]);
  expect(JSON.stringify(objects)).not.toMatch(/secret(Name|s)"/i);
  expect(volumesOf(objects)).toEqual(['federation-workload', 'federation-trust']);
});

test('cert-manager is asked for the identity of each gateway, for a day, with a new key each time', () => {
  const objects = east({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }) });
  expect(names(objects, 'Certificate')).toEqual(['federation-egress', 'federation-ingress']);
  expect(find(objects, 'Certificate', 'federation-egress').spec).toEqual({
    secretName: 'federation-egress-tls',
    issuerRef: { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' },
    duration: '24h0m0s',
    privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    revisionHistoryLimit: 1,
    uris: ['spiffe://east.example/ns/istio-federation/sa/federation-egress'],
    usages: ['client auth', 'digital signature', 'server auth'],
  });
});

test('every option of cert-manager reaches the output', () => {
  expect(certificate({
    issuerKind: 'AWSPCAClusterIssuer',
    issuerGroup: 'awspca.cert-manager.io',
    duration: Duration.seconds(86461),
    renewBefore: Duration.minutes(90),
    keyAlgorithm: KeyAlgorithm.ECDSA_P384,
  })).toMatchObject({
    issuerRef: { name: 'ca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' },
    duration: '24h1m1s',
    renewBefore: '1h30m0s',
    privateKey: { algorithm: 'ECDSA', size: 384 },
  });
  expect(certificate({ keyAlgorithm: KeyAlgorithm.RSA_3072 }).privateKey).toMatchObject({ algorithm: 'RSA', size: 3072 });
});

test('only the ingress gateway may list Secrets, in its namespace; the egress gateway has its own as a volume', () => {
  const objects = east({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }) });
  expect(names(objects, 'Role')).toEqual(['federation-ingress']);
  expect(find(objects, 'Role', 'federation-ingress').rules).toEqual([{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }]);
  expect(find(objects, 'RoleBinding', 'federation-ingress', 'istio-federation')).toMatchObject({
    roleRef: { kind: 'Role', name: 'federation-ingress' },
    subjects: [{ kind: 'ServiceAccount', name: 'federation-ingress', namespace: 'istio-federation' }],
  });
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].tls).toMatchObject({
    credentialName: 'federation-ingress-tls', caCertCredentialName: 'configmap://istio-federation/fed-in-trust-west',
  });
  expect(volumesOf(objects)).toEqual(['federation-credential', 'federation-trust']);
});

test('each gateway may have a credential of its own, and the default beside it', () => {
  const objects = east({
    credential: GatewayCredential.fromSecret('partner'),
    ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.workloadIdentity() }),
  });
  expect(names(objects, 'Role')).toEqual([]);
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].tls.credentialName).toBe('builtin://');
  const { volumes } = find(objects, 'Deployment', 'federation-egress').spec.template.spec;
  expect(volumes[0]).toEqual({ name: 'federation-credential', secret: { secretName: 'partner' } });
});

test('callers have the trust domain of the workloads, all that peers see has the boundary\'s', () => {
  const objects = east({ workloadTrustDomain: 'cluster.local', credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }) });
  const caller = 'cluster.local/ns/web/sa/page';
  expect(find(objects, 'Gateway', 'fed-out-west').spec.servers[0].tls.subjectAltNames).toEqual([`spiffe://${caller}`]);
  expect(principalsOf(rbacOf(objects, 'p80.details.web.west.egress.fed.east.example'))).toEqual([caller]);
  expect(find(objects, 'AuthorizationPolicy', 'fed-out-mesh').spec.rules[0].from).toEqual([{ source: { principals: ['cluster.local/*'] } }]);
  const locked = JSON.stringify(objects.filter(({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.namespace === 'default'));
  expect([...new Set(locked.match(/[a-z.]+\/ns\/[^"]*/g))].sort()).toEqual(['cluster.local/ns/istio-federation/sa/federation-ingress', caller]);
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].hosts).toEqual(['./p80.reviews.west.fed.east.example']);
});
