import assert from "node:assert/strict";
import { test } from "node:test";
import { toAnswerHead } from "./answer-headers.ts";

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
