import { createHash } from 'crypto';

/*
 * The digest of a generated object. BoundaryValidation compares it with the manifest, and so notices every later change
 * of the object. Anybody can calculate it: it finds mistakes, it does not stop an attacker (docs/adr/0041).
 */

/** Name of the annotation with the digest, after the prefix of this library. */
export const DIGEST = 'digest';
/** Kinds without a digest: they decide about the number of pods, which nobody can use to open a boundary. */
export const WITHOUT_DIGEST = ['HorizontalPodAutoscaler', 'PodDisruptionBudget'];

/**
 * Labels and annotations that change what an object does: Istio's (`istio.io/rev`, `istio.io/dry-run`,
 * `networking.istio.io/exportTo`), the Pod Security level of a namespace, and those of this library that say to which
 * mesh an object belongs, or with which BoundaryValidation requires less.
 */
const EFFECTIVE = [
  /^(pod-security\.kubernetes|([\w-]+\.)*istio)\.io\//,
  /^istio-injection$/,
  /^cdk8s-mesh-federation\/(mesh|allow-tls-1\.2|without-admission-policy|existing-namespace)$/,
];
/** Annotations with which delivery tools do not apply an object, or do not remove it later. They write others freely. */
const NOT_APPLIED = [
  /^argocd\.argoproj\.io\/hook=/,
  /^argocd\.argoproj\.io\/sync-options=.*\bPrune=false\b/,
  /^helm\.sh\/(hook|resource-policy)=/,
  /^config\.kubernetes\.io\/local-config=/,
  /^kustomize\.toolkit\.fluxcd\.io\/((reconcile|prune)=disabled|ssa=(IfNotPresent|Ignore))$/i,
  /^kapp\.k14s\.io\/(noop|exists)=/,
];
/** Settings of `istioctl analyze`, which change no proxy. */
const ANALYZER = /^galley\./;
const HEX_DIGITS = 32;

/** Digest of the identity, the content and the effective metadata of an object. */
export function digestOf({ apiVersion, kind, metadata, status, ...content }: any): string {
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = metadata ?? {};
  const effective = (values: object | undefined) =>
    Object.entries(values ?? {}).filter(([key, value]) => !ANALYZER.test(key)
      && (EFFECTIVE.some((pattern) => pattern.test(key)) || NOT_APPLIED.some((pattern) => pattern.test(`${key}=${value}`)))).sort();
  const ifAny = (list: unknown) => Array.isArray(list) && list.length === 0 ? undefined : list;
  const parts = {
    apiVersion,
    kind,
    namespace,
    name,
    content,
    labels: effective(labels),
    annotations: effective(annotations),
    finalizers: ifAny(finalizers),
    ownerReferences: ifAny(ownerReferences),
  };
  return createHash('sha256').update(JSON.stringify(parts, sorted)).digest('hex').slice(0, HEX_DIGITS);
}

/** A replacer that writes the keys of every object in order, and leaves out null like the API server does. */
function sorted(_: string, value: any): any {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  return keys.every((key, index) => index === 0 || keys[index - 1] < key) ? value : Object.fromEntries(keys.sort().map((key) => [key, value[key]]));
}
