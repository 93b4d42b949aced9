import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1AnswerParser } from "./http1-answer-parser.ts";
import { simulate } from "./http1-answer-parser.simulation.ts";
import { HEAD_BYTES_MAX } from "./line-gatherer.ts";

type Told = { calls: string[]; body: string; reusable: boolean; keepAliveMs: number | null };

/** `holds`: the sink says after each data that it wants to wait. */
function read(pieces: readonly string[], { method = "POST", holds = false } = {}): Told {
  const calls: string[] = [];
  let body = "";
  const parser = new Http1AnswerParser({
    head: (status, rawHeaders) => calls.push(`${status} ${rawHeaders.join("|")}`),
    data: (chunk) => {
      body += chunk.toString("latin1");
      return !holds;
    },
  });
  parser.begin(method);
  let progress = "more";
  for (const piece of pieces) {
    if (progress === "faulty") break;
    progress = parser.push(Buffer.from(piece, "latin1"));
    while (progress === "held") progress = parser.proceed();
  }
  if (progress === "more") progress = parser.finish();
  calls.push(progress === "faulty" ? (parser.fault ?? "") : progress);
  const { isReusable: reusable, keepAliveMs } = parser;
  return { calls, body, reusable, keepAliveMs };
}

const ANSWERS: readonly (readonly [name: string, answer: string])[] = [
  ["a sized body", "HTTP/1.1 200 OK\r\nX-A:  a b \t\r\nContent-Length: 5\r\n\r\nhello"],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nhel\r\n2\r\nlo\r\n0\r\nX: 1\r\n\r\n"],
  ["interim answers", "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\n"],
  ["a body until the end", "HTTP/1.0 200 OK\r\n\r\nhello"],
  ["surplus", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello"],
  ["surplus after chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP/1.1"],
  ["a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhelp\r\n0\r\n\r\n"],
  ["a broken head", "HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n"],
  ["broken trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n"],
  ["an early end", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"],
]; // prettier-ignore

for (const [name, answer] of ANSWERS) {
  test(`${name}: cut in two at any byte, told the same`, () => {
    const whole = read([answer]);
    for (let at = 1; at < answer.length; at += 1) {
      const pieces = [answer.slice(0, at), answer.slice(at)];
      assert.deepEqual(read(pieces), whole, `cut at ${at}`);
      assert.deepEqual(read(pieces, { holds: true }), whole, `cut at ${at}, holding`);
    }
    assert.deepEqual(read([...answer]), whole, "byte after byte");
  });
}

test("any data in any chunks, cut anyhow, comes out as it went in", () => {
  const data = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 });
  const cuts = fc.array(fc.nat(600), { maxLength: 8 });
  fc.assert(
    fc.property(data, cuts, fc.boolean(), (chunks, cutsAt, holds) => {
      const texts = chunks.map((chunk) => Buffer.from(chunk).toString("latin1"));
      const framed = texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join("");
      const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`;
      const edges = [0, ...cutsAt.filter((at) => at < answer.length), answer.length];
      const sorted = edges.toSorted((a, b) => a - b);
      const pieces = sorted.slice(1).map((end, i) => answer.slice(sorted[i], end));
      const told = read(
        pieces.filter((piece) => piece !== ""),
        { holds },
      );
      assert.deepEqual(told.calls, ["200 Transfer-Encoding|chunked", "whole"]);
      assert.equal(told.body, texts.join(""));
      assert.equal(told.reusable, true);
    }),
  );
});

test("the data of many chunks in one piece is told at once, large ones as they are", () => {
  const told: number[] = [];
  const parser = new Http1AnswerParser({
    head: () => {},
    data: (chunk) => told.push(chunk.length) > 0,
  });
  parser.begin("POST");
  const small = `5\r\nhello\r\n`.repeat(100);
  const large = `8000\r\n${"x".repeat(0x8000)}\r\n`;
  parser.push(Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${small}`));
  parser.push(Buffer.from(`${small}${large}${small}`));
  assert.deepEqual(told, [500, 500, 0x8000 + 500]);
});

test("what the sink was given is never written to again", () => {
  const given: { chunk: Buffer; was: string }[] = [];
  const parser = new Http1AnswerParser({
    head: () => {},
    data: (chunk) => given.push({ chunk, was: chunk.toString("latin1") }) === 0,
  });
  parser.begin("POST");
  const piece =
    `1\r\na\r\n`.repeat(9) + `8000\r\n${"x".repeat(0x8000)}\r\n` + `1\r\nb\r\n`.repeat(9);
  let progress = parser.push(
    Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${piece}${piece}0\r\n\r\n`),
  );
  while (progress === "held") progress = parser.proceed();
  assert.equal(progress, "whole");
  assert.ok(given.length > 1);
  for (const { chunk, was } of given) assert.equal(chunk.toString("latin1"), was);
});

test("a connection is free again only after an answer that leaves no doubt", () => {
  const cases: readonly (readonly [string, boolean, string?])[] = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx", false],
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, CLOSE\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false],
    ["HTTP/1.1 200 OK\r\n\r\n", false],
    ["HTTP/1.1 204 No\r\n\r\n", true],
    ["HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false],
    ["HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", false],
    ["HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, "HEAD"],
    ["HTTP/1.1 200 OK\r\n\r\n", true, "HEAD"],
  ];
  for (const [answer, reusable, method = "POST"] of cases) {
    const told = read([answer], { method });
    assert.deepEqual([told.calls.at(-1), told.reusable], ["whole", reusable], answer);
  }
});

test("the server's own idle time is heard", () => {
  for (const [field, keepAliveMs] of [
    ["timeout=5", 5_000],
    ["max=9, Timeout = 20", 20_000],
    ["xtimeout=5", null],
    ["timeout=x", null],
  ] as const) {
    const told = read([`HTTP/1.1 204 No\r\nKeep-Alive: ${field}\r\n\r\n`]);
    assert.equal(told.keepAliveMs, keepAliveMs, field);
  }
});

for (const [what, fault, begin, filler] of [
  ["head", "HEAD_TOO_LARGE", "HTTP/1.1 200 OK\r\nX: ", "a"],
  ["fields", "HEAD_MALFORMED", "HTTP/1.1 200 OK\r\n", "a:\r\n"],
  [
    "trailers",
    "TRAILER_MALFORMED",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    "a",
  ],
  [
    "an extension",
    "CHUNK_MALFORMED",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    "a",
  ],
  [
    "a chunk's size",
    "CHUNK_MALFORMED",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0",
  ],
] as const) {
  test(`${what} without end: refused at the limit, in pieces or not`, () => {
    const answer = begin + filler.repeat((HEAD_BYTES_MAX + 100) / filler.length);
    const ended = what === "fields" ? `${begin}${filler.repeat(513)}\r\n` : answer;
    const pieces = ended.match(/[^]{1,1000}/g) ?? [];
    assert.equal(read([ended]).calls.at(-1), fault);
    assert.equal(read(pieces).calls.at(-1), fault);
  });
}

test("a head that fits the limit to the byte is taken", () => {
  const begin = "HTTP/1.1 204 No\r\nX: ";
  for (const [bytes, end] of [
    [HEAD_BYTES_MAX, "whole"],
    [HEAD_BYTES_MAX + 1, "HEAD_TOO_LARGE"],
  ] as const) {
    const answer = `${begin}${"a".repeat(bytes - begin.length)}\r\n\r\n`;
    assert.equal(read([answer]).calls.at(-1), end);
    assert.equal(read(answer.match(/[^]{1,999}/g) ?? []).calls.at(-1), end);
  }
});

test("what cannot become a head is refused before its end", () => {
  for (const begin of ["S", "HTTP/2", "HTTP/1.1 200 OK\nX", "\r\n"]) {
    const parser = new Http1AnswerParser({ head: () => {}, data: () => true });
    parser.begin("POST");
    assert.equal(parser.push(Buffer.from(begin)), "faulty", begin);
  }
});

test("3,000 written and damaged answers are understood as Node understands them", async () => {
  const whole = await simulate({ seed: 20_260_101, runs: 3_000, report: () => {} });
  assert.ok(whole > 1_000, "too few answers were whole to compare");
});

test("byte after byte costs no more than linear time", () => {
  const answer = `HTTP/1.1 200 OK\r\n${`X-A: ${"a".repeat(100)}\r\n`.repeat(400)}`;
  const startedMs = performance.now();
  for (let i = 0; i < 5; i += 1) read([...answer]);
  assert.ok(performance.now() - startedMs < 2_000);
});
