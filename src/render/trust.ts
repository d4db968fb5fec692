import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { clusterScoped, emitTyped, lazyField } from './emit';
import { peerTrustName } from './ingress';
import { EGRESS_TRUST, revocationFileName, sortedLabels, trustFileName } from './workload';
import { Peer, BoundaryConfig } from '../model/model';

/**
 * Creates a namespace of the boundary. Its Pod Security level is `restricted`, which the injected gateway pods satisfy.
 */
export function renderNamespace(scope: Construct, { namespaceLabels }: Pick<BoundaryConfig, 'namespaceLabels'>, name: string): ApiObject {
  return clusterScoped(emitTyped(scope, k8s.KubeNamespace, {
    name,
    labels: {
      ...sortedLabels(namespaceLabels), 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted',
    },
  }, {}));
}

/**
 * Creates the ConfigMap with the CA certificates with which the ingress gateway verifies one peer. Each peer has a
 * ConfigMap of its own, so that the CAs of peers cannot be merged by mistake.
 */
export function renderPeerTrust(scope: Construct, config: BoundaryConfig, peer: Peer): ApiObject {
  const named = { name: peerTrustName(peer), namespace: config.ingress.namespaceName };
  return emitTyped(scope, k8s.KubeConfigMap, named, {
    data: { 'ca.crt': peer.pem, ...peer.revocationLists === undefined ? {} : { 'ca.crl': peer.revocationLists } },
  });
}

/**
 * Creates the ConfigMap with the CA certificates with which the egress gateway verifies peers. Each peer has a file of
 * its own in one volume, so that a new peer restarts no gateway.
 */
export function renderUpstreamTrust(scope: Construct, config: BoundaryConfig, peers: () => Peer[]): ApiObject {
  const named = { name: EGRESS_TRUST, namespace: config.egress.namespaceName };
  return emitTyped(scope, k8s.KubeConfigMap, named, {
    data: lazyField(() => Object.fromEntries(peers().flatMap((peer) => [
      [trustFileName(peer), peer.pem],
      ...peer.revocationLists === undefined ? [] : [[revocationFileName(peer), peer.revocationLists]],
    ]))),
  });
}
