import { ApiObject, App, Chart, Duration } from 'cdk8s';
import { BoundaryGateway, ExposedService, FederatedMeshProps, IstioVersion, LocalService, ServicePort } from '../../src';
import { meshOf } from '../support/meshes';
import { any, bankWith, eastWith, EXISTING_GATEWAY, pair } from '../support/pair';
import { Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: exports. */
export const errors: Rejection[] = [];
const expose = rejectionsOf(errors, 'FederatedMesh.expose');
const newExport = rejectionsOf(errors, 'new ExposedService');
const sniFor = rejectionsOf(errors, 'ExposedService.sniFor');
const synth = rejectionsOf(errors, SYNTHESIS);

newExport.rejects('FED112', 'an export in the chart of another mesh', () => {
  const { east, west } = pair();
  new ExposedService(Chart.of(west), 'Details', {
    mesh: east, service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
  });
}, 'west/Details', '"west"');
newExport.rejects('FED120', 'a peer in place of our mesh', () => {
  const { app, bank } = { ...pair(), bank: bankWith({}) };
  new ExposedService(new Chart(app, 'apps'), 'Details', any({ mesh: bank }));
}, 'apps/Details', 'mesh must be of type FederatedMesh');
for (const call of [expose, newExport]) {
  call.rejects('FED123', 'the id of another export', () => {
    const { east } = pair();
    const options = { service: LocalService.fromName('stock', 'shop'), exportName: 'stock', ports: [ServicePort.http(80)] };
    if (call === expose) east.expose('Reviews', options);
    else new ExposedService(east, 'Reviews', { mesh: east, ...options });
  }, 'FED123 east/Mesh/Reviews: another construct in the same scope has the id "Reviews"', 'choose another id');
}
newExport.rejects('FED120', 'an export without properties', () => new ExposedService(new Chart(pair().app, 'apps'), 'Details', any(undefined)),
  'apps/Details', 'mesh must be of type FederatedMesh, not undefined');
expose.rejects('FED120', 'the mesh of another boundary in the options of expose', () => {
  const { east, west } = pair();
  east.expose('Details', any({ mesh: west, service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] }));
}, 'east/Mesh/Details', 'unknown field "mesh" in the options of expose');
expose.rejects('FED120', 'an export without options', () => pair().east.expose('Details', any(undefined)), 'east/Mesh/Details', 'must be an object, not undefined');
expose.rejects('FED118', 'a service of Istio', () => pair().east.expose('Istiod', {
  service: LocalService.fromName('istiod', 'istio-system'), exportName: 'istiod', ports: [ServicePort.http(15014)],
}), 'east/Mesh/Istiod', '"istiod"', '"istio-system"');
expose.rejects('FED120', 'numbers in place of ports', () => pair().east.expose('X', { service: LocalService.fromName('x', 'apps'), exportName: 'x', ports: any([9080]) }), '9080', 'ServicePort');
expose.rejects('FED120', 'a string in place of a service', () => pair().east.expose('X', { service: any('x'), exportName: 'x', ports: [] }), '"x"', 'LocalService');
expose.rejects('FED118', 'a service in the namespace of an existing gateway', () => eastWith({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) })().expose('Self', {
  service: LocalService.fromName('shared', 'istio-ingress'), exportName: 'self', ports: [ServicePort.http(80)],
}), '"shared"', 'the boundary');
const named = (exportName: string, ports = [ServicePort.http(1)]) => () =>
  pair().east.expose('Other', { service: LocalService.fromName('other', 'default'), exportName, ports });
expose.rejects('FED301', 'an export name with a slash', named('reviews/v1'), 'east/Mesh/Other', '"reviews/v1"');
expose.rejects('FED301', 'an export name with capital letters', named('Reviews'), '"Reviews"', 'lower case');
expose.rejects('FED301', 'a wildcard as export name', named('*'), '"*"');
expose.rejects('FED301', 'an export name that makes SNIs too long', named(Array(4).fill('a'.repeat(50)).join('.')), 'use an export name of at most 165 characters');
expose.rejects('FED302', 'an export name that another export has', named('reviews'), 'east/Mesh/Other', '"reviews"', 'east/Mesh/Reviews');
expose.rejects('FED303', 'an export without ports', named('other', []), 'no port');
expose.rejects('FED303', 'an export port that is listed twice', named('other', [ServicePort.http(80), ServicePort.http(8080, { exportPort: 80 })]), '80', 'exportPort');
synth.rejects('FED304', 'a port that the Service does not have', () => {
  const { app, east } = pair();
  const chart = new Chart(app, 'apps', { namespace: 'default' });
  const service = new ApiObject(chart, 'Details', {
    apiVersion: 'v1', kind: 'Service', metadata: { name: 'details' }, spec: { ports: [{ port: 9080 }, { port: 53, protocol: 'UDP' }] },
  });
  east.expose('Details', { service: LocalService.fromConstruct(service), exportName: 'details', ports: [ServicePort.http(53)] });
  app.synthYaml();
}, 'east/Mesh/Details', '"details"', 'no TCP port 53', '9080');
sniFor.rejects('FED120', 'a peer that is not a mesh', () => pair().reviews.sniFor(any(undefined), 9080), 'east/Mesh/Reviews', 'undefined');
sniFor.rejects('FED306', 'the SNI of a port that is not exported', () => {
  const { reviews, west } = pair();
  reviews.sniFor(west, 80);
}, '80');
const timed = (requestTimeout: Duration, port = ServicePort.http(80)) => () => pair().east.expose('Ledger', {
  service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [port], requestTimeout,
});
expose.rejects('FED311', 'a request timeout of zero', timed(Duration.millis(0)), '0 ms');
expose.rejects('FED311', 'a request timeout for a TCP port', timed(Duration.seconds(1), ServicePort.tcp(1)), '"ledger"', 'no HTTP or gRPC port');
const idleAfter = (idleTimeout: Duration, props: Partial<FederatedMeshProps> = {}) => () => meshOf(new App(), 'east', props).expose('Ledger', {
  service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.tcp(1)], idleTimeout,
});
expose.rejects('FED120', 'null in place of an idle timeout', idleAfter(null as never), 'east/Mesh/Ledger', 'idleTimeout is null');
expose.rejects('FED120', 'null in place of a request timeout', timed(null as never), 'east/Mesh/Ledger', 'requestTimeout is null');
for (const none of [false, 0, '']) {
  expose.rejects('FED120', `${JSON.stringify(none)} in place of an idle timeout`, idleAfter(none as never), 'idleTimeout', 'must be of type Duration', 'use Duration.millis(…), Duration.seconds(…)');
  expose.rejects('FED120', `${JSON.stringify(none)} in place of a request timeout`, timed(none as never), 'requestTimeout', 'must be of type Duration');
}
expose.rejects('FED311', 'an idle timeout of a fraction of a millisecond', idleAfter(Duration.millis(1.5)), '1.5 ms', 'whole milliseconds');
expose.rejects('FED311', 'an idle timeout of zero', idleAfter(Duration.millis(0)), 'idleTimeout is 0 ms');
expose.rejects('FED120', 'a number in place of an idle timeout', idleAfter(600 as never), 'idleTimeout', 'must be of type Duration');
expose.rejects('FED125', 'an idle timeout with an Istio version that does not support it', idleAfter(Duration.minutes(1), { istioVersion: IstioVersion.V1_28 }), 'idleTimeout', '1.28');
expose.rejects('FED120', 'a number in place of a request timeout', timed(5 as never), 'requestTimeout', 'must be of type Duration');
expose.rejects('FED115', 'a date that does not exist', () => pair().east.expose('Ledger', {
  service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)], reviewBy: '2027-02-30',
}), 'east/Mesh/Ledger', '"2027-02-30"');
newExport.rejects('FED120', 'an unknown field in the properties of an export', () => {
  const { east } = pair();
  new ExposedService(Chart.of(east), 'Details', any({ mesh: east, service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(80)], port: 80 }));
}, 'east/Details', 'unknown field "port" in the properties of ExposedService');
/** A valid export name of that many characters. */
const nameOf = (length: number) => 'a'.repeat(60).concat('.').repeat(4).slice(0, length - 1).concat('a');
// p65535. + name + . + a peer name of 63 characters + .fed. + east.example = 253 characters.
expose.rejects('FED301', 'an export name of 166 characters, which is one too long for any peer', named(nameOf(166)), 'use an export name of at most 165 characters');
for (const timeout of ['requestTimeout', 'idleTimeout'] as const) {
  expose.rejects('FED311', `200,000 days as ${timeout}`, () => pair().east.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)], [timeout]: Duration.days(200_000),
  }), timeout, 'at most 292 years');
}

/* Services whose manifest is known. */

const exported = (manifest: object, ...ports: ServicePort[]) => () => {
  const { app, east } = pair();
  const object = new ApiObject(new Chart(app, 'shop', { namespace: 'shop' }), 'Till', { apiVersion: 'v1', kind: 'Service', ...manifest, metadata: { name: 'till', ...(manifest as any).metadata } });
  east.expose('Till', { service: LocalService.fromConstruct(object), exportName: 'till', ports });
  app.synthYaml();
};
const port = (fields: object) => ({ spec: { ports: [{ port: 80, ...fields }] } });
for (const [fields, declared] of [
  [{ name: 'http' }, 'its name "http"'], [{ name: 'http-api' }, 'its name "http-api"'], [{}, 'no protocol'], [{ name: 'api' }, 'its name "api"'], [{ name: 'tcp-grpc' }, 'its name "tcp-grpc"'],
  [{ name: 'grpc', appProtocol: 'http' }, 'its appProtocol "http"'], [{ name: 'grpc', appProtocol: 'kubernetes.io/ws' }, 'its appProtocol "kubernetes.io/ws"'],
  [{ name: 'grpc', appProtocol: '' }, 'its appProtocol ""'], [{ name: 'https' }, 'its name "https"'],
] as const) synth.rejects('FED318', `a gRPC export of a port with ${declared}`, exported(port(fields), ServicePort.grpc(80)), 'east/Mesh/Till', declared, 'name the port "grpc"');
for (const name of ['https', 'tls-api', 'udp-api']) synth.rejects('FED318', `an HTTP export of a port named ${name}`, exported(port({ name }), ServicePort.http(80)), JSON.stringify(name), 'name the port "http"');
synth.rejects('FED318', 'a TCP export of an HTTP port', exported(port({ name: 'http2' }), ServicePort.tcp(80)), '"http2"', 'name the port "tcp"');
synth.rejects('FED318', 'a TLS export of a port with WebSocket', exported(port({ appProtocol: 'kubernetes.io/ws' }), ServicePort.tls(80)), 'name the port "tls"');
const http = { ports: [{ port: 80, name: 'http' }] };
synth.rejects('FED319', 'a Service of the type ExternalName', exported({ spec: { type: 'ExternalName', externalName: 'till.example' } }, ServicePort.http(80)), 'ExternalName', 'selects the pods');
synth.rejects('FED319', 'a Service with session affinity', exported({ spec: { ...http, sessionAffinity: 'ClientIP' } }, ServicePort.http(80)), 'sessionAffinity ClientIP', 'consistentHash');
synth.rejects('FED319', 'a Service for pods of the same node', exported({ spec: { ...http, internalTrafficPolicy: 'Local' } }, ServicePort.http(80)), 'internalTrafficPolicy Local', '503');
for (const exportTo of ['.', '~', 'shop, web']) {
  synth.rejects('FED319', `a Service with exportTo "${exportTo}"`, exported({ metadata: { annotations: { 'networking.istio.io/exportTo': exportTo } }, spec: http }, ServicePort.http(80)), 'is hidden from the ingress gateway', 'add "istio-federation"');
}
