import assert from "node:assert/strict";
import { test } from "node:test";
import { closeLastEvent, cutStreamEnding } from "./cut-stream.ts";
import { observeStream } from "./observe-response.ts";
import type { WireFormat } from "./wire-format.ts";

// That the vendors' own clients understand the endings is tested in test/recordings.

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const ERROR = { message: "The provider went away." };

function ending(format: WireFormat, stream: string): string {
  const observer = observeStream(format);
  observer.push(new TextEncoder().encode(stream));
  return text(cutStreamEnding(format, observer, ERROR));
}

const CHAT_ERROR =
  '"error":{"message":"The provider went away.","type":"server_error","param":null,"code":"stream_interrupted"}';
const MESSAGES_ERROR =
  '"type":"error","error":{"type":"api_error","message":"The provider went away."}';
const RESPONSES_ERROR =
  '"type":"error","error":null,"code":"server_error","message":"The provider went away."';
const failed = (number: number, id: string): string =>
  `event: response.failed\ndata: {"type":"response.failed","sequence_number":${number},"response":` +
  `{"id":"${id}","object":"response","created_at":0,"status":"failed",` +
  '"error":{"code":"server_error","message":"The provider went away."},' +
  '"incomplete_details":null,"model":null,"output":[],"usage":null}}\n\n';
const CREATED =
  'event: response.created\ndata: {"type":"response.created","sequence_number":7,"response":{"id":"r"}}\n\n';

const CASES: readonly [name: string, format: WireFormat, stream: string, want: string][] = [
  [
    "between events",
    "chat_completions",
    'data: {"id":"c"}\n\n',
    `data: {"choices":[],${CHAT_ERROR}}\n\ndata: [DONE]\n\n`,
  ],
  [
    "inside an event",
    "chat_completions",
    'data: {"id":"c","choices":[{"delta":{"content":"He',
    `"}}],"choices":[],${CHAT_ERROR}}\n\ndata: [DONE]\n\n`,
  ],
  [
    "after an event's data",
    "chat_completions",
    'data: {"id":"c"}',
    `\n\ndata: {"choices":[],${CHAT_ERROR}}\n\ndata: [DONE]\n\n`,
  ],
  [
    "after the field's name",
    "chat_completions",
    "data: ",
    `\ndata: {"choices":[],${CHAT_ERROR}}\n\ndata: [DONE]\n\n`,
  ],
  ["between events", "messages", "", `event: error\ndata: {${MESSAGES_ERROR}}\n\n`],
  [
    "after an event's name",
    "messages",
    "event: content_block_delta\n",
    `event: error\ndata: {${MESSAGES_ERROR}}\n\n`,
  ],
  [
    "inside an event's name",
    "messages",
    "event: content_bl",
    `\nevent: error\ndata: {${MESSAGES_ERROR}}\n\n`,
  ],
  [
    "inside an event",
    "messages",
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"partial_json":"{\\"a',
    `"},${MESSAGES_ERROR},"message":"The provider went away."}\nevent: error\n\n`,
  ],
  [
    "in data of several lines",
    "messages",
    'data: {"type":\ndat',
    `\ndata: null,${MESSAGES_ERROR},"message":"The provider went away."}\nevent: error\n\n`,
  ],
  ["between events", "responses", CREATED, failed(8, "r")],
  [
    "inside an event",
    "responses",
    `${CREATED}event: response.output_item.done\ndata: {"type":"response.output_item.done","item":{"input":"rm -rf /`,
    `"},${RESPONSES_ERROR},"param":null,"sequence_number":8}\nevent: error\n\n${failed(9, "r")}`,
  ],
  [
    "after an event that nothing closed",
    "responses",
    `${CREATED}data: {"type":"response.output_text.delta","sequence_number":8}\n`,
    `\n\n${failed(9, "r")}`,
  ],
  ["before any event", "responses", "", failed(0, "")],
];

for (const [name, format, stream, want] of CASES) {
  test(`${format} cut ${name} ends in the format's error`, () => {
    assert.equal(ending(format, stream), want);
  });
}

test("a last event that nothing closed is closed, and one that is closed is left alone", () => {
  for (const [stream, want] of [
    [
      'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: {"usage":{"pro',
      '":null},"choices":[],"usage":null}\n\n',
    ],
    ["data: [DO", "NE]\n\n"],
    ["data: [DONE]", "\n\n"],
    ["data: [DONE]\n", "\n\n"],
    ["data: [DONE]\n\n", ""],
  ] as const) {
    const observer = observeStream("chat_completions");
    observer.push(new TextEncoder().encode(stream));
    observer.end();
    assert.equal(text(closeLastEvent("chat_completions", observer)), want);
  }
});
