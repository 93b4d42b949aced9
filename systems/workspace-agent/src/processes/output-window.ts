/**
 * Which bytes of an output are kept, and which of them an answer shows: a head and a tail. Offsets
 * count all bytes that were written. Pure.
 */

export type OutputLimits = {
  /** Kept from the beginning; whole pages of a disk. */
  readonly headBytesMax: number;
  /** Kept from the end. */
  readonly tailBytesMax: number;
  /** Kept beyond that before it is cut, so that cuts are few. */
  readonly slackBytesMax: number;
};

/** What was left out: everything from the end of the head to here. 0: nothing. */
export type CutEnd = number;

const PAGE_BYTES = 4_096;

/** Where the tail should begin, or null where there is nothing to cut. */
export function nextCut(
  size: number,
  cutEnd: CutEnd,
  { headBytesMax, tailBytesMax, slackBytesMax }: OutputLimits,
): CutEnd | null {
  const keptFrom = Math.max(cutEnd, headBytesMax);
  if (size - keptFrom <= tailBytesMax + slackBytesMax) return null;
  const next = Math.floor((size - tailBytesMax) / PAGE_BYTES) * PAGE_BYTES;
  return next > keptFrom ? next : null;
}

export function keptBytesOf(size: number, cutEnd: CutEnd, headBytesMax: number): number {
  return cutEnd === 0 ? size : headBytesMax + size - cutEnd;
}

/** Both halves, as offsets: `[0, headEnd)` and `[tailStart, size)`. Equal: nothing is left out. */
export type OutputWindow = { readonly headEnd: number; readonly tailStart: number };

export function chooseWindow(
  size: number,
  cutEnd: CutEnd,
  maxBytes: number,
  headBytesMax: number,
): OutputWindow {
  if (cutEnd === 0 && size <= maxBytes) return { headEnd: size, tailStart: size };
  const headShare = Math.ceil(maxBytes / 2);
  const headEnd = cutEnd === 0 ? headShare : Math.min(headShare, headBytesMax);
  const tailStart = Math.max(size - (maxBytes - headShare), cutEnd, headEnd);
  return { headEnd, tailStart };
}

/** Bytes of a character that has begun and is not whole at the end of these. */
export function openEndBytes(bytes: Uint8Array): number {
  // A character has at most four bytes; the first says how many.
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    return characterBytes(byte) > back ? back : 0;
  }
  return 0;
}

/** Bytes at the start of these that belong to a character before them. */
export function openStartBytes(bytes: Uint8Array): number {
  let count = 0;
  while (count < Math.min(3, bytes.length) && isContinuation(bytes[count] ?? 0)) count += 1;
  return count;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function characterBytes(first: number): number {
  if (first >= 0xf0 && first < 0xf8) return 4;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xc0 && first < 0xe0 ? 2 : 1;
}
