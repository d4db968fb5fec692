import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { clusterScoped, idOf, late, metadataIn } from './emit';
import { peerTrustName } from './ingress';
import { EGRESS_TRUST, revocationFileName, trustFileName } from './workload';
import { Peer, BoundaryConfig } from '../model/model';

/** A namespace of the boundary's own. The injected gateways pass `restricted`, so nothing weaker is needed. */
export function renderNamespace(scope: Construct, name: string): ApiObject {
  return clusterScoped(new k8s.KubeNamespace(scope, idOf('Namespace', { name }), {
    metadata: metadataIn(scope, {
      name,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
    }),
  }));
}

/** Whom the ingress gateway believes when this peer calls: one object for each peer, so that their CAs cannot be merged by mistake. */
export function renderPeerTrust(scope: Construct, config: BoundaryConfig, peer: Peer): ApiObject {
  const named = { name: peerTrustName(peer), namespace: config.ingress.namespaceName };
  return new k8s.KubeConfigMap(scope, idOf('ConfigMap', named), {
    metadata: metadataIn(scope, named),
    data: { 'ca.crt': peer.pem, ...peer.revocationLists === undefined ? {} : { 'ca.crl': peer.revocationLists } },
  });
}

/** Whom the egress gateway believes when it calls: one file for each peer, so that a new peer restarts no gateway. */
export function renderUpstreamTrust(scope: Construct, config: BoundaryConfig, peers: () => Peer[]): ApiObject {
  const named = { name: EGRESS_TRUST, namespace: config.egress.namespaceName };
  return new k8s.KubeConfigMap(scope, idOf('ConfigMap', named), {
    metadata: metadataIn(scope, named),
    data: late(() => Object.fromEntries(peers().flatMap((peer) => [
      [trustFileName(peer), peer.pem],
      ...peer.revocationLists === undefined ? [] : [[revocationFileName(peer), peer.revocationLists]],
    ]))),
  });
}
