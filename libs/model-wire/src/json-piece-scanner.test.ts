import assert from "node:assert/strict";
import { test } from "node:test";
import { BytePieces } from "./byte-pieces.ts";
import { scanPieces } from "./json-piece-scanner.ts";
import { simulate } from "./json-piece-scanner.simulation.ts";
import { JSON_DEPTH_MAX, scanDocument } from "./json-scanner.ts";
import { STRING_ENDS } from "./string-ends.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const DOCUMENTS = [
  '{"model":"m","stream" : true , "n":[-0.5e+10,0,12,1E2,{}],"x":null,"messages":[{"a":[1]},"b"] }',
  '{"model":"ends in \\\\\\\\","messages":["\\"\\\\\\"","\\\\"],"stream":false}',
  '{"mod\\u0065l":"spelled otherwise","model":[]}',
  `{"model":"${'a long text with \\"quotes\\" and \\\\, '.repeat(3)}"}`,
  '{"model":-}',
  '{"model":1.}',
  '{"model":01}',
  '{"model":1e+}',
  '{"model":trua}',
  '{"model":1',
  '{"model":"',
  '{"model"',
  "[1]",
  "12",
  "-",
  " ",
  "{} x",
];

for (const document of DOCUMENTS) {
  test(`wherever it is cut, this is scanned as it is whole: ${document.slice(0, 40)}`, () => {
    const whole = bytes(document);
    const want = scanDocument(whole, ["model", "stream", "messages"]);
    for (let first = 0; first <= whole.length; first += 1) {
      for (let second = first; second <= whole.length; second += 1) {
        const cut = [whole.subarray(0, first), whole.subarray(first, second)];
        const body = new BytePieces([...cut, whole.subarray(second)]);
        for (const each of [null, STRING_ENDS]) {
          assert.deepEqual(scanPieces(body, ["model", "stream", "messages"], each), want);
        }
      }
    }
  });
}

test("nesting is limited as in a document in one piece", () => {
  for (const depth of [JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1]) {
    const nested = bytes(`{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);
    const scanned = scanPieces(new BytePieces([nested]), []);
    assert.deepEqual(scanned, scanDocument(nested, []));
  }
});

test("a string across many pieces and windows of text ends where it ends", () => {
  const long = bytes(`{"model":"${'\\\\\\"'.repeat(100_000)}","stream":true}`);
  const want = scanDocument(long, ["model", "stream"]);
  assert.ok(want.ok);
  for (const size of [1_000, 65_536, 65_537, long.length]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < long.length; at += size) pieces.push(long.subarray(at, at + size));
    assert.deepEqual(scanPieces(new BytePieces(pieces), ["model", "stream"]), want);
  }
});

test("30,000 written and damaged documents are scanned in pieces as they are whole", async () => {
  await simulate({ seed: 20_261_121, runs: 30_000, report: () => {} });
});

test("no document takes long: 4 MiB of what is slowest are scanned in well under a second", () => {
  const size = 4 * 1024 * 1024;
  for (const piece of ['\\"', "\\\\", "[", '{"a":', '"a",', "1,", " "]) {
    const filled = bytes(`{"a":"${piece.repeat(size / piece.length)}`);
    const startedMs = performance.now();
    scanPieces(new BytePieces([filled]), ["a"]);
    assert.ok(performance.now() - startedMs < 1_000, `${piece} took too long`);
  }
});
