/*
 * Values that several rooms share.
 */

/** Port of the boundary gateways' pods, and of their Services unless an endpoint sets another one. */
export const BOUNDARY_PORT = 15443;
/** Default namespace of a boundary. */
export const DEFAULT_NAMESPACE = 'istio-federation';
/** Default of Istio's root namespace. */
export const DEFAULT_ROOT_NAMESPACE = 'istio-system';
/** Default DNS domain of a cluster. */
export const DEFAULT_CLUSTER_DOMAIN = 'cluster.local';
/**
 * Maximum size of the annotations of one object: 256 KiB of the API server, minus room for those of delivery tools.
 */
export const LARGEST_ANNOTATIONS = 240 * 1024;
/** Namespaces that Kubernetes reserves for itself. */
export const SYSTEM_NAMESPACE = /^kube-(system|public|node-lease)$/;
/** Suffix of the Secret in which Istio looks for the CA certificates of a credential: `<credential>-cacert`. */
export const CA_SECRET_SUFFIX = '-cacert';
