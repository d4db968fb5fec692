import { App, Duration } from 'cdk8s';
import { BoundaryGateway, Caller, CertManagerOptions, FederatedMeshProps, GatewayCredential, KeyAlgorithm, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { principalsOf, rbacOf } from './support/rbac';

/*
 * Which certificates the gateways present, and who may read them.
 */

/** East exports and binds, with these props. */
function east(props: Partial<FederatedMeshProps>): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', props);
  const west = meshOf(new App(), 'west');
  const exportOf = (owner: typeof mesh, name: string) => owner.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(80)],
  });
  const details = exportOf(west, 'details');
  mesh.addPeer(west);
  const reviews = exportOf(mesh, 'reviews');
  reviews.allowFrom(west);
  reviews.lockWorkload({ reason: 'partners and one page only', podLabels: { app: 'reviews' }, localCallers: [Caller.serviceAccount('page', 'web')] });
  details.allowFrom(mesh);
  mesh.bind('Bound', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}

const certificate = (options: Partial<CertManagerOptions>) =>
  find(east({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca', ...options }) }), 'Certificate', 'federation-ingress').spec;
const volumesOf = (objects: Manifest[]) => find(objects, 'Deployment', 'federation-egress').spec.template.spec.volumes.map(({ name }: Manifest) => name);

test('by default the gateways have no access to Secrets and reference none', () => {
  const objects = east({});
  expect([...names(objects, 'Role'), ...names(objects, 'RoleBinding'), ...names(objects, 'Certificate')]).toEqual([]);
  expect(JSON.stringify(objects)).not.toMatch(/secret(Name|s)"/i);
  expect(volumesOf(objects)).toEqual(['federation-workload', 'federation-trust']);
});

test('fromCertManager generates a Certificate for the SPIFFE ID of each gateway, valid for 24 hours, with a new key at each renewal', () => {
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

test('every option of fromCertManager is in the Certificate', () => {
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

test('only the ingress gateway may list Secrets in its namespace, and the egress gateway mounts its Secret as a volume', () => {
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

test('the credential of a gateway overrides the credential of the mesh', () => {
  const objects = east({
    credential: GatewayCredential.fromSecret('partner'),
    ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.workloadIdentity() }),
  });
  expect(names(objects, 'Role')).toEqual([]);
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].tls.credentialName).toBe('builtin://');
  const { volumes } = find(objects, 'Deployment', 'federation-egress').spec.template.spec;
  expect(volumes[0]).toEqual({ name: 'federation-credential', secret: { secretName: 'partner' } });
});

test('callers have the trust domain of the workloads, and peers see only the trust domain of the boundary', () => {
  const objects = east({ workloadTrustDomain: 'cluster.local', credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }) });
  const caller = 'cluster.local/ns/web/sa/page';
  expect(find(objects, 'Gateway', 'fed-out-west').spec.servers[0].tls.subjectAltNames).toEqual([`spiffe://${caller}`]);
  expect(principalsOf(rbacOf(objects, 'p80.details.web.west.egress.fed.east.example'))).toEqual([caller]);
  expect(find(objects, 'AuthorizationPolicy', 'fed-out-mesh').spec.rules[0].from).toEqual([{ source: { principals: ['cluster.local/*'] } }]);
  const locked = JSON.stringify(objects.filter(({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.namespace === 'default'));
  expect([...new Set(locked.match(/[a-z.]+\/ns\/[^"]*/g))].sort()).toEqual(['cluster.local/ns/istio-federation/sa/federation-ingress', caller]);
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].hosts).toEqual(['./p80.reviews.west.fed.east.example']);
});
