import { prefixOf } from './paths';

/*
 * Spellings of a path that backends treat like another path. Rules without exceptions fail closed on them: an unknown
 * spelling matches no allowed path. An exception fails open, so if rules have exceptions, the routes reject every path
 * that a common backend may read as an excepted path. `lab/internal/folds` lists the spellings of each backend with
 * their source; the lab sends each one to a backend of its kind.
 *
 * The patterns have the RE2 syntax of Envoy and istiod, and match whole paths without their query. They mean the same
 * in JavaScript, except for `(?i)`, which `looksLike` replaces by a flag.
 */

/**
 * Spellings that match a prefix rule but that some backends then read as another path, whatever `pathNormalization` of
 * the mesh leaves of them: a backslash; escapes of control characters, dots, slashes and overlong UTF-8; escapes of
 * such escapes; dot segments, alone (with `NONE` nothing has resolved them), with a parameter (`/..;/`, which servlet
 * containers strip first) or after a blank.
 */
const AMBIGUOUS = [
  '\\\\',
  '%(0[0-9a-fA-F]|1[0-9a-fA-F]|2[eEfF]|5[cC]|7[fF]|[cC][01]|[eE]0%[89]|[fF]0%8)',
  '%25(2[eEfF5%]|5[cC%]|0[0%]|%3)',
  '/\\.\\.?([/;%]|$)',
  '%20\\.\\.?([/;%]|$)',
];

/**
 * Spellings that are rejected if rules have exceptions: the ones above, and also repeated slashes; path parameters;
 * escapes of characters that need none; escapes of any escape; invalid escapes (`%u0064`); long s and Kelvin sign,
 * which case conversion turns into ASCII letters; session segments of ASP.NET.
 */
const FOLDABLE = [
  '\\\\',
  '//',
  ';|%3[bB]',
  '%[01][0-9a-fA-F]',
  '%(2[dDeEfF]|3[0-9]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aAeEfF])',
  '%([cC][01]|[eE]0%[89]|[fF]0%8)',
  '%[cC]5%[bB][fF]|%[eE]2%84%[aA]{2}',
  '%25[0-9a-fA-F]{2}',
  '%([^0-9a-fA-F]|[0-9a-fA-F]([^0-9a-fA-F]|$)|$)',
  '/\\.\\.?(/|%|$)',
  '%20\\.\\.?(/|%|$)',
  '(\\(|%28)[A-Za-z](\\(|%28)',
];

/** Pattern of paths that are rejected before any rule with paths. */
export const AMBIGUOUS_PATH = containing(AMBIGUOUS);

/** Pattern of paths that are rejected before the rules if one of them has exceptions. */
export const FOLDABLE_PATH = containing(FOLDABLE);

/**
 * Pattern of a `:path` whose path is printable ASCII and whose query is UTF-8. The patterns above read UTF-8, so they
 * may not match a path with an invalid byte.
 */
export const PRINTABLE = '[!-~]*(\\?.*)?';

/** Blanks before a segment, which frameworks trim. */
const BEFORE = '(%20|\\+)*';
/** Blanks and dots after a segment, which Windows and trimming frameworks drop. */
const AFTER = '(%20|[+.])*';
/** A stream of NTFS. */
const STREAM = '((:|%3a)[^/]*)?';
/** An escaped query or fragment: a server that decodes the path for the next server cuts it off there. */
const QUERY = '((#|%3f|%23).*)?';
/** Suffixes of a whole path that do not change its meaning: a format (Rails, Spring), a stream, a query. */
const FORMAT = `([.:][^/]*|%3a[^/]*)?${QUERY}`;
/** A slash, and the index file that servers send for a directory. */
const DIRECTORY = `(/${AFTER}((index|default)\\.[^/]*/?)?${QUERY})?`;

/**
 * Pattern of all paths that FOLDABLE_PATH does not match and that some backend reads as a path of an excepted pattern,
 * including these paths themselves. An exception `/a/b/*` covers `/a/b` as well, which most frameworks treat like
 * `/a/b/`.
 */
export function spellingsOf(excepted: string): string {
  const below = prefixOf(excepted);
  const segments = (below ?? excepted).split('/').filter((segment) => segment !== '');
  const last = segments.at(-1) ?? '';
  const before = segments.slice(0, -1).map((segment) => `/${BEFORE}${inAnyCase(segment)}${AFTER}${STREAM}`).join('');
  if (below !== undefined) return `(?i)${before}/${BEFORE}${inAnyCase(last)}${AFTER}(${STREAM}(/.*)?|${FORMAT}/?)`;
  const name = /^([^.]+)(\.[A-Za-z][A-Za-z0-9]*)+$/.exec(last)?.[1];
  // Apache serves `secret.html` for `secret`; Rails and Spring run the action of `secret` for `secret.json`.
  const named = `/${BEFORE}${inAnyCase(name ?? last)}${AFTER}${FORMAT}`;
  if (segments.length === 0 || /^(index|default)$/i.test(name ?? '')) return `(?i)${before}(${segments.length === 0 ? '' : named})?${DIRECTORY}`;
  // A script runs for every path below it (PATH_INFO of CGI, PHP and ASP.NET).
  return `(?i)${before}${named}${name === undefined ? DIRECTORY : '(/.*)?'}`;
}

/** Whether a path, or every path of a prefix pattern, is a spelling of an excepted pattern. */
export function looksLike(excepted: string, pattern: string): boolean {
  const below = prefixOf(pattern);
  return new RegExp(`^(${spellingsOf(excepted).replace('(?i)', '')})$`, 'i').test(below === undefined ? pattern : `${below}"/"`); // in no pattern
}

/** Whether some path may be a spelling of both patterns, or a spelling of one that lies inside the other. */
export function mayMeet(one: string, other: string): boolean {
  const [a, b] = [one, other].map((pattern) => (prefixOf(pattern) ?? pattern).toLowerCase().replace(/(\.[^/]*|\/(index|default)\.[^/]*)?\/?$/, ''));
  return a.startsWith(b) || b.startsWith(a);
}

/** Whether a path pattern would be rejected itself as soon as a rule has exceptions. */
export function isFoldable(pattern: string): boolean {
  return new RegExp(`^(${FOLDABLE_PATH})$`).test(prefixOf(pattern) ?? pattern);
}

/** Pattern of texts that contain one of the alternatives. */
function containing(alternatives: string[]): string {
  return `.*(${alternatives.join('|')}).*`;
}

/**
 * Pattern of a segment, each character literal or escaped. For Java's equalsIgnoreCase, the dotless and the dotted i
 * equal `i`.
 */
function inAnyCase(segment: string): string {
  return [...segment].map((char) => {
    if (/[iI]/.test(char)) return '(i|%c4%b[01])';
    if (/[A-Za-z0-9_~-]/.test(char)) return char;
    if (char === '.') return '\\.';
    const escaped = `%${char.charCodeAt(0).toString(16)}`;
    return `(${/[!&',=:@]/.test(char) ? char : `\\${char}`}|${escaped})`;
  }).join('');
}
