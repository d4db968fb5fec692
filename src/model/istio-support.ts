/**
 * What the support of an option on an Istio version rests on.
 *
 * - `tested`: the lab runs it with istiod and proxies of that version.
 * - `validated`: the CRDs of that version accept the objects, Envoy's API of that version has every field of their
 *   EnvoyFilters, and istiod's source places the patches as in the tested version. It was not run.
 * - `rejected`: a field is missing, or one of these checks was not possible (FED125).
 */
type Support = 'tested' | 'validated' | 'rejected';

/** The supported minor versions of Istio, from the oldest, and the first patch release to use of each. */
export const ISTIO_PATCHES = {
  '1.28': '1.28.0',
  // The agents of 1.29.0 to 1.29.2, and of 1.30.0 to 1.30.2, miss all but the first renewal of a mounted certificate,
  // so the egress gateway would present an expired one and trust a withdrawn CA (istio/istio#59912).
  '1.29': '1.29.3',
  '1.30': '1.30.3',
  '1.31': '1.31.0',
  '1.32': '1.32.0',
} as const;

/** A supported minor version of Istio. */
export type IstioMinor = keyof typeof ISTIO_PATCHES;

/** Option × version. docs/adr/0049 has the evidence, docs/versions.md shows the table, and a test compares them. */
const SUPPORT = {
  /** Every option that is not listed below. */
  other: { '1.28': 'validated', '1.29': 'validated', '1.30': 'validated', '1.31': 'tested', '1.32': 'validated' },
  limits: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'validated', '1.31': 'tested', '1.32': 'validated' },
  idleTimeout: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'validated', '1.31': 'tested', '1.32': 'validated' },
  jwt: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'validated', '1.31': 'tested', '1.32': 'validated' },
  connectAfterHandshake: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'rejected', '1.31': 'tested', '1.32': 'validated' },
  /** Not an option: ProxyConfig has `connectionSettings`. Before, the EnvoyFilter of each gateway sets these limits. */
  connectionSettings: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'rejected', '1.31': 'tested', '1.32': 'validated' },
  /** Not an option: Telemetry has this field. Before, `stripTracing` also stops the spans of the gateways. */
  disableContextPropagation: { '1.28': 'rejected', '1.29': 'rejected', '1.30': 'validated', '1.31': 'tested', '1.32': 'validated' },
} as const satisfies { readonly [feature: string]: { readonly [minor in IstioMinor]: Support } };

/** An option whose support depends on the Istio version. */
export type Feature = keyof typeof SUPPORT;

/** All features, in the order of docs/versions.md. */
export const FEATURES = Object.keys(SUPPORT) as Feature[];

/** What the support of a feature on an Istio version rests on. */
export function supportOf(feature: Feature, minor: IstioMinor): Support {
  return SUPPORT[feature][minor];
}

/** Whether manifests for an Istio version may use a feature. */
export function isSupported(feature: Feature, minor: IstioMinor): boolean {
  return supportOf(feature, minor) !== 'rejected';
}
