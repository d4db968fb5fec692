import { fail, show } from './errors';

/** Trust domain and path of a SPIFFE ID. */
export interface IdentityParts {
  readonly trustDomain: string;
  /** Such as `/ns/a/sa/b`. */
  readonly path: string;
}

/** Longest SPIFFE ID of the standard. */
const LONGEST = 2048;

/** Parses the SPIFFE ID of a workload. Rejects patterns, and dot segments, which the standard forbids. */
export function parseSpiffeId(uri: string): IdentityParts {
  const match = typeof uri !== 'string' || uri.length > LONGEST ? undefined : /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/.exec(uri);
  if (!match || match[2].split('/').some((segment) => segment === '.' || segment === '..')) {
    fail('FED206', `SpiffeId.parse(${show(uri)})`, 'the text is not a valid SPIFFE ID of a workload',
      'use the URI in the certificate, for example "spiffe://east.example/ns/istio-federation/sa/federation-ingress"');
  }
  return { trustDomain: match[1], path: match[2] };
}
