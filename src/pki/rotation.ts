import { X509Certificate } from 'crypto';
import { RevocationList } from './revocation';
import { fail } from '../checks/errors';

/** The CA certificates of one mesh, and their revocation lists: one for each CA, or none. */
export interface Authorities {
  readonly certificates: X509Certificate[];
  readonly lists: RevocationList[];
}

/** Checks the next root of a mesh, and returns the old and the new authorities together. */
export function parseRotation(where: string, current: Authorities, next: Authorities): Authorities {
  const added = next.certificates.filter((certificate) => !current.certificates.some(({ raw }) => raw.equals(certificate.raw)));
  if (added.length === 0) {
    fail('FED209', where, `the next bundle adds no certificate: ${next.certificates.map(({ fingerprint256 }) => fingerprint256).join(', ')}`,
      'use the new root; once no certificate of the old root is in use, configure the new one alone');
  }
  if ((current.lists.length === 0) !== (next.lists.length === 0)) {
    fail('FED208', where, `${next.lists.length === 0 ? 'the next' : 'this'} bundle has no revocation list, but the other one has`,
      'add the lists of all CAs to the result, or to both bundles: without a list, proxies reject every certificate of the CA');
  }
  const kept = current.lists.filter(({ issuer }) => !next.certificates.some(({ raw }) => raw.equals(issuer.raw)));
  return { certificates: [...current.certificates, ...added], lists: [...kept, ...next.lists] };
}
