/**
 * The program that finds the ends of strings, in the binary format of WebAssembly. Written out instruction by
 * instruction, so that it can be read here and no tool has to make it.
 *
 * next(from, to): looks for quotes in 32 bytes at a time, then in single ones; a quote after an odd number of
 * backslashes is passed over.
 */

const I32 = 0x7f;
const V128 = 0x7b;
const NO_VALUE = 0x40;

/** Locals: the parameters first. */
const FROM = 0;
const TO = 1;
/** Of 32 bytes, a bit for each quote. */
const QUOTES = 2;
const AT = 3;
/** Where the backslashes before `AT` begin. */
const RUN = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
/** Below 64: one byte of the signed encoding. */
const small = (value: number): number[] => [0x41, value];
/** Up to 127, of two bytes. */
const byte = (value: number): number[] => [0x41, value | 0x80, 0];
const ADD = 0x6a;
const SUBTRACT = 0x6b;
const AND = 0x71;
const OR = 0x72;
const SHIFT_LEFT = 0x74;
const TRAILING_ZEROS = 0x68;
const IS_ZERO = 0x45;
const IS_EQUAL = 0x46;
const IS_AT_MOST = 0x4d;
const IS_AT_LEAST = 0x4f;
const IS_ABOVE = 0x4b;
const RETURN = 0x0f;
const END = 0x0b;
const LOAD_BYTE = [0x2d, 0, 0];
const block = (...code: (number | number[])[]): number[] => [0x02, NO_VALUE, ...code.flat(), END];
const loop = (...code: (number | number[])[]): number[] => [0x03, NO_VALUE, ...code.flat(), END];
const when = (...code: (number | number[])[]): number[] => [0x04, NO_VALUE, ...code.flat(), END];
/** To the end of a block, or the begin of a loop, so many levels out. */
const jump = (levels: number): number[] => [0x0c, levels];
const jumpIf = (levels: number): number[] => [0x0d, levels];

/** A bit for each quote among the 16 bytes at `AT + offset`. */
const quotesAt = (offset: number): number[] => [
  ...get(AT),
  ...[0xfd, 0x00, 0, offset], // v128.load
  ...[0xfd, 0x0c, ...Array.from({ length: 16 }, () => QUOTE)], // v128.const
  ...[0xfd, 0x23], // i8x16.eq
  ...[0xfd, 0x64], // i8x16.bitmask
];

/** `RUN`: the begin of the backslashes that end before it, none before `FROM`. */
const FIND_RUN = loop(
  [...get(RUN), ...get(FROM), IS_ABOVE],
  when(
    [...get(RUN), ...small(1), SUBTRACT, ...LOAD_BYTE, ...byte(BACKSLASH), IS_EQUAL],
    when([...get(RUN), ...small(1), SUBTRACT, ...set(RUN)], jump(2)),
  ),
);

const NEXT = [
  [...get(FROM), ...set(AT)],
  block(
    loop(
      block(
        loop(
          [...get(AT), ...small(32), ADD, ...get(TO), IS_AT_MOST],
          when(
            [...quotesAt(0), ...quotesAt(16), ...small(16), SHIFT_LEFT, OR, ...tee(QUOTES)],
            jumpIf(2),
            [...get(AT), ...small(32), ADD, ...set(AT)],
            jump(1),
          ),
        ),
        loop(
          [...get(AT), ...get(TO), IS_AT_LEAST, ...jumpIf(3)],
          [...small(1), ...set(QUOTES)],
          [...get(AT), ...LOAD_BYTE, ...small(QUOTE), IS_EQUAL, ...jumpIf(1)],
          [...get(AT), ...small(1), ADD, ...set(AT)],
          jump(0),
        ),
      ),
      [...get(AT), ...get(QUOTES), TRAILING_ZEROS, ADD, ...tee(AT), ...set(RUN)],
      FIND_RUN,
      [...get(AT), ...get(RUN), SUBTRACT, ...small(1), AND, IS_ZERO],
      when(get(AT), RETURN),
      [...get(AT), ...small(1), ADD, ...tee(AT), ...set(FROM)],
      jump(0),
    ),
  ),
  [...get(TO), ...set(RUN)],
  FIND_RUN,
  [...get(TO), ...get(TO), ...get(RUN), SUBTRACT, ...small(1), AND, ADD, END],
].flat();

/** Two kinds of locals beside the parameters. */
const BODY = [2, ...[3, I32], ...[1, V128], ...NEXT];

const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
/** The lengths of these sections and of the code are below 16,384. */
const length = (bytes: number): number[] =>
  bytes < 0x80 ? [bytes] : [(bytes & 0x7f) | 0x80, bytes >> 7];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...length(content.length),
  ...content,
];

export const PROGRAM = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 2, I32, I32, 1, I32]), // One type: (from, to) to where.
  ...section(3, [1, 0]), // One function of it.
  ...section(5, [1, 1, 1, 1]), // One memory of 64 kB, for good.
  ...section(7, [2, ...name("memory"), 2, 0, ...name("next"), 0, 0]),
  ...section(10, [1, ...length(BODY.length), ...BODY]),
]);
