import { App, Duration } from 'cdk8s';
import { CertManagerOptions, GatewayCredential, KeyAlgorithm, LocalName, LocalService, ServicePort } from '../../src';
import { meshOf } from '../support/meshes';
import { any } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: credentials of boundary gateways. */
export const errors: Rejection[] = [];
const fromCertManager = rejectionsOf(errors, 'GatewayCredential.fromCertManager');
const fromSecret = rejectionsOf(errors, 'GatewayCredential.fromSecret');
const synth = rejectionsOf(errors, SYNTHESIS);

fromCertManager.rejects('FED120', 'a number in place of a certificate duration', () => GatewayCredential.fromCertManager(any({ issuerName: 'ca', duration: 86400 })), 'duration must be of type Duration, not 86400');
const certManager = (options: Partial<CertManagerOptions>) => () => GatewayCredential.fromCertManager({ issuerName: 'boundary-ca', ...options });
fromCertManager.rejects('FED111', 'an issuer with capital letters', certManager({ issuerName: 'Boundary_CA' }), '"Boundary_CA"', 'issuer');
fromCertManager.rejects('FED111', 'an issuer group that is not a valid domain', certManager({ issuerGroup: 'cert manager' }), '"cert manager"', 'API group');
fromSecret.rejects('FED111', 'a Secret that Istio reads as a CA', () => GatewayCredential.fromSecret('partner-cacert'), '"partner-cacert"', '-cacert');
fromSecret.rejects('FED111', 'a reference in place of the name of a Secret', () => GatewayCredential.fromSecret('kubernetes://partner'), 'Secret');
fromCertManager.rejects('FED131', 'an issuer kind that does not exist', certManager({ issuerKind: 'clusterissuer' }), '"clusterissuer"');
fromCertManager.rejects('FED131', 'a common name of 65 characters', certManager({ commonName: 'x'.repeat(65) }), 'commonName "xxx', '64');
fromCertManager.rejects('FED131', 'an empty common name', certManager({ commonName: '' }), 'commonName ""');
fromCertManager.rejects('FED131', 'a common name with a space at its end', certManager({ commonName: 'shop ' }), '"shop "');
fromCertManager.rejects('FED131', 'a common name with a line end', certManager({ commonName: 'shop\nO=bank' }), 'printable');
fromCertManager.rejects('FED131', 'a key algorithm that the gateways do not use', certManager({ keyAlgorithm: 'RSA_1024' as KeyAlgorithm }), '"RSA_1024"');
fromCertManager.rejects('FED131', 'a certificate duration of less than an hour', certManager({ duration: Duration.minutes(59) }), '3540 seconds', 'an hour');
fromCertManager.rejects('FED131', 'a certificate duration with half a second', certManager({ duration: Duration.millis(3_600_500) }), '3600.5 seconds');
fromCertManager.rejects('FED131', 'a renewal less than five minutes before the end', certManager({ renewBefore: Duration.minutes(4) }), '240 seconds', 'five minutes');
fromCertManager.rejects('FED131', 'a renewal before the certificate is issued', certManager({ duration: Duration.hours(2), renewBefore: Duration.hours(2) }), '7200 seconds');
synth.rejects('FED132', 'one Secret for both gateways', () => {
  const app = new App();
  const east = meshOf(app, 'east', { credential: GatewayCredential.fromSecret('partner') });
  const west = meshOf(app, 'west');
  const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(80)] });
  east.addPeer(west);
  west.addPeer(east);
  details.allowFrom(east);
  east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] });
  east.bind('Bound', { source: details, localName: LocalName.newService('details', 'web') });
  app.synth();
}, 'east/Mesh', '"partner"', 'Secret of its own');

/* Objects of fields. */
rejectFields(fromCertManager, 'certificate options', (value) => () => GatewayCredential.fromCertManager(value), { issuerName: 'ca', renewedBefore: 1 }, 'renewedBefore', 'renewBefore');

fromCertManager.rejects('FED131', 'an issuer kind of 64 characters', certManager({ issuerKind: `K${'x'.repeat(63)}` }));
for (const issuerKind of ['my-Issuer', 'my Issuer', 'Issuer.v1', '']) {
  fromCertManager.rejects('FED131', `the issuer kind ${JSON.stringify(issuerKind)}`, certManager({ issuerKind }), JSON.stringify(issuerKind));
}
fromCertManager.rejects('FED131', 'a certificate for 200,000 days', certManager({ duration: Duration.days(200_000) }), '292 years');
