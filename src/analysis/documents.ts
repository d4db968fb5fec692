/*
 * Reading of documents of any origin: every field may be missing or have an unexpected type.
 */

const ISTIO = /^(networking|security|telemetry|extensions)\.istio\.io\//;

export function isIstio({ apiVersion, kind }: any, wanted: string = kind): boolean {
  return kind === wanted && ISTIO.test(apiVersion);
}

export function isCore({ apiVersion }: any): boolean {
  return ['v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1'].includes(apiVersion);
}

export function listOf(value: unknown): any[] {
  return Array.isArray(value) ? value : [];
}
