/** A valid Kubernetes quantity as a number: bytes of memory (`512Mi`), or CPUs (`100m`). */
export function amountOf(quantity: string): number {
  const [, digits, suffix = ''] = /^([0-9.]+)(.*)$/.exec(quantity)!;
  if (suffix === 'm') return Number(digits) / 1000;
  const power = ' kMGTPE'.indexOf(suffix.replace('i', '').replace('K', 'k') || ' ');
  return Number(digits) * (suffix.endsWith('i') ? 1024 : 1000) ** power;
}
