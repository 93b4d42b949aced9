import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadFields } from "../upstream/head-fields.ts";
import { toAnswerHead, toAnswerLines } from "./answer-headers.ts";

test("request ids, rate limits and repeats reach the client as they came", () => {
  const raw = [
    "Content-Type", "application/json", "x-request-id", "req_1", "anthropic-ratelimit-tokens-remaining", "5",
    "Retry-After", "3", "Content-Length", "12", "x-a", "1", "X-A", "2",
  ]; // prettier-ignore
  assert.deepEqual(toAnswerHead(raw), {
    headers: raw,
    contentType: "application/json",
    contentEncoding: "",
    isEventStream: false,
  });
});

test("the connection's headers, cookies and host promises stay behind", () => {
  const raw = [
    "Connection", "close", "Keep-Alive", "timeout=5", "Transfer-Encoding", "chunked", "Set-Cookie", "a=b",
    "Alt-Svc", "h3", "Strict-Transport-Security", "max-age=1", "x-kept", "1",
  ]; // prettier-ignore
  assert.deepEqual(toAnswerHead(raw).headers, ["x-kept", "1"]);
});

test("an event stream is marked against buffering", () => {
  const head = toAnswerHead(["content-type", "text/event-stream; charset=utf-8"]);
  assert.equal(head.isEventStream, true);
  assert.deepEqual(head.headers.slice(2), ["X-Accel-Buffering", "no", "Cache-Control", "no-cache"]);
});

test("identity is no encoding", () => {
  assert.equal(toAnswerHead(["content-encoding", "Identity"]).contentEncoding, "");
  assert.equal(toAnswerHead(["content-encoding", "GZIP"]).contentEncoding, "gzip");
});

for (const [name, raw] of [
  ["nothing", []],
  ["what stays", ["Date", "now", "X-Request-Id", "r", "Content-Length", "12"]],
  ["what is dropped, between and at both ends", ["Alt-Svc", "h3", "x", "1", "Keep-Alive", "5", "Upgrade", "h2", "y", "2", "TE", "t"]],
  ["a stream", ["Content-Type", "Text/Event-Stream", "Set-Cookie", "a"]],
  ["a stream that is cached as it likes", ["content-type", "text/event-stream", "CACHE-CONTROL", "no-store"]],
  ["an encoding", ["Content-Encoding", " GZIP "]],
  ["no encoding", ["content-encoding", "identity"]],
] as const) {
  test(`a head in lines says what one in names and values says: ${name}`, () => {
    const text = raw.map((part, i) => `${part}${i % 2 === 0 ? ": " : "\r\n"}`).join("");
    const fields = HeadFields.read(text, 0);
    assert.ok(fields !== null);
    const { headers, ...kind } = toAnswerHead(raw.map((part, i) => (i % 2 === 0 ? part : part.trim())));
    const { lines, contentLength, hasDate, ...kindOfLines } = toAnswerLines(fields);
    assert.deepEqual(kindOfLines, kind);
    assert.deepEqual(HeadFields.read(lines, 0)?.pairs(), headers);
    const at = headers.findIndex((each) => each.toLowerCase() === "content-length");
    assert.equal(contentLength, at === -1 ? null : Number(headers[at + 1]));
    assert.equal(hasDate, headers.some((each) => each.toLowerCase() === "date"));
  });
} // prettier-ignore
