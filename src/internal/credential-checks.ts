import { Duration } from 'cdk8s';
import { checkDomain, checkObjectName } from './checks';
import { fail, show } from './errors';
import { checkFields, checkGiven } from './kind-checks';
import type { CertManagerOptions } from '../credential';

/** Istio finds the CA of a credential under the name of its Secret and this. */
const CA_SUFFIX = '-cacert';
const MIN_DURATION_SECONDS = 3600;
const MIN_RENEW_BEFORE_SECONDS = 300;
const FIELDS = ['issuerName', 'issuerKind', 'issuerGroup', 'duration', 'renewBefore', 'keyAlgorithm'];
const KEY_ALGORITHMS = ['ECDSA_P256', 'ECDSA_P384', 'RSA_3072'];

/** What cert-manager's webhook refuses would otherwise be found out in the cluster. */
export function checkCertManagerOptions(where: string, options: CertManagerOptions): void {
  checkFields(where, 'the certificate', options, FIELDS);
  const { issuerName, issuerKind = 'ClusterIssuer', issuerGroup = 'cert-manager.io', duration, renewBefore, keyAlgorithm = 'ECDSA_P256' } = options;
  checkObjectName(where, issuerName, 'issuer');
  checkDomain(where, issuerGroup, 'FED111', 'API group');
  if (!/^[A-Z][A-Za-z0-9]{0,62}$/.test(issuerKind)) {
    fail('FED131', where, `the kind of the issuer is ${show(issuerKind)}`, 'use ClusterIssuer, Issuer, or the kind of an external issuer');
  }
  if (!KEY_ALGORITHMS.includes(keyAlgorithm)) fail('FED131', where, `the algorithm of the key is ${show(keyAlgorithm)}`, 'use a KeyAlgorithm');
  for (const [name, value] of Object.entries({ duration, renewBefore })) if (value !== undefined) checkGiven(where, name, value, Duration);
  const seconds = duration?.toSeconds({ integral: false }) ?? 86400;
  const before = renewBefore?.toSeconds({ integral: false });
  if (!Number.isInteger(seconds) || seconds < MIN_DURATION_SECONDS) {
    fail('FED131', where, `duration is ${seconds} seconds`, 'use whole seconds, at least an hour: cert-manager issues nothing shorter');
  }
  if (before === undefined) return;
  if (!Number.isInteger(before) || before < MIN_RENEW_BEFORE_SECONDS || before >= seconds) {
    fail('FED131', where, `renewBefore is ${before} seconds, and duration ${seconds}`, 'use whole seconds, at least five minutes and less than duration');
  }
}

export function checkCredentialSecret(where: string, secretName: string): void {
  checkObjectName(where, secretName, 'Secret');
  if (secretName.endsWith(CA_SUFFIX)) {
    fail('FED111', where, `${show(secretName)} is what Istio calls the CA of a credential`, `choose a name that does not end in ${CA_SUFFIX}`);
  }
}
