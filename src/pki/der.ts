/*
 * A parser for the part of DER that revocation lists and private keys use: Node.js parses certificates, but neither
 * revocation lists nor keys of algorithms that its OpenSSL does not know.
 */

/** A DER value: its tag, its content, and all of its bytes. */
export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

export const SEQUENCE = 0x30;
export const BIT_STRING = 0x03;
export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
/** The tag of the optional field `[n]` of a sequence. */
export const context = (n: number) => 0xa0 + n;

/** Reads consecutive values. Throws a RangeError if the bytes are not valid DER. */
export function readAll(bytes: Buffer): Der[] {
  const values: Der[] = [];
  for (let rest = bytes; rest.length > 0; rest = rest.subarray(values.at(-1)!.whole.length)) values.push(readFirst(rest));
  return values;
}

/** Reads the values inside a value with the given tag. */
export function inside(value: Der | undefined, tag: number): Der[] {
  if (value?.tag !== tag) throw new RangeError(`tag ${value?.tag} and not ${tag}`);
  return readAll(value.content);
}

/** The bytes of a bit string without unused bits. */
export function bits(value: Der | undefined): Buffer {
  if (value?.tag !== BIT_STRING) throw new RangeError('no bit string');
  return value.content.subarray(1);
}

/** Reads the first value, whatever follows. */
export function readFirst(bytes: Buffer): Der {
  const short = bytes.readUInt8(1);
  const more = short < 0x80 ? 0 : short - 0x80;
  if (more > 4) throw new RangeError('length of more than four bytes');
  const length = more === 0 && short < 0x80 ? short : bytes.readUIntBE(2, more);
  const start = 2 + more;
  if (start + length > bytes.length) throw new RangeError('longer than its bytes');
  return { tag: bytes.readUInt8(0), content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}
