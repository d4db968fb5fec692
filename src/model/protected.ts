/*
 * By what objects of other tenants reach a boundary. The admission policy and BoundaryValidation use the same lists, so
 * that both refuse the same objects.
 */

/** API groups of the Kubernetes Gateway API: the standard one, and the one of its experimental kinds. */
export const GATEWAY_API_GROUPS = ['gateway.networking.k8s.io', 'gateway.networking.x-k8s.io'];

/** Labels that the cluster or istiod sets on the pods of a gateway. Their values are unknown at synthesis. */
export const CLUSTER_LABELS = ['pod-template-hash', 'istio.io/rev', 'kubernetes.io/hostname'];

/** The same, by prefix: `topology.kubernetes.io/zone`, `topology.istio.io/network`, … */
export const CLUSTER_LABEL_PREFIX = 'topology.';

/**
 * Labels that Istio's injector adds to the pods of a gateway which have these labels. They are names that istiod derives
 * for telemetry, but a selector can use them like any other label.
 * @see https://github.com/istio/istio/blob/1.31.0/manifests/charts/istio-control/istio-discovery/files/gateway-injection-template.yaml
 */
export function injectedLabels(labels: { readonly [name: string]: string }): { [name: string]: string } {
  const canonicalName = labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels.app;
  const canonicalRevision = labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels.version;
  return {
    'sidecar.istio.io/inject': 'true',
    'istio.io/dataplane-mode': 'none',
    ...canonicalName === undefined ? {} : { 'service.istio.io/canonical-name': canonicalName },
    'service.istio.io/canonical-revision': canonicalRevision ?? 'latest',
  };
}
