/*
 * Values that several rooms share.
 */

/** Port of the boundary gateways' pods, and of their Services unless an endpoint states another one. */
export const BOUNDARY_PORT = 15443;
/** Namespace of a boundary by default. */
export const DEFAULT_NAMESPACE = 'istio-federation';
/** Istio's root namespace by default. */
export const DEFAULT_ROOT_NAMESPACE = 'istio-system';
/** Namespaces that Kubernetes reserves for itself. */
export const SYSTEM_NAMESPACE = /^kube-(system|public|node-lease)$/;
/** Istio finds the CA of a credential under the name of its Secret and this suffix. */
export const CA_SECRET_SUFFIX = '-cacert';
