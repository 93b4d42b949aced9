/** HTTP/1.1 answers for the parser's simulation: mostly right, oddly written, often damaged. */
import type { SeededDraws } from "@atelier/model-wire/seeded-draws";

/** Each character is one byte. */
export function simulateAnswer(draws: SeededDraws): string {
  const interim = draws.once(8) ? `HTTP/1.1 ${draws.pick(INTERIM)}\r\n${fields(draws)}\r\n` : "";
  const status = draws.once(4) ? draws.pick(STATUS_LINES) : "HTTP/1.1 200 OK";
  const [framing, body] = framed(draws);
  const head = [fields(draws), framing, fields(draws)].join("");
  const surplus = draws.once(10) ? draws.pick(SURPLUS) : "";
  return damage(draws, `${interim}${status}\r\n${head}\r\n${body}${surplus}`);
}

const INTERIM = ["100 Continue", "102 Processing", "103 Early Hints", "101 Switching Protocols"];
const STATUS_LINES = [
  ...["HTTP/1.0 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"],
  ...["HTTP/1.1 529 ", "HTTP/1.1 429", "HTTP/1.1  200 OK", "HTTP/1.1 2000 OK", "HTTP/2.0 200 OK"],
  ...["HTTP/1.1 200 \x80\xff", "http/1.1 200 OK", "ICY 200 OK", "HTTP/1.1 101 Switching Protocols"],
];
const SURPLUS = ["x", "\r\n", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"];
const FIELDS = [
  ...["Content-Type: text/event-stream\r\n", "x-a:b\r\n", "X-Empty:\r\n", "x-a: \t b \t\r\n"],
  ...["Connection: close\r\n", "connection: keep-alive\r\n", "Keep-Alive: timeout=5, max=2\r\n"],
  ...["x-high: \x80\xe9\xff\r\n", "!#$%&'*+-.^_`|~: token\r\n", "Set-Cookie: a=b\r\n"],
];
const ODD_FIELDS = [
  ...["x-a : b\r\n", " folded\r\n", "\tfolded\r\n", "no colon\r\n", ": no name\r\n", "x-a: \0\r\n"],
  ...["x-a: b\n", "x-a: b\r", "x-\u00e9: b\r\n", "x-a: \x7f\r\n", "Upgrade: h2c\r\n"],
  ...["Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n"],
];
const LENGTH_NAMES = ["Content-Length", "content-length", "CONTENT-LENGTH"];
const LENGTH_VALUES = ["+5", "-1", "5, 5", "0x5", "", "5 5", "99999999999999999999", "5;"];
const CODING_NAMES = ["Transfer-Encoding", "transfer-encoding"];
const CODINGS = [
  "Chunked",
  "chunked, chunked",
  "gzip, chunked",
  "chunked, gzip",
  "identity",
  '"chunked"',
];
const EXTENSIONS = [
  ...[";a", ";a=b", ';a="b c"', ';a="\\""', ";a=b;c=d", "; a=b", ";a =b", ";", ";=b", ';a="b', " "],
  ...[";a=", ";a;b", ';a="b"c', ";\x80", ';a="\x80"'],
];
const TRAILERS = [
  "x-checksum: 1\r\n",
  "Content-Length: 1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "x\r\n",
];

function fields(draws: SeededDraws): string {
  const count = draws.below(4);
  return Array.from({ length: count }, () =>
    draws.once(24) ? draws.pick(ODD_FIELDS) : draws.pick(FIELDS),
  ).join("");
}

/** The fields that say where the body ends, and the body. */
function framed(draws: SeededDraws): [fields: string, body: string] {
  const data = Array.from({ length: draws.below(8) }, () => draws.pick(PIECES));
  const text = data.join("");
  switch (draws.below(5)) {
    case 0:
      return ["", text];
    case 1:
    case 2: {
      const length = draws.once(10) ? draws.pick(LENGTH_VALUES) : String(text.length);
      return [`${draws.pick(LENGTH_NAMES)}: ${length}\r\n`, text];
    }
    default: {
      const coding = draws.once(10) ? draws.pick(CODINGS) : "chunked";
      return [`${draws.pick(CODING_NAMES)}: ${coding}\r\n`, chunked(draws, data)];
    }
  }
}

const PIECES = ["data: {}\n\n", "\r\n", "0\r\n\r\n", "a", "HTTP/1.1 200 OK\r\n\r\n", "\0\x80\xff"];

function chunked(draws: SeededDraws, data: readonly string[]): string {
  const chunks = data.map((piece) => `${sizeLine(draws, piece.length)}${piece}\r\n`);
  const trailer = draws.once(6) ? draws.pick(TRAILERS) : "";
  return `${chunks.join("")}${sizeLine(draws, 0)}${trailer}\r\n`;
}

function sizeLine(draws: SeededDraws, size: number): string {
  const digits = size.toString(16);
  const spelled = draws.once(6) ? draws.pick([digits.toUpperCase(), `00${digits}`]) : digits;
  return `${spelled}${draws.once(10) ? draws.pick(EXTENSIONS) : ""}\r\n`;
}

/** Every second time as it is; else with a few characters changed, dropped, doubled or cut off. */
function damage(draws: SeededDraws, text: string): string {
  if (draws.once(2)) return text;
  let damaged = text;
  for (let count = 1 + draws.below(2); 0 < count; count -= 1) {
    const at = draws.below(damaged.length + 1);
    const [before, after] = [damaged.slice(0, at), damaged.slice(at)];
    switch (draws.below(5)) {
      case 0:
        damaged = before + after.slice(1);
        break;
      case 1:
        damaged = before + draws.pick(TELLING) + after.slice(draws.below(2));
        break;
      case 2:
        damaged = before + after.slice(0, draws.below(12)) + after;
        break;
      case 3:
        damaged = before + String.fromCharCode(draws.below(256)) + after.slice(1);
        break;
      default:
        if (draws.once(4)) damaged = before;
    }
  }
  return damaged;
}

const TELLING = [
  ..."\r|\n|\0|\t| |:|;|,|=|0|f|9|-|+".split("|"),
  '"',
  "\r\n",
  "\n\n",
  "\r\n\r\n",
  "\x80",
  "\x7f",
];
