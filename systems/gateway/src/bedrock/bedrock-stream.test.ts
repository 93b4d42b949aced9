import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bedrockChunk,
  bedrockException,
  eventStreamFrame,
} from "@atelier/testkit/scripted-bedrock";
import fc from "fast-check";
import { BedrockStream, EventStreamError, type BedrockStreamItem } from "./bedrock-stream.ts";

const EVENTS = [
  `{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3}}}`,
  `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é\\n\u{1F600}"}}`,
  `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}`,
];
const SSE = EVENTS.map(
  (event) => `event: ${(JSON.parse(event) as { type: string }).type}\ndata: ${event}\n\n`,
).join("");

function read(bytes: Uint8Array, cuts: readonly number[] = []): BedrockStreamItem[] {
  const stream = new BedrockStream();
  const items: BedrockStreamItem[] = [];
  const ends = [...new Set(cuts)].filter((cut) => cut < bytes.length).toSorted((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    const chunk = Buffer.from(bytes.subarray(from, end));
    items.push(...stream.push(chunk));
    chunk.fill(0xff); // The memory is the socket's again.
    from = end;
  }
  assert.equal(stream.isBetweenFrames, true);
  return items;
}

function textOf(items: readonly BedrockStreamItem[]): string {
  return items
    .map((item) => (item.kind === "event" ? Buffer.from(item.bytes).toString() : "exception"))
    .join("");
}

test("events come as server-sent events, with their JSON as it is", () => {
  assert.equal(textOf(read(Buffer.concat(EVENTS.map(bedrockChunk)))), SSE);
});

test("any chunking of any events gives the same", () => {
  const event = fc.record({ type: fc.string(), x: fc.jsonValue() }).map((each) => JSON.stringify(each)); // prettier-ignore
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat(3_000)), (events, cuts) => {
      const bytes = Buffer.concat(events.map((each) => bedrockChunk(each)));
      assert.equal(textOf(read(bytes, cuts)), textOf(read(bytes)));
    }),
  );
  const bytes = Buffer.concat(EVENTS.map(bedrockChunk));
  assert.equal(textOf(read(bytes, [...bytes.keys()])), SSE);
});

test("line breaks between an event's members do not end its line", () => {
  const items = read(bedrockChunk(`{\r\n "type": "ping"\n}`));
  assert.equal(textOf(items), `event: ping\ndata: {   "type": "ping" }\n\n`);
});

test("an event without a type has no name, and frames of other kinds are passed over", () => {
  const initial = { ":event-type": "initial-response", ":message-type": "event" };
  const bytes = Buffer.concat([eventStreamFrame(initial, Buffer.from("{}")), bedrockChunk("[1]")]);
  assert.equal(textOf(read(bytes)), "data: [1]\n\n");
});

for (const [name, status, type] of [
  ["throttlingException", 429, "rate_limit_error"],
  ["serviceUnavailableException", 503, "overloaded_error"],
  ["modelTimeoutException", 408, "timeout_error"],
  ["modelStreamErrorException", 424, "api_error"],
  ["internalServerException", 500, "api_error"],
  ["validationException", 400, "invalid_request_error"],
  ["tomorrowsException", 500, "api_error"],
] as const) {
  test(`the exception ${name} is a ${type} of status ${status}`, () => {
    assert.deepEqual(read(bedrockException(name, "so it is")), [
      { kind: "exception", error: { status, type, message: "so it is" } },
    ]);
  });
}

test("an error without a modelled exception says its own message", () => {
  const headers = { ":message-type": "error", ":error-code": "InternalFailure", ":error-message": "oh" }; // prettier-ignore
  assert.deepEqual(read(eventStreamFrame(headers, new Uint8Array(0))), [
    { kind: "exception", error: { status: 500, type: "api_error", message: "oh" } },
  ]);
});

test("no changed byte goes unnoticed", () => {
  const frame = bedrockChunk(EVENTS[0] ?? "");
  for (const at of frame.keys()) {
    const changed = Buffer.from(frame);
    changed[at] = (changed[at] ?? 0) ^ 0x20;
    assert.throws(() => read(changed), EventStreamError, `at byte ${at}`);
  }
});

test("a frame that would be larger than AWS sends is refused before it is waited for", () => {
  const payload = Buffer.alloc(0);
  const small = eventStreamFrame({}, payload);
  assert.throws(() => new BedrockStream().push(Buffer.alloc(16)), EventStreamError);
  assert.deepEqual(new BedrockStream().push(small), []);
});

test("a payload that holds no event is an error", () => {
  const headers = { ":event-type": "chunk", ":message-type": "event" };
  for (const payload of ["", "{}", "nonsense", `{"bytes":7}`]) {
    assert.throws(() => read(eventStreamFrame(headers, Buffer.from(payload))), EventStreamError);
  }
});
