/** Matches a quantifier such as `*`, `+?` or `{1,3}` at the start of a text. */
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

/** A group of a regular expression, or the whole expression, with the positions of its alternatives. */
interface Group {
  /** Position of the first alternative. */
  readonly start: number;
  /** Positions of its `|`. */
  readonly bars: number[];
}

/**
 * Returns the sources of regular expressions that differ from a given one in a single part: an anchor, a quantifier or an alternative is
 * removed, or a class or a look-around is negated.
 */
export function regexVariants(source: string): string[] {
  const variants: string[] = [];
  const cut = (start: number, end: number, text = '') => variants.push(source.slice(0, start) + text + source.slice(end));
  const groups: Group[] = [{ start: 0, bars: [] }];
  const alternatives = ({ start, bars }: Group, end: number) => {
    if (bars.length === 0) return;
    const begins = [start, ...bars.map((bar) => bar + 1)];
    // An alternative is removed with its bar: the one behind it, or for the last alternative the one before it.
    begins.forEach((begin, i) => i < bars.length ? cut(begin, begins[i + 1]) : cut(begin - 1, end));
  };
  for (let i = 0; i < source.length; i++) {
    const quantifier = i > 0 ? QUANTIFIER.exec(source.slice(i)) : null;
    if (source[i] === '\\') {
      i++;
    } else if (source[i] === '[') {
      if (source[i + 1] === '^') cut(i + 1, i + 2);
      else cut(i + 1, i + 1, '^');
      i = endOfClass(source, i);
    } else if (source[i] === '^' || source[i] === '$') {
      cut(i, i + 1);
    } else if (source[i] === '(') {
      const opening = /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(source.slice(i))![0];
      const look = opening.at(-1)!;
      if (opening.length > 2 && (look === '=' || look === '!')) cut(i + opening.length - 1, i + opening.length, look === '=' ? '!' : '=');
      groups.push({ start: i + opening.length, bars: [] });
      i += opening.length - 1;
    } else if (source[i] === ')') {
      alternatives(groups.pop()!, i);
    } else if (source[i] === '|') {
      groups.at(-1)!.bars.push(i);
    } else if (quantifier) {
      cut(i, i + quantifier[0].length);
      i += quantifier[0].length - 1;
    }
  }
  alternatives(groups[0], source.length);
  return variants.filter((variant) => variant !== '' && isRegex(variant));
}

/** Returns the position of the closing bracket of the class that starts at a position. */
function endOfClass(source: string, start: number): number {
  let end = start + 1;
  while (end < source.length && source[end] !== ']') end += source[end] === '\\' ? 2 : 1;
  return end;
}

function isRegex(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}
