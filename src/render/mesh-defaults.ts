import {
  DestinationRuleSpecTrafficPolicyOutlierDetection, toJson_DestinationRuleSpecTrafficPolicyOutlierDetection,
} from '../../imports/networking.istio.io';

/*
 * Values that keep mesh-wide settings off the path between the meshes. A DestinationRule inherits the blocks
 * `connectionPool` and `outlierDetection` from `defaultTrafficPolicy` of MeshConfig as a whole if it does not set the
 * block itself, and locality settings from `localityLbSetting` (docs/adr/0046). So each of our DestinationRules sets all
 * of them, also where Istio's default would do.
 */

/**
 * Outlier detection that ejects nothing. An empty block would not do: for Envoy it means that five responses with a
 * status of 5xx eject an address, and these come from the peer's application.
 */
export const NO_EJECTION = toJson_DestinationRuleSpecTrafficPolicyOutlierDetection({
  consecutive5XxErrors: 0,
  consecutiveGatewayErrors: 0,
}) as DestinationRuleSpecTrafficPolicyOutlierDetection;

/**
 * Load balancing that ignores the locality of addresses. Addresses of a peer have none, and a mesh-wide `distribute`
 * removes addresses for whose locality it has no weight.
 */
export const ALL_LOCALITIES = { localityLbSetting: { enabled: false } };

/**
 * Istio adds the egress gateways of all clusters of a mesh to one Service. Callers use those of their own cluster as long
 * as one is ready there. In a mesh of one cluster, nothing is left to prefer. Istio ignores a priority without outlier
 * detection, so it needs a block such as `NO_EJECTION`.
 */
export const OWN_CLUSTER_FIRST = { localityLbSetting: { failoverPriority: ['topology.istio.io/cluster'] } };

/** Istio's default of `connectTimeout`, which MeshConfig can change for every connection of the mesh. */
export const CONNECT_TIMEOUT = '10s';
