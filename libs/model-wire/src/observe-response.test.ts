import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { observeBody, observeStream } from "./observe-response.ts";
import { OBSERVED_ITEMS_MAX, OBSERVED_TEXT_CHARS_MAX } from "./observation.ts";
import { SeededDraws } from "./seeded-draws.ts";
import type { WireFormat } from "./wire-format.ts";

// Ordinary answers are in test/recordings; here is what no provider should send.

const FORMATS: readonly WireFormat[] = ["chat_completions", "responses", "messages"];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const event = (value: unknown, name = ""): string =>
  `${name === "" ? "" : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;

function observe(format: WireFormat, stream: string): ReturnType<typeof observeBody> {
  const observer = observeStream(format);
  observer.push(bytes(stream));
  return observer.end();
}

/** Members and words of all formats, put together without sense. */
const NAMES = [
  ...["type", "id", "model", "index", "delta", "usage", "error", "choices", "message", "content"],
  ...[
    "content_block",
    "response",
    "output",
    "item",
    "tool_calls",
    "function",
    "arguments",
    "input",
  ],
  ...["summary", "phase", "thinking", "prompt_tokens_details", "cache_creation", "finish_reason"],
  ...["sequence_number", "status", "reasoning_content", "custom", "partial_json", "message_stop"],
];
const WORDS = [
  ...["", "error", "message_start", "message_delta", "content_block_start", "content_block_delta"],
  ...["content_block_stop", "thinking", "tool_use", "response.completed", "response.failed"],
  ...["response.output_item.done", "response.created", "function_call", "mcp_call", "reasoning"],
  ...["message", "commentary", "output_text", "[DONE]", "stop", "_call"],
];

function nonsense(draws: SeededDraws, depth: number): unknown {
  switch (draws.below(depth < 4 ? 9 : 5)) {
    case 0:
      return null;
    case 1:
      return draws.pick([-1, 0, 1, 1e300, 0.5, 7]);
    case 2:
      return draws.once(2);
    case 3:
    case 4:
      return draws.pick(WORDS);
    case 5:
      return Array.from({ length: draws.below(4) }, () => nonsense(draws, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: draws.below(7) }, () => [
          draws.pick(NAMES),
          nonsense(draws, depth + 1),
        ]),
      );
  }
}

test("answers without sense are observed without throwing, and nothing odd comes out", () => {
  const draws = new SeededDraws(11);
  for (let run = 0; run < 20_000; run += 1) {
    const format = draws.pick(FORMATS);
    const events = Array.from({ length: 1 + draws.below(6) }, () => nonsense(draws, 0));
    const stream = events.map((each) => event(each, draws.pick(WORDS))).join("");
    for (const seen of [
      observe(format, stream),
      observeBody(format, bytes(JSON.stringify(events[0]))),
    ]) {
      assert.equal(typeof seen.responseId, "string");
      const { input, output, cacheReadInput, cacheWriteInput, extra } = seen.tokens ?? {
        ...{ input: 0, output: 0, cacheReadInput: 0, cacheWriteInput: 0, extra: {} },
      };
      for (const count of [
        input,
        output,
        cacheReadInput,
        cacheWriteInput,
        ...Object.values(extra),
      ]) {
        assert.ok(Number.isSafeInteger(count) && 0 <= count);
      }
      for (const { toolCallId, tool, input: given } of seen.toolCalls) {
        assert.equal(typeof toolCallId + typeof tool + typeof given, "stringstringstring");
      }
      assert.ok(seen.error === null || seen.outcome === "failed");
    }
  }
});

for (const body of ["", "{", "null", "[]", '"x"', "<html>", "7", "\u0000"]) {
  test(`${JSON.stringify(body)} instead of an answer is a failure in every format`, () => {
    for (const format of FORMATS) {
      const seen = observeBody(format, bytes(body));
      assert.equal(seen.outcome, "failed");
      assert.equal(seen.error?.type, "malformed_response");
      assert.equal(observe(format, body).outcome, "incomplete_stream");
    }
  });
}

test("a stream is terminated by its terminal event and by nothing before", () => {
  const observer = observeStream("messages");
  observer.push(
    bytes(event({ type: "message_delta", usage: { output_tokens: 1 } }, "message_delta")),
  );
  assert.equal(observer.terminated, false);
  observer.push(bytes('event: message_stop\ndata: {"type":"message_stop"}\n'));
  assert.equal(observer.terminated, false);
  observer.push(bytes("\n"));
  assert.equal(observer.terminated, true);
});

test("a choice that begins to speak after the others finished opens a chat stream again", () => {
  const observer = observeStream("chat_completions");
  const choice = (index: number, rest: object): string =>
    event({ id: "c", choices: [{ index, delta: { content: "x" }, ...rest }] });
  observer.push(bytes(choice(0, { finish_reason: "stop" })));
  assert.equal(observer.terminated, true);
  observer.push(bytes(choice(1, {})));
  assert.equal(observer.terminated, false);
  observer.push(bytes(choice(1, { finish_reason: "stop" })));
  assert.equal(observer.terminated, true);
});

test("an oversized final event still ends a responses stream", () => {
  const observer = observeStream("responses");
  observer.push(bytes("event: response.completed\ndata: "));
  const piece = new Uint8Array(1024 * 1024).fill(0x61);
  for (let i = 0; i < 17; i += 1) observer.push(piece);
  observer.push(bytes("\n\n"));
  assert.equal(observer.end().outcome, "completed");
});

test("what is kept of an endless answer is limited", () => {
  const observer = observeStream("messages");
  const thinking = { type: "thinking", thinking: "" };
  for (let index = 0; index < OBSERVED_ITEMS_MAX + 5; index += 1) {
    const start = { type: "content_block_start", index, content_block: thinking };
    const delta = { type: "content_block_delta", index, delta: { thinking: "t" } };
    observer.push(bytes(event(start, start.type) + event(delta, delta.type)));
  }
  const thinks = {
    type: "content_block_delta",
    index: 0,
    delta: { thinking: "t".repeat(400_000) },
  };
  for (let i = 0; i < 5; i += 1) observer.push(bytes(event(thinks, thinks.type)));
  const { thoughts } = observer.end();
  assert.equal(thoughts.length, OBSERVED_ITEMS_MAX);
  assert.equal(thoughts[0]?.content.length, OBSERVED_TEXT_CHARS_MAX);
});

test("bytes after the end change nothing", () => {
  const observer = observeStream("chat_completions");
  const seen = observer.end();
  observer.push(bytes("data: [DONE]\n\n"));
  assert.equal(observer.end(), seen);
  assert.equal(observer.terminated, false);
});

/** Events of which most say nothing: a name, where the format has them, and data. The first is the most frequent. */
const SAID: Readonly<Record<WireFormat, readonly (readonly [name: string, data: string])[]>> = {
  chat_completions: [
    '{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}',
    '{"id":"c1","choices":[{"index":0,"delta":{"content":"é \\"usage\\" \\n"}}],"usage":null}',
    '{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}}]}',
    '{"id":"c1","choices":[{"index":0,"delta":{"reasoning":"hm"}}]}',
    '{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
    '{"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}',
    '{"error":{"message":"overloaded","type":"overloaded_error"}}',
    "[DONE]",
  ].map((data) => ["", data]),
  messages: [
    [
      "content_block_delta",
      '{"index":0,"delta":{"text":"é \\n","thinking":"hm","partial_json":"{}"}}',
    ],
    ["message_start", '{"message":{"id":"m1","model":"m","usage":{"input_tokens":7}}}'],
    ["content_block_start", '{"index":0,"content_block":{"type":"text"}}'],
    ["content_block_start", '{"index":0,"content_block":{"type":"thinking"}}'],
    ["content_block_start", '{"index":0,"content_block":{"type":"tool_use","id":"t","name":"f"}}'],
    ["content_block_stop", '{"index":0}'],
    ["ping", "{}"],
    ["content_block_deltas", '{"type":"message_stop"}'],
    ["", '{"type":"content_block_start","index":0,"content_block":{"type":"thinking"}}'],
    ["message_delta", '{"usage":{"output_tokens":3}}'],
    ["message_stop", "{}"],
    ["error", '{"error":{"type":"overloaded_error","message":"later"}}'],
  ],
  responses: [
    ["response.output_text.delta", '{"sequence_number":40,"delta":"é"}'],
    ["response.created", '{"sequence_number":0,"response":{"id":"r1","model":"m"}}'],
    ["response.function_call_arguments.delta", '{"delta":"{"}'],
    ["response.output_text.done", '{"text":"a"}'],
    [
      "response.output_item.done",
      '{"sequence_number":9,"item":{"type":"function_call","call_id":"t","name":"f","arguments":"{}"}}',
    ],
    ["", '{"type":"response.output_text.delta","sequence_number":20}'],
    [
      "response.completed",
      '{"response":{"id":"r1","usage":{"input_tokens":7,"output_tokens":3},"output":[]}}',
    ],
    ["error", '{"message":"later"}'],
  ],
};

for (const [format, said] of Object.entries(SAID) as [WireFormat, (typeof SAID)[WireFormat]][]) {
  const [usual = ["", ""] as const] = said;
  const event = fc.tuple(
    fc.constantFrom("", "", "", ": ping\n\n", "event: x\n", "\n", "data: {\n", "id: 1\n"),
    fc.constantFrom("event: ", "event: ", "event:", "event:  "),
    fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(...said)),
    fc.constantFrom("\n\n", "\n\n", "\n\n", "\r\n\r\n", "\n\n\n", "\n", "\ndata: 1\n\n"),
  );
  const stream = fc.array(event, { maxLength: 12 });
  test(`${format}: passing events over by a search of the text says the same as reading each of them`, () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 6 }), (events, cuts) => {
        const text = events
          .map(([before, field, [name, data], end]) => {
            return `${before}${name === "" ? "" : `${field}${name}\n`}data: ${data}${end}`;
          })
          .join("");
        const bytes = Buffer.from(text);
        const [plain, searched] = [
          observeStream(format),
          observeStream(format, (each) => Buffer.from(each).toString("latin1")),
        ];
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        let at = 0;
        for (const end of ends) {
          const chunk = bytes.subarray(at, end);
          at = Math.max(at, Math.min(end, bytes.length));
          plain.push(chunk);
          searched.push(chunk);
          assert.deepEqual(searched.position(), plain.position());
          assert.equal(searched.terminated, plain.terminated);
        }
        assert.deepEqual(searched.end(), plain.end());
        assert.deepEqual(searched.position(), plain.position());
      }),
      { numRuns: 2_000 },
    );
  });
}
