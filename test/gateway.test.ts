import { readFileSync } from 'fs';
import { join } from 'path';
import * as cdk8s from 'cdk8s';
import { App, Duration } from 'cdk8s';
import { ModuleKind, transpileModule } from 'typescript';
import * as library from '../src';
import {
  BoundaryGateway, Caller, DedicatedGatewayOptions, GatewayCredential, GatewayServiceType, LocalName, LocalService, NodeToleration,
  ServicePort,
} from '../src';
import { SCENARIOS } from './scenarios';
import { filesOf, find, Manifest, names, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Options of the boundary gateways: each is in the output, and none weakens the gateway.
 */

function ingress(options?: DedicatedGatewayOptions) {
  const app = new App();
  const mesh = meshOf(app, 'east', options ? { ingressGateway: BoundaryGateway.dedicated(options) } : {});
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  return objectsOf(app);
}

function egress(options?: DedicatedGatewayOptions) {
  const app = new App();
  const east = meshOf(app, 'east', { endpoints: [{ address: 'fed.east.example' }] });
  const west = meshOf(app, 'west', options ? { egressGateway: BoundaryGateway.dedicated(options) } : {});
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}

test('every option of a dedicated gateway is in the output', () => {
  const options: Required<DedicatedGatewayOptions> = {
    minReplicas: 3,
    maxReplicas: 7,
    cpuRequest: '250m',
    cpuLimit: '4',
    memoryRequest: '256Mi',
    memoryLimit: '2Gi',
    serviceType: GatewayServiceType.LOAD_BALANCER,
    serviceAnnotations: { 'cloud.example/scheme': 'internet-facing' },
    loadBalancerClass: 'cloud.example/nlb',
    sourceRanges: ['203.0.113.0/28', '2001:db8::/48'],
    healthCheckSourceRanges: ['10.0.0.0/20'],
    proxyProtocol: false, // another test has it: it cannot be combined with sourceRanges
    preserveClientAddress: true,
    dualStack: true,
    nodeSelector: { pool: 'dmz' },
    tolerations: [NodeToleration.exists('dmz'), NodeToleration.equal('zone', 'edge', 'NoSchedule')],
    priorityClassName: 'edge',
    imagePullSecretNames: ['registry'],
    injectionTemplates: ['spire'],
    labels: { team: 'platform' },
    shutdownDelay: Duration.minutes(2),
    namespaceName: 'dmz',
    credential: GatewayCredential.fromSecret('partner-ingress'),
  };
  const objects = ingress(options);
  expect(find(objects, 'Namespace', 'dmz').metadata.namespace).toBeUndefined();
  const { template } = find(objects, 'Deployment', 'federation-ingress').spec;
  expect(template.metadata.labels).toMatchObject({ team: 'platform', app: 'federation-ingress' });
  expect(template.spec).toMatchObject({
    nodeSelector: { pool: 'dmz' },
    tolerations: [{ key: 'dmz', operator: 'Exists' }, { key: 'zone', value: 'edge', effect: 'NoSchedule', operator: 'Equal' }],
    priorityClassName: 'edge',
    imagePullSecrets: [{ name: 'registry' }],
  });
  expect(template.spec.containers[0].resources).toEqual({ requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '4', memory: '2Gi' } });
  expect(find(objects, 'ConfigMap', 'fed-in-bootstrap', 'dmz').data['custom_bootstrap.json']).toContain('"max_heap_size_bytes": 1288490188');
  expect(find(objects, 'Role', 'federation-ingress').rules[0].resources).toEqual(['secrets']);
  const service = find(objects, 'Service', 'federation-ingress');
  expect(service.metadata.annotations).toEqual({ 'cloud.example/scheme': 'internet-facing' });
  expect(service.spec).toMatchObject({
    type: 'LoadBalancer',
    loadBalancerClass: 'cloud.example/nlb',
    loadBalancerSourceRanges: ['203.0.113.0/28', '2001:db8::/48'],
    externalTrafficPolicy: 'Local',
    ipFamilyPolicy: 'RequireDualStack',
  });
  expect(find(objects, 'HorizontalPodAutoscaler', 'federation-ingress').spec).toMatchObject({ minReplicas: 3, maxReplicas: 7 });
  expect(find(objects, 'NetworkPolicy', 'federation-ingress').spec.ingress[0].from).toEqual([
    { ipBlock: { cidr: '203.0.113.0/28' } }, { ipBlock: { cidr: '2001:db8::/48' } }, { ipBlock: { cidr: '10.0.0.0/20' } },
  ]);
});

/* Load balancers. */

/** Runs the programs of a page, and returns what they export. */
function programsIn(page: string): unknown[] {
  return [...readFileSync(join(__dirname, '..', 'docs/how-to', page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].flatMap(([, program]) => {
    const exported = {};
    const { outputText } = transpileModule(program, { compilerOptions: { module: ModuleKind.CommonJS } });
    new Function('exports', 'require', outputText)(exported, (name: string) => name === 'cdk8s' ? cdk8s : library);
    return Object.values(exported);
  });
}

test.each(['platform-eks.md', 'platform-aks.md', 'platform-gke.md', 'platform-gardener.md'])('the gateway of the page %s is accepted, and its health checks and peers reach the pods', (page) => {
  const [gateway, ...others] = programsIn(page) as BoundaryGateway[];
  expect(others).toEqual([]);
  const app = new App();
  meshOf(app, 'east', { ingressGateway: gateway })
    .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const { sourceRanges, healthCheckSourceRanges = [] } = gateway._options;
  const [peers, healthChecks] = find(objectsOf(app), 'NetworkPolicy', 'federation-ingress').spec.ingress;
  expect(peers.from?.map(({ ipBlock }: Manifest) => ipBlock.cidr)).toEqual(sourceRanges && [...sourceRanges, ...healthCheckSourceRanges]);
  expect(healthChecks).toEqual({ ports: [{ port: 15021, protocol: 'TCP' }] });
});

const AWS = 'service.beta.kubernetes.io/aws-load-balancer-';
const POD_TARGETS = { [`${AWS}nlb-target-type`]: 'ip', [`${AWS}target-group-attributes`]: 'deregistration_delay.timeout_seconds=60, preserve_client_ip.enabled=true' };

test.each<[string, DedicatedGatewayOptions]>([
  ['an annotation that disables the PROXY protocol', { serviceAnnotations: { 'service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol': 'false' } }],
  ['annotations of other clouds that disable the PROXY protocol', {
    serviceAnnotations: {
      'k8s.cloudscale.ch/loadbalancer-pool-protocol': 'tcp',
      'oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled': 'false',
      'service.beta.kubernetes.io/linode-loadbalancer-default-proxy-protocol': 'none',
      'service.beta.kubernetes.io/linode-loadbalancer-port-15443': '{ "protocol": "tcp", "proxy-protocol": "none" }',
      'service.beta.kubernetes.io/linode-loadbalancer-port-443': '{ "protocol": "tcp" }',
      'service.beta.kubernetes.io/upcloud-load-balancer-config': '{ "backends": [{ "properties": { "outbound_proxy_protocol": "" } }] }',
    },
  }],
  ['source ranges with annotations that keep the address of the client', {
    sourceRanges: ['203.0.113.0/28'],
    serviceAnnotations: {
      'oci-network-load-balancer.oraclecloud.com/is-preserve-source': 'true',
      [`${AWS}target-group-attributes`]: 'preserve_client_ip.enabled=true',
    },
  }],
  ['source ranges that are not enforced with an annotation that hides the address of the client', {
    sourceRanges: ['203.0.113.0/28'], preserveClientAddress: false, serviceAnnotations: { [`${AWS}target-group-attributes`]: 'preserve_client_ip.enabled=false' },
  }],
  ['ranges of health checks in private networks', {
    sourceRanges: ['128.0.0.0/1'], healthCheckSourceRanges: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  }],
  ['every address as source range, with ranges of health checks', { sourceRanges: ['0.0.0.0/0'], healthCheckSourceRanges: ['10.0.0.0/8'] }],
  ['texts of several lines and in any language', { serviceAnnotations: { 'example.com/note': 'eins: "zwei"\n\tdrei\r\n— Zürich, 東京 😀 \u{1F469}\u200d\u{1F4BB}\u00a0#' } }],
  ['an annotation with which only istioctl analyze is concerned', { serviceAnnotations: { 'galley.istio.io/analyze-suppress': 'IST0162' } }],
  ['an attribute that disables the PROXY protocol', { serviceAnnotations: { [`${AWS}target-group-attributes`]: 'proxy_protocol_v2.enabled=false' } }],
  ['an annotation that enables the PROXY protocol with proxyProtocol', { proxyProtocol: true, serviceAnnotations: { [`${AWS}proxy-protocol`]: '*' } }],
  ['source ranges with targets that are nodes', { sourceRanges: ['203.0.113.0/28'], serviceAnnotations: { [`${AWS}nlb-target-type`]: 'instance' } }],
  ['targets that are pods without source ranges', { serviceAnnotations: { [`${AWS}nlb-target-type`]: 'ip' } }],
  ['source ranges that only the load balancer enforces', {
    sourceRanges: ['203.0.113.0/28'], preserveClientAddress: false, serviceAnnotations: { [`${AWS}nlb-target-type`]: 'ip' },
  }],
  ['source ranges with targets that are pods, whose health checks go to port 15021', {
    sourceRanges: ['203.0.113.0/28'], serviceAnnotations: { ...POD_TARGETS, [`${AWS}healthcheck-port`]: '15021' },
  }],
  ['source ranges with targets that are pods, and the ranges of their health checks', {
    sourceRanges: ['203.0.113.0/28'], healthCheckSourceRanges: ['10.0.0.0/20'], serviceAnnotations: POD_TARGETS,
  }],
])('a gateway accepts %s', (_, options) => {
  expect(find(ingress(options), 'Service', 'federation-ingress').metadata.annotations).toEqual(options.serviceAnnotations);
});

test('gateway pods have no Kubernetes API token, no privileges and no writable root filesystem', () => {
  for (const objects of [ingress(), egress()]) {
    for (const { spec } of objects.filter(({ kind }) => kind === 'Deployment')) {
      expect(spec.template.spec).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } });
      expect(spec.template.spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ['ALL'] },
      });
    }
    expect(objects.filter(({ kind }) => kind === 'ServiceAccount').every(({ automountServiceAccountToken }) => automountServiceAccountToken === false)).toBe(true);
    expect(objects.filter(({ kind }) => ['Role', 'RoleBinding', 'ClusterRole', 'Secret'].includes(kind))).toEqual([]);
  }
});

test('both gateways enable the Envoy statistics of errors and connections of each peer, and no others', () => {
  const [counted, other] = [[
    'http.reviews-9080-west.downstream_rq_4xx', 'listener.0.0.0.0_15443.ssl.fail_verify_san', 'listener.[__]_15443.no_filter_chain_match',
    'cluster.outbound|15443||p9080.reviews.west.fed.east.example;.upstream_cx_connect_fail',
  ], [
    'http.reviews-9080-west.downstream_rq_time', 'listener.0.0.0.0_15021.no_filter_chain_match', 'cluster.outbound|9080||reviews.default.svc.cluster.local;.upstream_rq_2xx',
  ]];
  for (const deployment of [find(ingress(), 'Deployment', 'federation-ingress'), find(egress(), 'Deployment', 'federation-egress')]) {
    const { proxyStatsMatcher } = parse(deployment.spec.template.metadata.annotations['proxy.istio.io/config'])[0];
    const patterns = proxyStatsMatcher.inclusionRegexps.map((pattern: string) => new RegExp(`^(${pattern})$`));
    const matched = (name: string) => patterns.some((pattern: RegExp) => pattern.test(name));
    expect([counted.filter(matched), other.filter(matched)]).toEqual([counted, []]);
  }
});

test('a gateway with equal minReplicas and maxReplicas has no HorizontalPodAutoscaler', () => {
  const objects = ingress({ minReplicas: 3, maxReplicas: 3 });
  expect(names(objects, 'HorizontalPodAutoscaler')).toEqual([]);
  expect(find(objects, 'Deployment', 'federation-ingress').spec.replicas).toBe(3);
  expect(find(ingress(), 'Deployment', 'federation-ingress').spec.replicas).toBeUndefined();
});

test('a gateway with one replica has no PodDisruptionBudget, which would block the drain of its node', () => {
  expect(names(ingress({ minReplicas: 1, maxReplicas: 1 }), 'PodDisruptionBudget')).toEqual([]);
  expect(names(ingress(), 'PodDisruptionBudget')).toEqual(['federation-ingress']);
});

test('the Service of a gateway with the type ClusterIP has no externalTrafficPolicy', () => {
  const { spec } = find(ingress({ serviceType: GatewayServiceType.CLUSTER_IP }), 'Service', 'federation-ingress');
  expect(spec).toMatchObject({ type: 'ClusterIP' });
  expect(spec.externalTrafficPolicy).toBeUndefined();
});

test('the NetworkPolicy enforces the sourceRanges of a NodePort, since its Service cannot', () => {
  const objects = ingress({ serviceType: GatewayServiceType.NODE_PORT, sourceRanges: ['203.0.113.0/28'] });
  expect(find(objects, 'Service', 'federation-ingress').spec.loadBalancerSourceRanges).toBeUndefined();
  expect(find(objects, 'NetworkPolicy', 'federation-ingress').spec.ingress[0].from).toEqual([{ ipBlock: { cidr: '203.0.113.0/28' } }]);
});

test('the nodePort of the Service is the port of the endpoint', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', {
    endpoints: [{ address: 'fed.east.example', port: 30443 }, { address: 'fed2.east.example', port: 443 }],
    ingressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.NODE_PORT }),
  });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const { ports } = find(objectsOf(app), 'Service', 'federation-ingress').spec;
  expect(ports).toEqual([
    { name: 'tls-federation-443', port: 443, targetPort: 15443, protocol: 'TCP' },
    { name: 'tls-federation-30443', port: 30443, targetPort: 15443, nodePort: 30443, protocol: 'TCP' },
  ]);
});

test('only the load balancer enforces sourceRanges when it hides client addresses', () => {
  const objects = ingress({ sourceRanges: ['203.0.113.0/28'], preserveClientAddress: false });
  expect(find(objects, 'Service', 'federation-ingress').spec).toMatchObject({ loadBalancerSourceRanges: ['203.0.113.0/28'] });
  expect(find(objects, 'Service', 'federation-ingress').spec.externalTrafficPolicy).toBeUndefined();
  expect(find(objects, 'NetworkPolicy', 'federation-ingress').spec.ingress[0].from).toBeUndefined();
});

test('the egress gateway stores its certificate in memory and mounts the CAs of all peers as one volume', () => {
  const { spec } = find(egress(), 'Deployment', 'federation-egress').spec.template;
  expect(spec.volumes).toEqual([
    { name: 'federation-workload', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'federation-trust', configMap: { name: 'fed-out-trust', optional: true } },
  ]);
});

test('the Service of the egress gateway has the type ClusterIP', () => {
  const { spec } = find(egress({ serviceType: GatewayServiceType.CLUSTER_IP }), 'Service', 'federation-egress');
  expect(spec.type).toBe('ClusterIP');
});

test('the istio label of a gateway is shortened with a hash when the namespace has a long name', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { namespaceName: 'n'.repeat(63) });
  expect(mesh.ingressGateway.podLabels.istio).toMatch(/^n{54}-[0-9a-f]{8}$/);
  expect(mesh.egressGateway.podLabels.istio).not.toBe(mesh.ingressGateway.podLabels.istio);
});

describe('gateways in separate namespaces', () => {
  const objects = parse(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!);
  const inNamespace = (name: string) => objects.filter(({ metadata }) => metadata.namespace === name);

  test('the namespace of the mesh has no objects, and the namespace of each gateway has no objects of the other gateway', () => {
    expect(inNamespace('istio-federation')).toEqual([]);
    expect(inNamespace('federation-in').filter(({ metadata }) => /egress|fed-(out|any|call)/.test(metadata.name))).toEqual([]);
    expect(inNamespace('federation-out').filter(({ metadata }) => /ingress|fed-in/.test(metadata.name))).toEqual([]);
  });

  test('each gateway namespace is created with the restricted pod security level and has its own default-deny NetworkPolicy', () => {
    expect(names(objects, 'Namespace')).toEqual(['federation-in', 'federation-out']);
    for (const name of ['federation-in', 'federation-out']) {
      expect(find(objects, 'Namespace', name).metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
      expect(find(objects, 'NetworkPolicy', `federation-default-deny-${name}`, name).spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    }
  });

  test('every object that selects a gateway is in the namespace of that gateway', () => {
    for (const { metadata, spec } of objects.filter(({ kind }) => ['Gateway', 'AuthorizationPolicy', 'EnvoyFilter', 'Telemetry'].includes(kind))) {
      const selector = spec.workloadSelector?.labels ?? spec.selector.matchLabels ?? spec.selector;
      expect(selector).toEqual({ istio: metadata.namespace === 'federation-in' ? 'federation-in-ingress' : 'federation-out-egress' });
    }
  });

  test('peers verify the SPIFFE ID of each gateway with its namespace, and callers are routed to that namespace', () => {
    const west = parse(filesOf(SCENARIOS['gateway-namespaces']()).get('west')!);
    expect(find(west, 'Gateway', 'fed-in-east').spec.servers[0].tls.subjectAltNames).toEqual(['spiffe://east.example/ns/federation-out/sa/federation-egress']);
    expect(find(west, 'DestinationRule', 'fed-out-reviews-9080-east').spec.trafficPolicy.tls.subjectAltNames).toEqual(['spiffe://east.example/ns/federation-in/sa/federation-ingress']);
    expect(find(objects, 'DestinationRule', 'fed-any-public-9080-catalogue-west', 'federation-out').spec.host).toBe('federation-egress.federation-out.svc.cluster.local');
    expect(find(objects, 'DestinationRule', 'fed-call-details-9080-catalogue-west-default', 'default').spec.host).toBe('federation-egress.federation-out.svc.cluster.local');
  });

  test('both gateways may use Secrets of one name when they are in separate namespaces', () => {
    const app = new App();
    const mesh = meshOf(app, 'east', {
      credential: GatewayCredential.fromSecret('partner'), egressGateway: BoundaryGateway.dedicated({ namespaceName: 'federation-out' }),
    });
    const west = meshOf(app, 'west');
    mesh.addPeer(west);
    west.addPeer(mesh);
    const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(80)] });
    details.allowFrom(mesh);
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(west);
    mesh.bind('Details', { source: details, localName: LocalName.newService('details', 'web') });
    const synthesised = objectsOf(app);
    expect(find(synthesised, 'RoleBinding', 'federation-ingress', 'istio-federation').subjects).toHaveLength(1);
    expect(find(synthesised, 'Deployment', 'federation-egress', 'federation-out').spec.template.spec.volumes[0].secret).toEqual({ secretName: 'partner' });
  });

  test('createNamespace: false omits the Namespace but not the default-deny NetworkPolicy', () => {
    const app = new App();
    const mesh = meshOf(app, 'east', { createNamespace: false, ingressGateway: BoundaryGateway.dedicated({ namespaceName: 'dmz' }) });
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    const synthesised = objectsOf(app);
    expect(names(synthesised, 'Namespace')).toEqual([]);
    expect(names(synthesised, 'NetworkPolicy')).toEqual(['federation-default-deny-dmz', 'federation-ingress']);
  });
});

test.each(['.5', '0.25', '2', '1.5', '500m', '2k'])('a gateway accepts %s as its CPU limit', (cpuLimit) => {
  expect(() => BoundaryGateway.dedicated({ cpuRequest: '100m', cpuLimit })).not.toThrow();
});

test.each(['application', 'my-app', 'versions', 'team/app', 'team.example/istio', 'kubernetes.io/name'])('a gateway accepts the label %s, which selects no pods', (label) => {
  expect(() => BoundaryGateway.dedicated({ labels: { [label]: 'edge' } })).not.toThrow();
});
test('a gateway accepts a request above the default limit if its own limit is higher', () => {
  expect(() => BoundaryGateway.dedicated({ cpuRequest: '3', cpuLimit: '4', memoryRequest: '1Gi', memoryLimit: '2Gi' })).not.toThrow();
});
test.each(['NoSchedule', 'PreferNoSchedule', 'NoExecute', undefined])('a toleration may have the effect %s', (effect) => {
  expect(() => NodeToleration.exists('dedicated', effect)).not.toThrow();
});
