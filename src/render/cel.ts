/*
 * Literals of the Common Expression Language (CEL), in which admission policies are written.
 */

/** Code points of one expression. The parser of the API server rejects an expression of more than 100,000. */
const LARGEST_LITERAL = 90_000;

/** A named expression of a policy. */
export interface CelVariable {
  readonly name: string;
  readonly expression: string;
}

/** A CEL string. Names, labels and hosts contain no quotes: they were checked as DNS names and label values. */
export function celText(text: string): string {
  return `'${text}'`;
}

/** A CEL list of CEL expressions. */
export function celList(items: string[]): string {
  return `[${items.join(',\n ')}]`;
}

/** A CEL map of strings. */
export function celMap(entries: { [key: string]: string }): string {
  return celMapOf(Object.entries(entries).map(([key, value]) => [key, celText(value)]));
}

/** A CEL map whose values are CEL expressions. */
export function celMapOf(entries: [key: string, value: string][]): string {
  return `{${entries.map(([key, value]) => `${celText(key)}: ${value}`).join(', ')}}`;
}

/**
 * Variables for a list that grows with the declarations: `<name>1`, `<name>2`, … are literals with a part of the items
 * each, and `<name>` is the list of all of them. The API server evaluates such a literal when it compiles the policy, so
 * its size costs nothing when an object is checked (docs/adr/0040).
 */
export function celParts<Item>(name: string, items: Item[], sizeOf: (item: Item) => number, literal: (part: Item[]) => string): CelVariable[] {
  const parts: Item[][] = [];
  let room = 0;
  for (const item of items) {
    if (room < sizeOf(item)) {
      parts.push([]);
      room = LARGEST_LITERAL;
    }
    parts[parts.length - 1].push(item);
    room -= sizeOf(item);
  }
  const variables = parts.map((part, index) => ({ name: `${name}${index + 1}`, expression: literal(part) }));
  return [...variables, { name, expression: celList(variables.map((part) => `variables.${part.name}`)) }];
}
