/** Milliseconds as a duration of Istio and Envoy: `30s`, or `1500ms`. */
export function durationText(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/**
 * Seconds as a Go duration (`2160h0m0s`), as cert-manager writes it: an applied Certificate then differs in nothing
 * from the manifest.
 */
export function goDuration(seconds: number): string {
  return `${Math.floor(seconds / 3600)}h${Math.floor(seconds / 60) % 60}m${seconds % 60}s`;
}
