import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { emit, emitTyped } from './emit';
import { infrastructure, namespacePeer } from './network';
import { Sidecar, SidecarSpec, SidecarSpecOutboundTrafficPolicyMode } from '../../imports/networking.istio.io';
import { Binding, Restriction, BoundaryConfig } from '../model/model';
import { PREFIX, singleObjectName } from '../model/names';

/**
 * Limits the outbound traffic of a namespace, so that its workloads cannot bypass the egress gateway. A Sidecar
 * resource drops traffic to hosts that are neither Services of the mesh nor allowed. A NetworkPolicy covers traffic
 * that bypasses the sidecars, if the cluster's network plugin enforces it.
 */
export function renderRestriction(
  scope: Construct, config: BoundaryConfig, { namespaceName, allowedHosts }: Restriction, bindings: () => Binding[],
): ApiObject[] {
  const named = { name: singleObjectName(PREFIX.restriction, namespaceName), namespace: namespaceName };
  return [
    emitTyped(scope, k8s.KubeNetworkPolicy, named, {
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [...infrastructure(config), { to: [namespacePeer('*')] }] },
    }),
    emit<SidecarSpec>(scope, Sidecar.GVK, named, () => ({
      // `*/*` would include every external host for which somebody declares a ServiceEntry.
      egress: [{
        hosts: [
          `*/*.svc.${config.clusterDomain}`,
          ...bindings().flatMap(({ name }) => name.additionalHosts.map((host) => `${name.namespaceName}/${host}`)),
          ...allowedHosts,
        ],
      }],
      outboundTrafficPolicy: { mode: SidecarSpecOutboundTrafficPolicyMode.REGISTRY_UNDERSCORE_ONLY },
    })),
  ];
}
