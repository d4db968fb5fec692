import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { LocalService, ServicePort } from '../../src';
import { show } from '../../src/checks/errors';
import { any, objectOf } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: services and ports. */
export const errors: Rejection[] = [];
const fromName = rejectionsOf(errors, 'LocalService.fromName');
const fromConstruct = rejectionsOf(errors, 'LocalService.fromConstruct');
const http = rejectionsOf(errors, 'ServicePort.http');
const grpc = rejectionsOf(errors, 'ServicePort.grpc');
const tcp = rejectionsOf(errors, 'ServicePort.tcp');
const tls = rejectionsOf(errors, 'ServicePort.tls');

fromName.rejects('FED111', 'a service name that contains its namespace', () => LocalService.fromName('reviews.default', 'default'), '"reviews.default"', 'a separate argument');
fromName.rejects('FED111', 'a construct in place of a name', () => LocalService.fromName(any(objectOf('ServiceAccount', 'default')), 'default'), 'apps/Object');
http.rejects('FED303', 'a bigint in place of a port', () => ServicePort.http(any(80n)), '80');
http.rejects('FED303', 'a port that does not exist', () => ServicePort.http(0), 'ServicePort.http', '0');
http.rejects('FED303', 'a string in place of a port', () => ServicePort.http('http' as never), '"http"');
fromConstruct.rejects('FED305', 'a Deployment in place of a Service', () => LocalService.fromConstruct(objectOf('Deployment', 'default')), 'apps/Object', 'apps/v1 Deployment');
fromConstruct.rejects('FED305', 'a construct without an object', () => LocalService.fromConstruct(new Construct(new App(), 'Nothing')), 'not a Kubernetes object');
fromConstruct.rejects('FED305', 'a Service without a namespace', () => LocalService.fromConstruct(objectOf('Service')), '"till"', 'namespace: "default"');
for (const value of [undefined, {}, 5]) {
  fromConstruct.rejects('FED120', `${show(value)} in place of a construct`, () => LocalService.fromConstruct(any(value)), 'LocalService.fromConstruct', `not ${show(value)}`);
}

/* Objects of fields. */
for (const [protocol, call] of Object.entries({ http, grpc, tcp, tls })) {
  rejectFields(call, 'port options', (value) => () => ServicePort[protocol as 'http'](80, value), { exportport: 443 }, 'exportport', 'exportPort');
}
fromConstruct.rejects('FED305', 'a Service of Knative', () => LocalService.fromConstruct(new ApiObject(new Chart(new App(), 'apps', { namespace: 'web' }), 'Object', {
  apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'till' },
})), 'apps/Object');

/* The API server. */
for (const name of ['kubernetes', 'openshift']) {
  fromName.rejects('FED320', `the API server as ${name}`, () => LocalService.fromName(name, 'default'), `"${name}.default"`, 'Service of the API server');
}
fromConstruct.rejects('FED320', 'a construct with the name of the API server', () => LocalService.fromConstruct(new ApiObject(new Chart(new App(), 'apps'), 'Object', {
  apiVersion: 'v1', kind: 'Service', metadata: { name: 'kubernetes', namespace: 'default' },
})), 'apps/Object', '"kubernetes.default"');
