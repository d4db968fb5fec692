import { ApiObject, App, Chart } from 'cdk8s';
import { Caller, ExposedService, LocalService, LockWorkloadOptions, ServicePort } from '../../src';
import { meshOf } from '../support/meshes';
import { pair } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: locked workloads. */
export const errors: Rejection[] = [];
const lockWorkload = rejectionsOf(errors, 'ExposedService.lockWorkload');
const synth = rejectionsOf(errors, SYNTHESIS);

const lock = (options: Partial<LockWorkloadOptions> = {}, change?: (made: ReturnType<typeof pair>) => ExposedService) => () => {
  const made = pair();
  (change?.(made) ?? made.reviews).lockWorkload({ reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' }, ...options });
  made.app.synth();
};
lockWorkload.rejects('FED114', 'a lock without a reason', lock({ reason: ' ' }), 'east/Mesh/Reviews', 'locking the workload');
lockWorkload.rejects('FED118', 'a boundary gateway as a local caller', lock({ localCallers: [Caller.serviceAccount('federation-egress', 'istio-federation')] }), 'the boundary');
lockWorkload.rejects('FED120', 'a string in place of a local caller', lock({ localCallers: ['teller' as never] }), '"teller"', 'Caller');
lockWorkload.rejects('FED120', 'one local caller in place of a list', lock({ localCallers: Caller.anyInMesh() as never }), 'localCallers');
lockWorkload.rejects('FED120', 'a list in place of pod labels', lock({ podLabels: ['app'] as never }), 'podLabels', 'must be a map');
lockWorkload.rejects('FED120', 'a lock with the unknown field callers beside a reason', lock({ callers: [] } as never), '"callers"');
lockWorkload.rejects('FED312', 'a lock without podLabels for a service that is declared by name', lock({ podLabels: undefined }), '"reviews"', 'fromConstruct');
lockWorkload.rejects('FED312', 'a lock with labels that select everything', lock({ podLabels: {} }), 'every pod of the namespace');
lockWorkload.rejects('FED312', 'a lock with a label that no pod can have', lock({ podLabels: { app: 'review service' } }), '"review service"');
lockWorkload.rejects('FED312', 'a lock with a number as a label value', lock({ podLabels: { version: 2 as never } }), '"version":2');
const labels = (length: number) => Object.fromEntries(Array.from({ length }, (_, index) => [`label-${index}`, 'x']));
synth.rejects('FED312', 'a lock with more labels than an EnvoyFilter takes', lock({ podLabels: labels(257) }), 'east/Mesh/Reviews', '257 labels', '256');
synth.rejects('FED312', 'a lock without podLabels for a Service without a selector', () => {
  const app = new App();
  const chart = new Chart(app, 'apps', { namespace: 'till' });
  const service = new ApiObject(chart, 'Object', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [{ port: 80 }] } });
  meshOf(app, 'east').expose('Till', { service: LocalService.fromConstruct(service), exportName: 'till', ports: [ServicePort.http(80)] })
    .lockWorkload({ reason: 'nobody else in the mesh may call it' });
  app.synth();
}, 'east/Mesh/Till', '"till"', 'podLabels');
lockWorkload.rejects('FED313', 'a service that two exports lock', () => {
  const { east, reviews } = pair();
  const again = east.expose('Again', { service: LocalService.fromName('reviews', 'default'), exportName: 'again', ports: [ServicePort.http(9080)] });
  for (const exported of [reviews, again]) exported.lockWorkload({ reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' } });
}, 'east/Mesh/Again', 'east/Mesh/Reviews', 'one call');

/* Objects of fields. */
rejectFields(lockWorkload, 'lock options', (value) => () => pair().reviews.lockWorkload(value), { reason: 'agreed with the security team', callers: [] }, 'callers', 'localCallers');
