/**
 * The two meshes, the service and the partial calls that most rejections need.
 */
import { App, ApiObject, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { trustOf, meshOf } from './meshes';
import {
  AddPeerOptions, AllowFromOptions, FederatedMeshProps, IMeshPeer, LocalService, RemoteMesh, RemoteMeshProps, ServicePort, SpiffeId, TrustBundle,
} from '../../src';

/** A value of any type, as a program without types could pass it. */
export const any = (value: unknown) => value as never;

/** Two meshes that added each other as peers, and one export of east with two ports. */
export function pair() {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080), ServicePort.http(9081)],
  });
  return { app, east, west, reviews };
}

/** A call that declares the mesh east with these props. */
export const eastWith = (props: Partial<FederatedMeshProps>) => () => meshOf(new App(), 'east', props);

/** A call that adds west as a peer of east with these options. */
export const peerWith = (options: AddPeerOptions) => () => meshOf(new App(), 'east').addPeer(meshOf(new App(), 'west'), options);

/** A call that allows west to call the export of `pair`. */
export const grant = (options: AllowFromOptions) => () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, options);
};

/** A peer that exports cards. */
export const bankWith = (props: Partial<RemoteMeshProps> = {}) => new RemoteMesh(new App(), 'Bank', {
  meshName: 'bank',
  trustDomain: 'bank.example',
  trustBundle: trustOf('bank'),
  ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in'),
  egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/out'),
  endpoints: [{ address: 'fed.bank.example' }],
  exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(443)] }],
  knownAs: 'shop',
  ...props,
});

/** A peer of this name and trust domain that exports nothing. */
export function remoteOf(scope: Construct, meshName: string, trustDomain: string, trustBundle: TrustBundle): IMeshPeer {
  return new RemoteMesh(scope, meshName, {
    meshName,
    trustDomain,
    trustBundle,
    ingressIdentity: SpiffeId.parse(`spiffe://${trustDomain}/ns/a/sa/in`),
    egressIdentity: SpiffeId.parse(`spiffe://${trustDomain}/ns/a/sa/out`),
  });
}

/** An object named till, in a chart of its own. */
export const objectOf = (kind: string, namespace?: string, spec: object = {}) => {
  const chart = new Chart(new App(), 'apps', { namespace });
  return new ApiObject(chart, 'Object', { apiVersion: kind === 'Service' || kind === 'ConfigMap' ? 'v1' : 'apps/v1', kind, metadata: { name: 'till' }, spec });
};

/** An existing gateway. */
export const EXISTING_GATEWAY = { namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' } };

/** A call that allows west to call these ports of an export. */
export const ofPorts = (options: AllowFromOptions, ...ports: ServicePort[]) => () => {
  const { east, west } = pair();
  east.expose('Ledger', { service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports }).allowFrom(west, options);
};
