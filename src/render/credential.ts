import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { goDuration } from './duration';
import { emit, emitTyped } from './emit';
import {
  Certificate, CertificateSpec, CertificateSpecPrivateKeyAlgorithm, CertificateSpecPrivateKeyRotationPolicy, CertificateSpecUsages,
} from '../../imports/cert-manager.io';
import { CredentialConfig, GatewayConfig, BoundaryConfig } from '../model/model';

/*
 * A gateway certificate that the mesh's own CA does not issue: the Certificate for cert-manager, and access to its
 * Secret. The private key is generated in the cluster and stays there.
 */

/**
 * Creates the Certificate and the Role of one gateway. A gateway that presents the certificate of its own mesh needs
 * neither.
 */
export function renderCredential(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig): void {
  if (gateway.credential === undefined) return;
  if (gateway.credential.certificate) renderCertificate(scope, config, gateway, gateway.credential.secretName, gateway.credential.certificate);
  // The egress gateway mounts its Secret as a volume, so only the kubelet reads it.
  if (gateway.role === 'ingress') renderSecretAccess(scope, gateway);
}

function renderCertificate(
  scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, secretName: string, certificate: NonNullable<CredentialConfig['certificate']>,
): void {
  const { name, namespaceName, serviceAccountName } = gateway;
  emit<CertificateSpec>(scope, Certificate.GVK, { name, namespace: namespaceName }, () => ({
    secretName,
    issuerRef: certificate.issuer,
    duration: goDuration(certificate.durationSeconds),
    renewBefore: certificate.renewBeforeSeconds === undefined ? undefined : goDuration(certificate.renewBeforeSeconds),
    privateKey: {
      algorithm: certificate.key.algorithm as CertificateSpecPrivateKeyAlgorithm,
      size: certificate.key.size,
      rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
    },
    revisionHistoryLimit: 1,
    commonName: certificate.commonName,
    uris: [`spiffe://${config.trustDomain}/ns/${namespaceName}/sa/${serviceAccountName}`],
    usages: [CertificateSpecUsages.CLIENT_AUTH, CertificateSpecUsages.DIGITAL_SIGNATURE, CertificateSpecUsages.SERVER_AUTH],
  }));
}

/**
 * Role for the ingress gateway: istiod sends a Secret to a proxy only if its service account may list the Secrets of
 * the namespace.
 */
function renderSecretAccess(scope: Construct, { name, namespaceName, serviceAccountName }: GatewayConfig): void {
  const named = { name, namespace: namespaceName };
  emitTyped(scope, k8s.KubeRole, named, { rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }] });
  emitTyped(scope, k8s.KubeRoleBinding, named, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccountName, namespace: namespaceName }],
  });
}
