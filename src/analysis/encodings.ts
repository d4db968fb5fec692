/*
 * Bytes that a text holds in an encoding: base64, hexadecimal and decimal, in any lines. Each function reads a text once,
 * and what it returns is at most a few times as long as the text.
 */

const ESCAPES = /(?<!\\)\\+(?:u00([0-9a-f]{2})|x([0-9a-f]{2})|([nrt])|(["'/]))|%([0-9a-f]{2})|&#x0*([0-9a-f]{1,2});|&#0*(\d{1,3});/gi;

/** A text without the escapes of JSON, programming languages, URLs and XML. UTF-16 loses its zero bytes. */
export function unescaped(text: string): string {
  const narrow = text.includes('\0') ? text.replaceAll('\0', '') : text;
  if (!/[\\%]|&#/.test(narrow)) return narrow;
  return narrow.replace(ESCAPES, (_, unicode, byte, space, quote, percent, hex, decimal) => {
    if (space !== undefined) return '\n';
    return quote ?? String.fromCharCode(decimal === undefined ? parseInt(unicode ?? byte ?? percent ?? hex, 16) : Number(decimal));
  });
}

/** No private key is shorter, in any encoding. */
export const SHORTEST_TEXT = 24;
/** Characters of base64 and base64url. */
const WORD = /[\w+/-]+={0,2}/g;
const HEX = /^(?:0x)?([0-9a-f]+)$/i;
/** How DER of a private key, OpenSSH and PEM begin in base64, behind a word without a space between them. */
const KEY_IN_BASE64 = /MI[GH].AgE[AB]|MII..[AQgw]IBA|M[A-H][AEIMQUYcgkosw048]CAQ|b3BlbnNzaC1rZXktdjE|LS0tLS1CRUdJTi/g;
/** A line without its end is missing at most. What follows a key does not matter. */
const MISSING = Buffer.alloc(64);

/** The bytes of each word of a text that may be base64 or hexadecimal, and of words that are lines of one. */
export function encodedIn(text: string): Buffer[] {
  const words = (text.match(WORD) ?? []).filter((word) => word.length >= SHORTEST_TEXT);
  return [...words.flatMap(decoded), ...joinedLines(text).flatMap(decoded).map((bytes) => Buffer.concat([bytes, MISSING]))];
}

function decoded(word: string): Buffer[] {
  const hex = HEX.exec(word)?.[1];
  const begin = [...word.matchAll(KEY_IN_BASE64)].find(({ index }) => index > 0)?.index;
  return [
    ...hex === undefined || hex.length % 2 > 0 ? [] : [Buffer.from(hex, 'hex')],
    Buffer.from(word, 'base64'),
    ...begin === undefined ? [] : [Buffer.from(word.slice(begin), 'base64')],
  ];
}

/** A line of base64 in a longer text has at least this length, but the last one. */
const SHORTEST_LINE = 16;
/** Lines of at least this length belong together whatever the lengths of others are. */
const LONG_LINE = 40;
/** Space between two lines of base64. */
const LINE_END = /^[ \t]*\r?\n[\s>|#*-]{0,80}$/;
/** Longest text between two lines: indentation, quotes, signs of comments, line numbers, or what a log has in front of each line. */
const MAX_GAP = 100;
/** Signs in front of a line, which base64 may contain as well. */
const SIGNS = /^[+/_-]{1,4}$/;

/** Words of the same length, or on lines of their own, as one word each. */
function joinedLines(text: string): string[] {
  const joined: string[] = [];
  let [lines, last, end]: [string[], string, number] = [[], '', 0];
  const finish = () => {
    if (lines.length > 1 || last !== '' && (lines[0]?.length ?? 0) >= LONG_LINE) joined.push(lines.join('') + last);
  };
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (SIGNS.test(word)) continue;
    const before = lines.at(-1)?.length ?? 0;
    const isNear = before > 0 && index - end <= MAX_GAP;
    const isLine = word.length >= SHORTEST_LINE;
    if (isNear && isLine && (word.length === before || before >= LONG_LINE && LINE_END.test(text.slice(end, index)))) {
      lines.push(word);
      last = '';
      end = index + word.length;
    } else if (isLine) {
      if (isNear && last === '') last = word;
      finish();
      [lines, last, end] = [[word], '', index + word.length];
    } else if (isNear && last === '') {
      last = word;
    }
  }
  finish();
  return joined;
}

/** Characters of bytes in hexadecimal: `30:81`, `30-81`, `0x30, 0x81`, `\x30\x81`. */
const SEPARATED_HEX = /[\da-fx\\:;,\s-]{48,}/gi;
/** Characters of bytes as decimal numbers, also with signs. */
const DECIMALS = /[\d,\s-]{48,}/g;
/** Lines of `xxd`, `hexdump -C` and `od`: an address, 16 bytes, and perhaps their characters. */
const DUMP_LINE = /^[ \t]*[0-9a-f]{6,8}:?[ \t]{1,4}((?:[0-9a-f]{2,4}(?: {1,2}|$)){1,16})/gim;
/** How DER of a private key, PEM and OpenSSH begin in hexadecimal, behind other digits. */
const KEY_IN_HEX = /30(?:[0-7].|81..|82.{4})02010[01]|2d2d2d2d2d424547494e|6f70656e7373682d6b6579/i;

/** The bytes that a text lists one by one. */
export function listedIn(text: string): Buffer[] {
  const dump = [...text.matchAll(DUMP_LINE)].map(([, line]) => line.replace(/ /g, '').slice(0, 32)).join('');
  const separated = (text.match(SEPARATED_HEX) ?? []).map((list) => list.replace(/0x|[x\\:;,\s-]/gi, ''));
  const decimals = (text.match(DECIMALS) ?? []).map((list) => list.split(',')).filter(({ length }) => length >= SHORTEST_TEXT)
    .map((numbers) => Buffer.from(numbers.map(Number)));
  return [...[dump, ...separated].filter((digits) => digits.length >= 2 * SHORTEST_TEXT).flatMap(ofHex), ...decimals];
}

function ofHex(hex: string): Buffer[] {
  const begin = hex.search(KEY_IN_HEX);
  return [Buffer.from(hex, 'hex'), ...begin > 0 ? [Buffer.from(hex.slice(begin), 'hex')] : []];
}
