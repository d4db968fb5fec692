import { Duration } from 'cdk8s';
import { BoundaryGateway, DedicatedGatewayOptions, GatewayCredential, GatewayServiceType } from '../../src';
import { any, EXISTING_GATEWAY } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: boundary gateways. */
export const errors: Rejection[] = [];
const dedicated = rejectionsOf(errors, 'BoundaryGateway.dedicated');
const fromExisting = rejectionsOf(errors, 'BoundaryGateway.fromExisting');

const gateway = (options: DedicatedGatewayOptions) => () => BoundaryGateway.dedicated(options);
dedicated.rejects('FED111', 'a namespace that is not a valid label', () => BoundaryGateway.dedicated({ namespaceName: 'Edge.In' }), '"Edge.In"');
dedicated.rejects('FED116', 'minReplicas above maxReplicas', gateway({ minReplicas: 6 }), '6', '5', 'minReplicas ≤ maxReplicas');
dedicated.rejects('FED116', 'a gateway without pods', gateway({ minReplicas: 0 }), '0');
dedicated.rejects('FED116', 'a memory limit that is not a valid quantity', gateway({ memoryLimit: '1 GB' }), 'memoryLimit', '"1 GB"', '1Gi');
dedicated.rejects('FED116', 'a CPU request above its limit', gateway({ cpuRequest: '2500m' }), '2500m', '"2"');
dedicated.rejects('FED116', 'a memory request above its limit', gateway({ memoryRequest: '2Gi', memoryLimit: '2000M' }), '2Gi');
dedicated.rejects('FED116', 'a source range without mask', gateway({ sourceRanges: ['203.0.113.7'] }), '"203.0.113.7"', '/28');
dedicated.rejects('FED116', 'an empty list of source ranges', gateway({ sourceRanges: [] }), 'empty');
dedicated.rejects('FED120', 'a plain object in place of a toleration', gateway(any({ tolerations: [{ key: 'dmz' }] })), 'NodeToleration');
dedicated.rejects('FED116', 'a label that selects the pods', gateway({ labels: { istio: 'mine' } }), '"istio"');
dedicated.rejects('FED116', 'a label from which Istio derives another', gateway({ labels: { 'app.kubernetes.io/name': 'edge' } }), 'app.kubernetes.io/name');
dedicated.rejects('FED116', 'a label value that would break out of a policy', gateway({ labels: { team: '\' || true || \'' } }), 'team');
dedicated.rejects('FED116', 'a load balancer class without a load balancer', gateway({ serviceType: GatewayServiceType.NODE_PORT, loadBalancerClass: 'nlb' }), 'NodePort');
dedicated.rejects('FED116', 'source ranges without the address of the client', gateway({
  serviceType: GatewayServiceType.NODE_PORT, sourceRanges: ['203.0.113.0/28'], preserveClientAddress: false,
}), 'preserveClientAddress');
dedicated.rejects('FED116', 'source ranges of one address family for a dual-stack gateway', gateway({ dualStack: true, sourceRanges: ['203.0.113.0/28'] }), '203.0.113.0/28', 'both families');
const RANGES = { sourceRanges: ['203.0.113.0/28'] };
dedicated.rejects('FED116', 'ranges of health checks without source ranges', gateway({ healthCheckSourceRanges: ['10.0.0.0/20'] }), 'healthCheckSourceRanges', 'remove it');
dedicated.rejects('FED116', 'ranges of health checks behind a load balancer that hides the address of clients',
  gateway({ ...RANGES, healthCheckSourceRanges: ['10.0.0.0/20'], preserveClientAddress: false }), 'healthCheckSourceRanges');
dedicated.rejects('FED116', 'a range of health checks without mask', gateway({ ...RANGES, healthCheckSourceRanges: ['10.0.0.7'] }), '"10.0.0.7"');
for (const [sourceRanges, healthCheckSourceRanges] of [
  [['203.0.113.0/28'], ['0.0.0.0/0']], [['203.0.113.0/28'], ['128.0.0.0/1', '0.0.0.0/1']], [['0.0.0.0/1'], ['128.0.0.0/2', '192.0.0.0/2']],
  [['2001:db8::/64'], ['2000::/3']], [['203.0.113.0/28', '2001:db8::/64'], ['::/0']],
]) {
  dedicated.rejects('FED116', `the ranges ${healthCheckSourceRanges.join(' and ')} of health checks beside the source ranges ${sourceRanges.join(' and ')}`,
    gateway({ sourceRanges, healthCheckSourceRanges }), 'healthCheckSourceRanges', 'every public address', 'subnets of the load balancer');
}
dedicated.rejects('FED116', 'an empty list of ranges of health checks', gateway({ ...RANGES, healthCheckSourceRanges: [] }), 'healthCheckSourceRanges is an empty list');
dedicated.rejects('FED116', 'source ranges with the PROXY protocol', gateway({ ...RANGES, proxyProtocol: true }), 'proxyProtocol', 'address of the load balancer');
dedicated.rejects('FED116', 'a shutdown delay of half a second', gateway({ shutdownDelay: Duration.millis(500) }), 'shutdownDelay is 500 ms', 'whole seconds');
dedicated.rejects('FED116', 'a shutdown delay of no time', gateway({ shutdownDelay: Duration.seconds(0) }), 'shutdownDelay is 0 ms');
dedicated.rejects('FED116', 'a shutdown delay of more than an hour', gateway({ shutdownDelay: Duration.minutes(61) }), '3660000 ms', 'one hour');

/* Load balancers that do not match the gateway. */
const AWS = 'service.beta.kubernetes.io/aws-load-balancer-';
const TARGETS = `${AWS}target-group-attributes`;
for (const [name, value] of [
  [`${AWS}proxy-protocol`, '*'], [TARGETS, 'deregistration_delay.timeout_seconds=120,proxy_protocol_v2.enabled=true'],
  ['service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol', 'true'], ['load-balancer.hetzner.cloud/uses-proxyprotocol', 'true'],
  ['loadbalancer.openstack.org/proxy-protocol', 'v2'], ['service.beta.kubernetes.io/azure-pls-proxy-protocol', 'true'],
  ['service.kubernetes.io/ibm-load-balancer-cloud-provider-enable-features', 'ipvs, proxy-protocol'],
  [TARGETS, 'preserve_client_ip.enabled = false, proxy_protocol_v2.enabled = true'], [`${AWS}proxy-protocol-per-target-group`, '443'],
  ['oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled', 'true'], ['service.beta.kubernetes.io/oci-load-balancer-connection-proxy-protocol-version', '2'],
  ['service.beta.kubernetes.io/linode-loadbalancer-default-proxy-protocol', 'v2'], ['service.beta.kubernetes.io/linode-loadbalancer-proxy-protocol', 'v1'],
  ['service.beta.kubernetes.io/linode-loadbalancer-port-15443', '{ "protocol": "tcp", "proxy-protocol": "v2" }'],
  ['service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v2', '*'], ['service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v1', '15443'],
  ['service.beta.kubernetes.io/ovh-loadbalancer-proxy-protocol', 'v2-ssl-cn'], ['service.beta.kubernetes.io/alibaba-cloud-loadbalancer-proxy-protocol', 'on'],
  ['service.beta.kubernetes.io/vultr-loadbalancer-proxy-protocol', 'true'], ['kubernetes.civo.com/loadbalancer-enable-proxy-protocol', 'send-proxy-v2'],
  ['lb.stackit.cloud/tcp-proxy-protocol', 'true'], ['k8s.cloudscale.ch/loadbalancer-pool-protocol', 'proxyv2'],
  ['service.beta.kubernetes.io/upcloud-load-balancer-config', '{ "backends": [{ "properties": { "outbound_proxy_protocol": "v2" } }] }'],
]) {
  dedicated.rejects('FED149', `the annotation ${name}: ${value} without proxyProtocol`, gateway({ serviceAnnotations: { [name]: value } }),
    `"${name}"`, 'proxyProtocol: true');
}
const podTargets = (annotations: { [name: string]: string }, options: DedicatedGatewayOptions = {}) =>
  gateway({ ...RANGES, serviceAnnotations: { [`${AWS}nlb-target-type`]: 'ip', ...annotations }, ...options });
for (const annotations of [
  { [TARGETS]: 'preserve_client_ip.enabled=false' }, { [TARGETS]: 'deregistration_delay.timeout_seconds=120, preserve_client_ip.enabled = false', [`${AWS}type`]: 'external' },
  { [TARGETS]: 'preserve_client_ip.enabled=false', [`${AWS}nlb-target-type`]: 'instance' }, { [TARGETS]: 'preserve_client_ip.enabled=false', [`${AWS}nlb-target-type`]: 'ip' },
  { 'oci-network-load-balancer.oraclecloud.com/is-preserve-source': 'false' },
]) {
  dedicated.rejects('FED149', `source ranges with the annotations ${JSON.stringify(annotations)}`, gateway({ ...RANGES, serviceAnnotations: annotations as never }),
    'sourceRanges would reject every peer', 'hides the address of the client', 'preserveClientAddress: false');
}
const CLIENT_ADDRESS = { [TARGETS]: 'preserve_client_ip.enabled=true' };
dedicated.rejects('FED149', 'source ranges behind a load balancer of AWS that hides the address of clients', podTargets({}), 'reject every peer', `${TARGETS}: "preserve_client_ip.enabled=true"`);
dedicated.rejects('FED149', 'source ranges behind a load balancer of AWS of the older type for pods', gateway({ ...RANGES, serviceAnnotations: { [`${AWS}type`]: 'nlb-ip' } }), 'reject every peer');
dedicated.rejects('FED149', 'source ranges that reject the health checks of a load balancer of AWS', podTargets(CLIENT_ADDRESS), `${AWS}healthcheck-port: "15021"`, 'healthCheckSourceRanges');
dedicated.rejects('FED149', 'source ranges that reject health checks of the port of peers', podTargets({ ...CLIENT_ADDRESS, [`${AWS}healthcheck-port`]: '15443' }), '"15021"');
dedicated.rejects('FED120', 'null in place of a list of source ranges', gateway(any({ sourceRanges: null })), 'sourceRanges is null in the gateway options');
dedicated.rejects('FED120', 'one source range in place of a list', gateway(any({ sourceRanges: '203.0.113.0/28' })), 'sourceRanges', 'must be a list');
dedicated.rejects('FED120', 'a list in place of labels', gateway(any({ labels: ['edge'] })), 'labels must be a map, not ["edge"]');
dedicated.rejects('FED116', 'a number in place of a source range', gateway(any({ sourceRanges: [8] })), 'the source range 8');
dedicated.rejects('FED120', 'the name of a Secret in place of a credential', gateway({ credential: 'partner' as unknown as GatewayCredential }), 'BoundaryGateway.dedicated', '"partner"');
const existing = (change: object) => () => BoundaryGateway.fromExisting({ ...EXISTING_GATEWAY, ...change });
fromExisting.rejects('FED111', 'an existing gateway without a namespace', existing({ namespaceName: '' }), 'namespace');
fromExisting.rejects('FED111', 'an existing gateway without a service account', existing({ serviceAccountName: undefined }), 'service account');
fromExisting.rejects('FED111', 'an existing gateway whose Service name contains its namespace', existing({ serviceName: 'shared.istio-ingress' }), '"shared.istio-ingress"');
fromExisting.rejects('FED120', 'an existing gateway with a list of labels', existing({ podLabels: ['app'] }), 'podLabels', 'must be a map');
fromExisting.rejects('FED120', 'an existing gateway with an option of dedicated gateways', existing({ minReplicas: 3 }), '"minReplicas"');
fromExisting.rejects('FED120', 'an existing gateway with a string as credential', existing({ credential: 'partner' }), '"partner"', 'GatewayCredential');
fromExisting.rejects('FED127', 'an existing gateway without labels', existing({ podLabels: {} }), 'every pod of the namespace');
fromExisting.rejects('FED127', 'an existing gateway with more labels than an EnvoyFilter takes', existing({ podLabels: Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`label-${index}`, 'x'])) }), '257 labels', '256');
fromExisting.rejects('FED127', 'an existing gateway with a label that no pod can have', existing({ podLabels: { app: 'the gateway' } }), '"the gateway"');

/* Objects of fields. */
rejectFields(dedicated, 'gateway options', (value) => () => BoundaryGateway.dedicated(value), { sourceRange: ['203.0.113.0/28'] }, 'sourceRange', 'sourceRanges');
rejectFields(fromExisting, 'the description of an existing gateway', (value) => () => BoundaryGateway.fromExisting(value), { namespace: 'istio-ingress' }, 'namespace', 'namespaceName');

/* Values that are almost valid. */
for (const range of ['203.0.113.0/33', '203.0.113.0/64', '2001:db8::/129']) {
  dedicated.rejects('FED116', `the source range ${range}, whose mask is longer than its address`, gateway({ sourceRanges: [range] }));
}
dedicated.rejects('FED116', 'a label whose name no pod can have', gateway({ labels: { 'a b!': 'edge' } }));
dedicated.rejects('FED116', 'a label whose prefix is not a valid domain', gateway({ labels: { 'Team_/tier': 'edge' } }));
dedicated.rejects('FED116', 'a CPU request without a number', gateway({ cpuRequest: 'm' }));
dedicated.rejects('FED116', 'a memory request without a number', gateway({ memoryRequest: 'Mi' }));
for (const option of ['preserveClientAddress', 'dualStack', 'proxyProtocol']) {
  dedicated.rejects('FED120', `a string in place of true or false for ${option}`, gateway(any({ [option]: 'false' })));
}
for (const option of ['labels', 'nodeSelector', 'serviceAnnotations']) {
  dedicated.rejects('FED120', `null in place of a map for ${option}`, gateway(any({ [option]: null })), `${option} is null`);
  dedicated.rejects('FED120', `a list in place of a map for ${option}`, gateway(any({ [option]: ['edge'] })), `${option} must be a map`);
}
for (const type of ['Loadbalancer', 'LOAD_BALANCER', '', 7]) {
  dedicated.rejects('FED116', `${JSON.stringify(type)} as type of the Service`, gateway(any({ serviceType: type, sourceRanges: ['203.0.113.0/28'] })),
    `serviceType ${JSON.stringify(type)}`, 'ClusterIP, NodePort, LoadBalancer');
}
dedicated.rejects('FED116', 'a number as class of the load balancer', gateway(any({ loadBalancerClass: 7 })), 'loadBalancerClass 7');
dedicated.rejects('FED116', 'a class of the load balancer with a space', gateway({ loadBalancerClass: 'aws nlb' }), '"aws nlb"', 'service.k8s.aws/nlb');
dedicated.rejects('FED116', 'an annotation whose name has a space', gateway({ serviceAnnotations: { 'a b': 'c' } }), '"a b"');
dedicated.rejects('FED120', 'a boolean as value of an annotation', gateway({ serviceAnnotations: { 'example.com/internal': any(true) } }), '"example.com/internal"', 'must be a string, not true');
dedicated.rejects('FED116', 'a node label whose name has a space', gateway({ nodeSelector: { 'a b': 'c' } }), '"a b"');
dedicated.rejects('FED116', 'a number as value of a node label', gateway({ nodeSelector: { pool: any(5) } }), '"pool": 5');
dedicated.rejects('FED111', 'a priority class with a space', gateway({ priorityClassName: 'High Priority' }), '"High Priority"', 'priority class');
dedicated.rejects('FED116', 'two injection templates in one text', gateway({ injectionTemplates: ['spire,audit'] }), '"spire,audit"', 'one name for each element');
dedicated.rejects('FED116', 'an empty injection template', gateway({ injectionTemplates: [''] }), 'template ""');
dedicated.rejects('FED116', 'a number in place of an injection template', gateway({ injectionTemplates: [any(1)] }), 'template 1');
dedicated.rejects('FED116', 'the injection template of sidecars', gateway({ injectionTemplates: ['sidecar'] }), '"sidecar"', 'gateway is always the first');
dedicated.rejects('FED116', 'the injection template of gateways a second time', gateway({ injectionTemplates: ['gateway'] }), '"gateway"');
dedicated.rejects('FED111', 'an object in place of the name of a Secret', gateway({ imagePullSecretNames: [any({ name: 'registry' })] }), '"registry"', 'Secret');
for (const quantity of ['.', '1.5.5', '1e', '-1', '1Xi', '5 m', '128K', '1ki', '1mi', '1KiB', '1E400', '++1', '１', '']) {
  dedicated.rejects('FED116', `the CPU request ${JSON.stringify(quantity)}`, gateway({ cpuRequest: quantity }), 'cpuRequest', JSON.stringify(quantity));
}
for (const label of [
  'app', 'version', 'app.kubernetes.io/name', 'app.kubernetes.io/version', 'istio', 'sidecar.istio.io/inject', 'istio.io/rev',
  'service.istio.io/canonical-name', 'topology.istio.io/network', 'security.istio.io/tlsMode', 'networking.istio.io/tunnel', 'gateway.istio.io/managed', 'ambient.istio.io/redirection',
]) {
  dedicated.rejects('FED116', `the reserved label ${label} on the pods of a gateway`, gateway({ labels: { [label]: 'edge' } }), JSON.stringify(label), 'reserved');
}
for (const range of ['fe80::1%eth0/64', '300.1.1.1/8', 'edge/8', '203.0.113.0/', '203.0.113.0/1e1', '203.0.113.0/24/24', '/24']) {
  dedicated.rejects('FED116', `the source range ${range}, which is not an address with a mask`, gateway({ sourceRanges: [range] }), JSON.stringify(range));
}
for (const quantity of ['0', '0m', '.0', '900u', '1e-9']) dedicated.rejects('FED116', `the CPU request ${quantity}`, gateway({ cpuRequest: quantity }), `"${quantity}" is less than 1m`);
for (const quantity of ['0', '128', '128m', '1000k']) dedicated.rejects('FED116', `the memory request ${quantity}`, gateway({ memoryRequest: quantity }), `"${quantity}" is less than 1Mi`);
dedicated.rejects('FED116', 'a CPU limit below the default request', gateway({ cpuLimit: '50m' }), 'cpuRequest "100m" is above cpuLimit "50m"');
dedicated.rejects('FED116', 'more pods than a 32-bit integer', gateway({ maxReplicas: 2 ** 31 }), '2147483648');
for (const [range, network] of [['203.0.113.5/28', '203.0.113.0/28'], ['203.0.113.0/0', '0.0.0.0/0'], ['2001:db8::1/64', '2001:db8::/64'], ['2001:db8:0:0:1::/64', '2001:db8::/64']]) {
  dedicated.rejects('FED116', `the source range ${range}, which has bits set after its mask`, gateway({ sourceRanges: [range] }), `use "${network}"`);
}
for (const range of ['203.0.113.0/028', '203.0.113.00/28', '203.000.113.0/28', '::ffff:203.0.113.0/124', '::ffff:cb00:7100/124', ' 203.0.113.0/28', '203.0.113.0/28 ', '203.0.113.0/+28', '203.0.113.0/28\n', '203.0.113/28']) {
  dedicated.rejects('FED116', `the source range ${JSON.stringify(range)}, which Kubernetes does not parse`, gateway({ sourceRanges: [range] }), JSON.stringify(range), 'not a valid CIDR');
}
dedicated.rejects('FED116', 'an image pull secret that is listed twice', gateway({ imagePullSecretNames: ['a', 'b', 'a'] }), '"a" is listed twice');
dedicated.rejects('FED116', 'source ranges as an annotation', gateway({ serviceAnnotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '0.0.0.0/0' } }), 'reserved', 'use the option sourceRanges');
dedicated.rejects('FED116', 'a sync wave as an annotation', gateway({ serviceAnnotations: { 'argocd.argoproj.io/sync-wave': '5' } }), 'reserved', 'delivery');
for (const name of ['networking.istio.io/exportTo', 'networking.istio.io/traffic-distribution', 'traffic.istio.io/nodeSelector', 'alpha.istio.io/kubernetes-serviceaccounts', 'ambient.istio.io/waypoint-inbound-binding', 'Istio.io/rev']) {
  dedicated.rejects('FED116', `the annotation ${name}, which Istio reads`, gateway({ serviceAnnotations: { [name]: '~' } }), `the annotation "${name}" is reserved → remove it`);
}
dedicated.rejects('FED116', 'an annotation of the library', gateway({ serviceAnnotations: { 'cdk8s-mesh-federation/private-address': 'none' } }), 'reserved');
dedicated.rejects('FED143', 'annotations that are too large in total', gateway({ serviceAnnotations: { 'example.com/a': 'x'.repeat(130_000), 'example.com/b': 'x'.repeat(130_000) } }), '260026 bytes', '256 KiB');
for (const code of ['0000', '0007', '000B', '001B', '007F', '0080', '0085', '009F', '2028', '2029', 'FEFF', 'FFFE', 'FFFF', 'D83D', 'DE00']) {
  dedicated.rejects('FED143', `an annotation with the character U+${code}`, gateway({ serviceAnnotations: { 'example.com/a': `a${String.fromCharCode(parseInt(code, 16))}b` } }),
    '"example.com/a"', `U+${code}`, 'YAML');
}
dedicated.rejects('FED120', 'undefined as value of an annotation', gateway({ serviceAnnotations: { 'example.com/a': any(undefined) } }), 'is undefined');
