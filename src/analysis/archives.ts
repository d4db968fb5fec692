import { gunzipSync, inflateRawSync, inflateSync } from 'zlib';

/*
 * Contents of compressed bytes and archives, as far as Node.js can read them: gzip, zlib, zip and tar.
 */

/** The contents of compressed bytes or of an archive, each of at most this size. */
export function unpacked(bytes: Buffer, maxSize: number): Buffer[] {
  const options = { maxOutputLength: Math.max(1, maxSize) };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return attempt(() => gunzipSync(bytes, options));
  if (bytes[0] === 0x78 && bytes.length > 2 && bytes.readUInt16BE(0) % 31 === 0) return attempt(() => inflateSync(bytes, options));
  if (bytes.toString('latin1', 0, ZIP_ENTRY.length) === ZIP_ENTRY) return zipEntries(bytes).flatMap((entry) => attempt(() => contentOf(entry, options)));
  return bytes.subarray(257, 262).toString('latin1') === 'ustar' ? tarEntries(bytes) : [];
}

function attempt(content: () => Buffer): Buffer[] {
  try {
    return [content()];
  } catch {
    return []; // other bytes that begin like these, or a content that is too large
  }
}

const ZIP_ENTRY = 'PK\x03\x04';
/** Where a part of a zip file begins: an entry, what follows it, or the directory at the end, which is not needed. */
const ZIP_PARTS = /(?=PK(?:\x01\x02|\x03\x04|\x05\x06|\x07\x08))/;

/** The entries of a zip file with their headers. */
function zipEntries(bytes: Buffer): Buffer[] {
  return bytes.toString('latin1').split(ZIP_PARTS).filter((part) => part.startsWith(ZIP_ENTRY)).map((part) => Buffer.from(part, 'latin1'));
}

function contentOf(entry: Buffer, options: { maxOutputLength: number }): Buffer {
  const content = entry.subarray(30 + entry.readUInt16LE(26) + entry.readUInt16LE(28));
  const isStored = entry.readUInt16LE(8) === 0;
  return isStored ? content : inflateRawSync(content, options);
}

const TAR_BLOCK = 512;

function tarEntries(bytes: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let from = 0; from + TAR_BLOCK < bytes.length;) {
    const size = parseInt(bytes.toString('latin1', from + 124, from + 136), 8) || 0;
    const start = from + TAR_BLOCK;
    entries.push(bytes.subarray(start, start + size));
    from = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  return entries;
}
