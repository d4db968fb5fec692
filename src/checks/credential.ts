import { Duration } from 'cdk8s';
import { fail, show } from './errors';
import { checkGiven, checkOptional, checkText, fieldsOf, parseFields } from './kinds';
import { checkDomain, checkObjectName, LONGEST_DURATION } from './values';
import { CertManagerOptions, KeyAlgorithm } from '../certificate';
import { CA_SECRET_SUFFIX } from '../model/constants';
import type { CertificateConfig } from '../model/model';

const MIN_DURATION_SECONDS = 3600;
const MIN_RENEW_BEFORE_SECONDS = 300;
const FIELDS = fieldsOf<CertManagerOptions>({
  issuerName: true, issuerKind: true, issuerGroup: true, duration: true, renewBefore: true, keyAlgorithm: true, commonName: true,
});
/** Each key algorithm in the notation of cert-manager. */
const KEYS: { readonly [algorithm in KeyAlgorithm]: CertificateConfig['key'] } = {
  [KeyAlgorithm.ECDSA_P256]: { algorithm: 'ECDSA', size: 256 },
  [KeyAlgorithm.ECDSA_P384]: { algorithm: 'ECDSA', size: 384 },
  [KeyAlgorithm.RSA_3072]: { algorithm: 'RSA', size: 3072 },
};

/**
 * Checks the options that cert-manager's webhook would reject, so that the error appears before anything is applied.
 */
export function parseCertificate(where: string, options: CertManagerOptions): CertificateConfig {
  const {
    issuerName, issuerKind = 'ClusterIssuer', issuerGroup = 'cert-manager.io', duration = Duration.hours(24), renewBefore,
    keyAlgorithm = KeyAlgorithm.ECDSA_P256, commonName,
  } = parseFields(where, 'the certificate options', options, FIELDS);
  checkObjectName(where, issuerName, 'issuer');
  checkDomain(where, issuerGroup, 'FED111', 'API group');
  if (typeof issuerKind !== 'string' || !/^[A-Z][A-Za-z0-9]{0,62}$/.test(issuerKind)) {
    fail('FED131', where, `the issuer kind ${show(issuerKind)} is not valid`, 'use ClusterIssuer, Issuer, or the kind of an external issuer');
  }
  if (!Object.keys(KEYS).includes(keyAlgorithm)) {
    fail('FED131', where, `the key algorithm ${show(keyAlgorithm)} is not valid`, 'use a value of KeyAlgorithm');
  }
  checkText(where, 'commonName', commonName);
  if (commonName !== undefined && !/^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(commonName)) {
    fail('FED131', where, `commonName ${show(commonName)} is not valid`, 'use 1 to 64 printable ASCII characters without spaces at the ends');
  }
  checkGiven(where, 'duration', duration, Duration);
  checkOptional(where, 'renewBefore', renewBefore, Duration);
  const durationSeconds = duration.toSeconds({ integral: false });
  const renewBeforeSeconds = renewBefore?.toSeconds({ integral: false });
  if (durationSeconds * 1000 > LONGEST_DURATION) fail('FED131', where, `duration is ${durationSeconds} seconds`, 'use at most 292 years: cert-manager cannot read longer durations');
  if (!Number.isInteger(durationSeconds) || durationSeconds < MIN_DURATION_SECONDS) {
    fail('FED131', where, `duration is ${durationSeconds} seconds`, 'use whole seconds, at least an hour: cert-manager rejects shorter certificates');
  }
  if (renewBeforeSeconds !== undefined && (
    !Number.isInteger(renewBeforeSeconds) || renewBeforeSeconds < MIN_RENEW_BEFORE_SECONDS || renewBeforeSeconds >= durationSeconds)) {
    fail('FED131', where, `renewBefore is ${renewBeforeSeconds} seconds, and duration is ${durationSeconds} seconds`,
      'use whole seconds, at least five minutes and less than duration');
  }
  return {
    issuer: { name: issuerName, kind: issuerKind, group: issuerGroup }, durationSeconds, renewBeforeSeconds, key: KEYS[keyAlgorithm], commonName,
  };
}

/** Checks the name of a Secret with a gateway's certificate and key. */
export function checkCredentialSecret(where: string, secretName: string): void {
  checkObjectName(where, secretName, 'Secret');
  if (secretName.endsWith(CA_SECRET_SUFFIX)) {
    fail('FED111', where, `the Secret name ${show(secretName)} has the suffix of Secrets from which Istio reads CA certificates`,
      `choose a name that does not end in ${CA_SECRET_SUFFIX}`);
  }
}
