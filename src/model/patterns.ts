/** A regular expression (RE2) that matches exactly these values. */
export function patternOf(values: readonly string[]): string {
  return values.map((value) => value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')).join('|');
}
