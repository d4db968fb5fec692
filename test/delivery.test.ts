import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, YamlOutputType } from 'cdk8s';
import { Caller, Delivery, LocalName, LocalService, ServicePort } from '../src';
import { keyOf, Manifest, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * How the apply order is communicated to kubectl, Argo CD and Flux.
 */

const WAVE = 'argocd.argoproj.io/sync-wave';
const PHASES = [
  ['Namespace'], ['ConfigMap'], ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'], ['AuthorizationPolicy', 'EnvoyFilter'], ['NetworkPolicy'],
  ['ServiceAccount', 'Deployment', 'Service', 'PodDisruptionBudget', 'Telemetry'],
  ['ServiceEntry', 'DestinationRule'], ['Gateway'], ['VirtualService'], ['HorizontalPodAutoscaler'],
];
/** Sync wave of each phase. The routes of local names are in wave 1. */
const WAVES = [-9, -8, -7, -6, -5, -4, -3, -2, -1, 2];

/** West exports and binds; only its own files are read. */
function west(delivery?: Delivery, app = new App()): App {
  const mesh = meshOf(app, 'west', { delivery });
  const east = meshOf(new App(), 'east');
  mesh.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(mesh);
  mesh.expose('Details', { service: LocalService.fromName('details', 'shop'), exportName: 'details', ports: [ServicePort.http(9080)] }).allowFrom(east);
  mesh.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  return app;
}

/** The phase of an object. Bootstrap files are applied with the pods, the CAs of peers before the pods. */
function phaseOf({ kind, metadata }: Manifest): number {
  return PHASES.findIndex((kinds) => kinds.includes(metadata.name.endsWith('-bootstrap') ? 'Deployment' : kind));
}

const inBoundary = ({ metadata }: Manifest) => metadata.namespace === undefined || metadata.namespace === 'istio-federation';

function withoutWave({ metadata: { annotations, ...metadata }, ...rest }: Manifest): Manifest {
  const { [WAVE]: _, ...others } = annotations ?? {};
  return { ...rest, metadata: { ...metadata, ...Object.keys(others).length > 0 ? { annotations: others } : {} } };
}

/** The objects that one call of `synth` writes, by folder. */
function written(delivery: Delivery): Map<string, Manifest[]> {
  const outdir = mkdtempSync(join(tmpdir(), 'delivery-'));
  try {
    west(delivery, new App({ outdir, yamlOutputType: YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE })).synth();
    return new Map(readdirSync(outdir).sort().map((folder) =>
      [folder, readdirSync(join(outdir, folder)).flatMap((file) => parse(readFileSync(join(outdir, folder, file), 'utf8')))]));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test('for kubectl, which is the default, the library adds no sync waves', () => {
  expect(JSON.stringify(objectsOf(west()))).not.toContain(WAVE);
  expect(objectsOf(west(Delivery.kubectl()))).toEqual(objectsOf(west()));
});

test('for Argo CD each phase of the boundary has its own sync wave, and listeners come after policies and pods', () => {
  const boundary = objectsOf(west(Delivery.argoCd())).filter(inBoundary);
  expect(boundary.map(({ kind, metadata }) => `${kind} ${metadata.annotations[WAVE]}`))
    .toEqual(boundary.map((object) => `${object.kind} ${WAVES[phaseOf(object)]}`));
});

test('for Argo CD the route of a local name is applied after its Service and its DestinationRule', () => {
  const applications = objectsOf(west(Delivery.argoCd())).filter((object) => !inBoundary(object));
  expect(applications.map(({ kind, metadata }) => [kind, metadata.annotations?.[WAVE]])).toEqual([
    ['DestinationRule', undefined], ['Service', undefined], ['VirtualService', '1'],
  ]);
});

test('for Argo CD the autoscalers are in the last wave, since Argo CD calls them degraded in a cluster without metrics and stops', () => {
  const waves = objectsOf(west(Delivery.argoCd())).map(({ kind, metadata }) => [Number(metadata.annotations?.[WAVE] ?? 0), kind === 'HorizontalPodAutoscaler']);
  const last = Math.max(...waves.map(([wave]) => Number(wave)));
  expect(waves.filter(([wave, autoscaler]) => autoscaler || wave === last)).toEqual([[last, true], [last, true]]);
});

test('for Argo CD the library adds only sync waves', () => {
  expect(objectsOf(west(Delivery.argoCd())).map(withoutWave)).toEqual(objectsOf(west()));
});

test('for Flux the library writes folders for protection, workload and openness, and another one for application objects', () => {
  const folders = [...written(Delivery.flux())].map(([folder, objects]) => [folder, [...new Set(objects.map(({ kind }) => kind))].sort()]);
  expect(folders).toEqual([
    ['west', ['DestinationRule', 'Service', 'VirtualService']],
    [expect.stringMatching(/^west-mesh-boundary-openness-/), ['DestinationRule', 'Gateway', 'HorizontalPodAutoscaler', 'ServiceEntry', 'VirtualService']],
    [expect.stringMatching(/^west-mesh-boundary-protection-/), [
      'AuthorizationPolicy', 'ConfigMap', 'EnvoyFilter', 'Namespace', 'NetworkPolicy', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding',
    ]],
    [expect.stringMatching(/^west-mesh-boundary-workload-/), [
      'ConfigMap', 'Deployment', 'PodDisruptionBudget', 'Service', 'ServiceAccount', 'Telemetry',
    ]],
  ]);
});

test('for Flux the library writes the same objects as for kubectl', () => {
  const byKey = (objects: Manifest[]) => new Map(objects.map((object) => [keyOf(object), object]));
  const all = [...written(Delivery.flux()).values()].flat();
  expect(all).toHaveLength(objectsOf(west()).length);
  expect(byKey(all)).toEqual(byKey(objectsOf(west())));
});

test('every object has the labels managed-by and part-of, and pods do not, since Istio names workloads by such labels', () => {
  const objects = objectsOf(west());
  for (const { metadata } of objects) {
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation' });
  }
  const specs = JSON.stringify(objects.map(({ spec }) => spec));
  expect(specs).not.toContain('app.kubernetes.io/');
});

test('immutable fields of Deployments and Services have the values of the first release', () => {
  const objects = objectsOf(west());
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  expect(deployments.map(({ metadata, spec }) => [metadata.name, spec.selector.matchLabels]).sort()).toEqual([
    ['federation-egress', { app: 'federation-egress', istio: 'istio-federation-egress' }],
    ['federation-ingress', { app: 'federation-ingress', istio: 'istio-federation-ingress' }],
  ]);
  for (const { kind, spec, immutable } of objects) {
    expect(immutable).toBeUndefined();
    if (kind === 'Service') expect([spec.clusterIP, spec.healthCheckNodePort]).toEqual([undefined, undefined]);
  }
  expect(objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'federation-ingress').spec.loadBalancerClass).toBeUndefined();
});
