import { prefixOf } from './paths';

/*
 * Spellings of a path that backends fold into another one. A rule without exceptions fails closed on them: a spelling that it does not know
 * matches nothing. An exception fails open, so where there are exceptions the routes refuse whatever a common backend may read as an excepted
 * path. What each backend folds, with its source, is in `lab/internal/folds`; the lab sends a spelling for each to a backend of each kind.
 *
 * The patterns are in the RE2 syntax that Envoy and istiod take, and match whole paths without their query. JavaScript reads the same from them
 * but for `(?i)`, which `looksLike` replaces by a flag.
 */

/**
 * Spellings that pass a prefix rule and that some backends read afterwards as another path, whatever the mesh's `pathNormalization` leaves
 * of them: a backslash; control characters, dots, slashes and overlong UTF-8 as escapes; escapes of such escapes; dot segments, alone
 * (with `NONE` nobody has resolved them), with a parameter (`/..;/`, which servlet containers strip first) or after a blank.
 */
const AMBIGUOUS = [
  '\\\\',
  '%(0[0-9a-fA-F]|1[0-9a-fA-F]|2[eEfF]|5[cC]|7[fF]|[cC][01]|[eE]0%[89]|[fF]0%8)',
  '%25(2[eEfF5%]|5[cC%]|0[0%]|%3)',
  '/\\.\\.?([/;%]|$)',
  '%20\\.\\.?([/;%]|$)',
];

/**
 * The same where rules have exceptions, and moreover: repeated slashes; path parameters; escapes of what needs none; escapes of any escape;
 * escapes that are none (`%u0064`); long s and Kelvin sign, which are letters of ASCII in another case; ASP.NET's session segments.
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

/** Paths that no rule is asked about. */
export const AMBIGUOUS_PATH = anywhere(AMBIGUOUS);

/** Paths that no rule is asked about where one of them has exceptions. */
export const FOLDABLE_PATH = anywhere(FOLDABLE);

/**
 * A `:path` whose path is printable ASCII, and whose query is UTF-8. The patterns above read UTF-8, so they could not see what stands beside a
 * byte that is none.
 */
export const PRINTABLE = '[!-~]*(\\?.*)?';

/** What is left of blanks and dots at either end of a segment, which Windows and trimming frameworks drop; a stream of NTFS. */
const BEFORE = '(%20|\\+)*';
const AFTER = '(%20|[+.])*';
const STREAM = '((:|%3a)[^/]*)?';
/** A query or fragment that was escaped: who decodes the path for the next server cuts it off there. */
const QUERY = '((#|%3f|%23).*)?';
/** What may follow a whole path that means the same: a format (Rails, Spring), a stream, a query. */
const FORMAT = `([.:][^/]*|%3a[^/]*)?${QUERY}`;
/** A slash, and the file that servers answer with for a directory. */
const DIRECTORY = `(/${AFTER}((index|default)\\.[^/]*/?)?${QUERY})?`;

/**
 * All paths that FOLDABLE_PATH lets through and that some backend reads as one of an excepted pattern, itself included. An exception of all
 * paths below `/a/b/` closes `/a/b` as well, which most frameworks take for the same.
 */
export function spellingsOf(excepted: string): string {
  const below = prefixOf(excepted);
  const segments = (below ?? excepted).split('/').filter((segment) => segment !== '');
  const last = segments.at(-1) ?? '';
  const before = segments.slice(0, -1).map((segment) => `/${BEFORE}${inAnyCase(segment)}${AFTER}${STREAM}`).join('');
  if (below !== undefined) return `(?i)${before}/${BEFORE}${inAnyCase(last)}${AFTER}(${STREAM}(/.*)?|${FORMAT}/?)`;
  const name = /^([^.]+)(\.[A-Za-z][A-Za-z0-9]*)+$/.exec(last)?.[1];
  // Apache finds `secret.html` for `secret`, Rails and Spring find the action of `secret` for `secret.json`.
  const named = `/${BEFORE}${inAnyCase(name ?? last)}${AFTER}${FORMAT}`;
  if (segments.length === 0 || /^(index|default)$/i.test(name ?? '')) return `(?i)${before}(${segments.length === 0 ? '' : named})?${DIRECTORY}`;
  // A script is run for whatever stands below it (PATH_INFO of CGI, PHP and ASP.NET).
  return `(?i)${before}${named}${name === undefined ? DIRECTORY : '(/.*)?'}`;
}

/** Whether a path, or every path of a prefix pattern, is a spelling of an excepted pattern. */
export function looksLike(excepted: string, pattern: string): boolean {
  const below = prefixOf(pattern);
  return new RegExp(`^(${spellingsOf(excepted).replace('(?i)', '')})$`, 'i').test(below === undefined ? pattern : `${below}"/"`); // in no pattern
}

/** Whether some path may be a spelling of both patterns, or a spelling of one inside the other. */
export function mayMeet(one: string, other: string): boolean {
  const [a, b] = [one, other].map((pattern) => (prefixOf(pattern) ?? pattern).toLowerCase().replace(/(\.[^/]*|\/(index|default)\.[^/]*)?\/?$/, ''));
  return a.startsWith(b) || b.startsWith(a);
}

/** Whether a path that is written so would be refused wherever a rule has exceptions. */
export function isFoldable(pattern: string): boolean {
  return new RegExp(`^(${FOLDABLE_PATH})$`).test(prefixOf(pattern) ?? pattern);
}

function anywhere(alternatives: string[]): string {
  return `.*(${alternatives.join('|')}).*`;
}

/** The characters of a segment as they stand or escaped; the dotless and the dotted i are an `i` to Java's equalsIgnoreCase. */
function inAnyCase(segment: string): string {
  return [...segment].map((char) => {
    if (/[iI]/.test(char)) return '(i|%c4%b[01])';
    if (/[A-Za-z0-9_~-]/.test(char)) return char;
    if (char === '.') return '\\.';
    const escaped = `%${char.charCodeAt(0).toString(16)}`;
    return `(${/[!&',=:@]/.test(char) ? char : `\\${char}`}|${escaped})`;
  }).join('');
}
