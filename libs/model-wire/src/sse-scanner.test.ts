import assert from "node:assert/strict";
import { test } from "node:test";
import { SSE_EVENT_BYTES_MAX, SseScanner } from "./sse-scanner.ts";
import { simulate } from "./sse-scanner.simulation.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function scan(...chunks: string[]): string[] {
  const events: string[] = [];
  const scanner = new SseScanner((name, data, isOversized) => {
    events.push(`${name}|${isOversized ? "oversized" : new TextDecoder().decode(data)}`);
  });
  for (const chunk of chunks) scanner.push(bytes(chunk));
  scanner.end();
  return events;
}

for (const { name, stream, want } of [
  { name: "a name and data", stream: "event: a\ndata: 1\n\n", want: ["a|1"] },
  { name: "data of several lines", stream: "data: 1\ndata:\ndata:2\n\n", want: ["|1\n\n2"] },
  { name: "only one space is dropped", stream: "data:  1\n\n", want: ["| 1"] },
  { name: "data that is empty", stream: "data\n\ndata:\n\n", want: ["|", "|"] },
  { name: "a name without data is no event", stream: "event: a\n\ndata: 1\n\n", want: ["|1"] },
  { name: "a name after the data", stream: "data: 1\nevent: a\n\n", want: ["a|1"] },
  { name: "CR and CRLF", stream: "data: 1\r\rdata: 2\r\n\r\n", want: ["|1", "|2"] },
  {
    name: "comments and other fields",
    stream: ": x\nid: 1\nretry: 2\ndata: 3\n:\n\n",
    want: ["|3"],
  },
  { name: "a byte order mark", stream: "\uFEFFdata: 1\n\ndata: 2\n\n", want: ["|1", "|2"] },
  { name: "a last event that nothing closes", stream: "data: 1\n\ndata: 2", want: ["|1", "|2"] },
  { name: "names that only begin alike", stream: "dat: 1\ndatas: 2\neven: x\n\n", want: [] },
]) {
  test(`events are read: ${name}`, () => {
    assert.deepEqual(scan(stream), want);
    assert.deepEqual(scan(...stream), want);
  });
}

test("CRLF cut between CR and LF is one line end", () => {
  assert.deepEqual(scan("data: 1\r", "\ndata: 2\r", "\n\r", "\n"), ["|1\n2"]);
});

test("100,000 streams are read as the standard says, however they are cut", async () => {
  await simulate({ seed: 20_260_101, runs: 100_000, report: () => {} });
});

test("an event over the limit is named and dropped, and the next one is read", () => {
  const events: string[] = [];
  const scanner = new SseScanner((name, data, isOversized) => {
    events.push(`${name}|${data.length}|${isOversized}`);
  });
  scanner.push(bytes("event: big\n"));
  scanner.push(bytes("data: "));
  const piece = new Uint8Array(1024 * 1024).fill(0x61);
  for (let sent = 0; sent <= SSE_EVENT_BYTES_MAX; sent += piece.length) scanner.push(piece);
  scanner.push(bytes("\n\nevent: small\ndata: 1\n\n"));
  assert.deepEqual(events, ["big|0|true", "small|1|false"]);
});

for (const { stream, want } of [
  { stream: "", want: { line: "none", data: null } },
  { stream: "data: 1\n\n", want: { line: "none", data: null } },
  { stream: "data: 1\n", want: { line: "none", data: "1" } },
  { stream: "data: 1", want: { line: "data", data: "1" } },
  { stream: "data:", want: { line: "data", data: "" } },
  { stream: "dat", want: { line: "other", data: null } },
  { stream: "data", want: { line: "other", data: null } },
  { stream: ": x", want: { line: "other", data: null } },
  { stream: "event: a\n", want: { line: "none", data: null } },
  { stream: "data: 1\ndata: 2", want: { line: "data", data: "1\n2" } },
  { stream: "data: 1\nid: 2", want: { line: "other", data: "1" } },
]) {
  test(`a stream cut after ${JSON.stringify(stream)} knows where it stands`, () => {
    const scanner = new SseScanner(() => {});
    scanner.push(bytes(stream));
    const position = (): unknown => {
      const { line, data } = scanner.unfinished();
      return { line, data: data && new TextDecoder().decode(data) };
    };
    assert.deepEqual(position(), want);
    scanner.end();
    assert.deepEqual(position(), want);
  });
}
