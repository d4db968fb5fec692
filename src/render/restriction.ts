import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { emit, idOf, metadataIn } from './emit';
import { anywhere, namespace } from './network';
import { Sidecar, SidecarSpec, SidecarSpecOutboundTrafficPolicyMode } from '../../imports/networking.istio.io';
import { Binding, Restriction, BoundaryConfig } from '../model/model';
import { singleObjectName } from '../model/names';

/**
 * What the workloads of a namespace may call. Their sidecars know the Services of the mesh, the bound names among them, and drop what they do
 * not know. Who goes past a sidecar meets the network policy, where the cluster's network enforces it.
 */
export function renderRestriction(
  scope: Construct, config: BoundaryConfig, { namespaceName, allowedHosts }: Restriction, bindings: () => Binding[],
): ApiObject[] {
  const named = { name: singleObjectName('fed-restricted', namespaceName), namespace: namespaceName };
  return [
    new k8s.KubeNetworkPolicy(scope, idOf('NetworkPolicy', named), {
      metadata: metadataIn(scope, named),
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [anywhere(), { to: [namespace('*')] }] },
    }),
    emit<SidecarSpec>(scope, Sidecar.GVK, named, () => ({
      // `*/*` would include whatever hosts outside of the mesh somebody declares.
      egress: [{
        hosts: [
          `*/*.svc.${config.clusterDomain}`,
          ...bindings().flatMap((binding) => binding.additionalHosts.map((host) => `${binding.namespaceName}/${host}`)),
          ...allowedHosts,
        ],
      }],
      outboundTrafficPolicy: { mode: SidecarSpecOutboundTrafficPolicyMode.REGISTRY_UNDERSCORE_ONLY },
    })),
  ];
}
