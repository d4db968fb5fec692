/*
 * API groups of Istio's kinds, for objects that are not written here: those of other owners, which the admission policy
 * and BoundaryValidation judge.
 */

export const NETWORKING = 'networking.istio.io';
export const EXTENSIONS = 'extensions.istio.io';
export const SECURITY = 'security.istio.io';
export const TELEMETRY = 'telemetry.istio.io';
