/** Inputs for the simulations of the two scanners: mostly right, oddly written, often damaged. */
import type { SeededDraws } from "./seeded-draws.ts";

/** A JSON object in odd but right spelling. */
export function simulateObject(draws: SeededDraws): string {
  const members = Array.from({ length: draws.below(5) }, () => member(draws, 0));
  return `${space(draws)}{${space(draws)}${members.join(`,${space(draws)}`)}}${space(draws)}`;
}

/** Sometimes as it is, mostly with a few bytes changed, dropped, doubled or cut off. */
export function damage(draws: SeededDraws, bytes: Uint8Array): Uint8Array {
  let damaged = [...bytes];
  for (let count = draws.below(4); 0 < count; count -= 1) {
    const at = draws.below(damaged.length + 1);
    switch (draws.below(4)) {
      case 0:
        damaged.splice(at, 1);
        break;
      case 1:
        damaged.splice(at, draws.below(2), draws.pick(TELLING_BYTES));
        break;
      case 2:
        damaged.splice(at, 0, ...damaged.slice(at, at + draws.below(6)));
        break;
      default:
        if (draws.once(4)) damaged = damaged.slice(0, at);
        else damaged.splice(at, 1, draws.below(256));
    }
  }
  return Uint8Array.from(damaged);
}

/** A stream of server-sent events out of the pieces that parsers stumble over. */
export function simulateEvents(draws: SeededDraws): Uint8Array {
  const pieces = Array.from({ length: draws.below(24) }, () => draws.pick(EVENT_PIECES));
  return Uint8Array.from(pieces.flatMap((piece) => [...UTF8.encode(piece)]));
}

/** The same bytes in chunks; sometimes of one byte each. */
export function cutIntoChunks(draws: SeededDraws, bytes: Uint8Array): Uint8Array[] {
  const bytesMax = draws.pick([1, 2, 5, 64, bytes.length + 1]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + draws.below(bytesMax);
    chunks.push(bytes.slice(at, end));
    at = end;
  }
  return chunks;
}

/** The members that the simulation asks for come often, spelled in several ways, and twice. */
export const SIMULATED_NAMES = ["model", "stream", "messages", 'a"b'];

const UTF8 = new TextEncoder();
const DEPTH_MAX = 4;
const KEYS = [
  '"model"',
  '"mod\\u0065l"',
  '"stream"',
  '"messages"',
  '"m\\u0065ssages"',
  '"a\\"b"',
  '"b\\\\"',
  '""',
  '"é"',
];
const SCALARS = ["true", "false", "null", "0", "-0", "12", "-3.25", "1e5", "6.02E+23", "7e-2"];
const STRING_PIECES = [
  "a",
  " ",
  "€",
  "😀",
  '\\"',
  "\\\\",
  "\\n",
  "\\u00e9",
  "\\ud83d",
  "{",
  "]",
  ",",
];
const TELLING_BYTES = [
  ...UTF8.encode('"\\{}[],:0-.e\n\r\t tu'),
  0x00,
  0x1f,
  0x80,
  0xc3,
  0xef,
  0xff,
];
const EVENT_PIECES = [
  ...["\n", "\n", "\n\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "\n\r"],
  ...["data", "data:", "data: ", "data:  x", "data: {}", "data: [DONE]", "datax: y", "dat"],
  ...["event", "event:", "event: a", "event:b", "event: long name", "id: 7", "retry: 1"],
  ...[":", ": comment", "\uFEFF", "€", "x", " ", "\u0000"],
];

function member(draws: SeededDraws, depth: number): string {
  const key = draws.pick(KEYS);
  return `${key}${space(draws)}:${space(draws)}${value(draws, depth)}${space(draws)}`;
}

function value(draws: SeededDraws, depth: number): string {
  switch (draws.below(depth < DEPTH_MAX ? 5 : 3)) {
    case 0:
    case 1:
      return draws.pick(SCALARS);
    case 2:
      return text(draws);
    case 3: {
      const members = Array.from({ length: draws.below(4) }, () => member(draws, depth + 1));
      return `{${space(draws)}${members.join(",")}}`;
    }
    default: {
      const items = Array.from({ length: draws.below(4) }, () => value(draws, depth + 1));
      return `[${items.map((item) => space(draws) + item + space(draws)).join(",")}]`;
    }
  }
}

function text(draws: SeededDraws): string {
  // Long strings are searched in another way than short ones.
  const length = draws.once(8) ? 30 + draws.below(40) : draws.below(6);
  return `"${Array.from({ length }, () => draws.pick(STRING_PIECES)).join("")}"`;
}

function space(draws: SeededDraws): string {
  return draws.once(6) ? draws.pick([" ", "\n", "\t", "\r\n", "  "]) : "";
}
