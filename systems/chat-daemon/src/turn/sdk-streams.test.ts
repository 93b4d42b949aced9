/** What the SDKs make of providers' streams comes back to the providers byte for byte. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { systemClock } from "@atelier/base/system-clock";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { HistoryRow } from "../prompt/history-row.ts";
import { toModelPrompt } from "../prompt/model-prompt.ts";
import { readModelStream } from "./model-stream-actions.ts";

const TURNS = 20;

/** Runs a loop of tool calls; gives the body of the last request. */
async function loop(model: LanguageModelV4, options = {}): Promise<void> {
  const rows: HistoryRow[] = [row(0, "user", [{ type: "text", text: "go" }])];
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const call = { modelConfigId: "m", takesFile: () => true, files: new Map() };
    const step = await readModelStream(
      model,
      { ...options, prompt: toModelPrompt(rows, [], call) },
      {
        clock: systemClock,
        signal: new AbortController().signal,
        invoked: () => {},
        show: () => {},
      },
    );
    const parts = JSON.parse(JSON.stringify(step.parts())) as HistoryRow["content"];
    rows.push(row(turn * 2, "assistant", parts));
    const results = parts.flatMap((part): HistoryRow["content"] =>
      part.type === "tool-call"
        ? [{ ...part, type: "tool-result", result: { turn }, provider_metadata: undefined }]
        : [],
    );
    rows.push(row(turn * 2 + 1, "tool", results));
  }
}

function row(id: number, role: HistoryRow["role"], content: HistoryRow["content"]): HistoryRow {
  return {
    ...{ id, role, content, visibility: "both", compressed: false, deleted: false },
    ...{ modelConfigId: role === "assistant" ? "m" : null, providerResponseId: null },
    usage: {
      ...{ inputTokens: null, outputTokens: null, totalTokens: null },
      ...{ cacheCreationTokens: null, cacheReadTokens: null },
    },
  };
}

function bodyOf(init: RequestInit | undefined): string {
  return typeof init?.body === "string" ? init.body : "";
}

function sse(events: readonly { readonly type: string }[]): Response {
  const body = events
    .map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`)
    .join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

test("Anthropic: thoughts, redacted ones included, go back with their signatures over 20 steps", async () => {
  const bodies: string[] = [];
  const anthropic = createAnthropic({
    apiKey: "k",
    fetch: (_url, init) => {
      bodies.push(bodyOf(init));
      const n = bodies.length;
      const delta = (index: number, value: object) => ({
        type: "content_block_delta",
        index,
        delta: value,
      });
      const start = (index: number, content_block: object) => ({
        type: "content_block_start",
        index,
        content_block,
      });
      const stop = (index: number) => ({ type: "content_block_stop", index });
      const message = {
        id: `msg_${n}`,
        type: "message",
        role: "assistant",
        model: "claude-opus-4-5",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      };
      return Promise.resolve(
        sse([
          { type: "message_start", message } as never,
          start(0, { type: "thinking", thinking: "", signature: "" }),
          delta(0, { type: "thinking_delta", thinking: `thought ${n}` }),
          delta(0, { type: "signature_delta", signature: `SIG-${n}` }),
          stop(0),
          start(1, { type: "redacted_thinking", data: `RED-${n}` }),
          stop(1),
          start(2, { type: "tool_use", id: `toolu_${n}`, name: "t", input: {} }),
          delta(2, { type: "input_json_delta", partial_json: `{"n":${n}}` }),
          stop(2),
          {
            type: "message_delta",
            delta: { stop_reason: "tool_use", stop_sequence: null },
            usage: { output_tokens: 5 },
          } as never,
          { type: "message_stop" },
        ]),
      );
    },
  });
  await loop(anthropic("claude-opus-4-5"), {
    providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } },
  });
  const last = JSON.parse(bodies.at(-1) ?? "") as {
    messages: { role: string; content: Record<string, unknown>[] }[];
  };
  const answers = last.messages.filter(({ role }) => role === "assistant");
  assert.equal(answers.length, TURNS - 1);
  for (const [index, { content }] of answers.entries()) {
    const n = index + 1;
    assert.deepEqual(content, [
      { type: "thinking", thinking: `thought ${n}`, signature: `SIG-${n}` },
      { type: "redacted_thinking", data: `RED-${n}` },
      { type: "tool_use", id: `toolu_${n}`, name: "t", input: { n } },
    ]);
  }
});

test("OpenAI: encrypted thoughts go back with their ids over 20 steps", async () => {
  const bodies: string[] = [];
  const openai = createOpenAI({
    apiKey: "k",
    fetch: (_url, init) => {
      bodies.push(bodyOf(init));
      const n = bodies.length;
      const thought = {
        type: "reasoning",
        id: `rs_${n}`,
        summary: [],
        encrypted_content: `ENC-${n}`,
      };
      const call = {
        type: "function_call",
        id: `fc_${n}`,
        call_id: `call_${n}`,
        name: "t",
        arguments: `{"n":${n}}`,
        status: "completed",
      };
      const response = {
        id: `resp_${n}`,
        object: "response",
        created_at: 1,
        status: "in_progress",
        model: "gpt-5",
        output: [],
        usage: null,
      };
      const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
      return Promise.resolve(
        sse([
          { type: "response.created", response } as never,
          {
            type: "response.output_item.added",
            output_index: 0,
            item: { ...thought, encrypted_content: null },
          } as never,
          { type: "response.output_item.done", output_index: 0, item: thought } as never,
          {
            type: "response.output_item.added",
            output_index: 1,
            item: { ...call, arguments: "" },
          } as never,
          {
            type: "response.function_call_arguments.delta",
            output_index: 1,
            item_id: call.id,
            delta: call.arguments,
          } as never,
          { type: "response.output_item.done", output_index: 1, item: call } as never,
          {
            type: "response.completed",
            response: { ...response, status: "completed", output: [thought, call], usage },
          } as never,
        ]),
      );
    },
  });
  await loop(openai.responses("gpt-5"), {
    providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"] } },
  });
  const last = JSON.parse(bodies.at(-1) ?? "") as { input: Record<string, unknown>[] };
  const thoughts = last.input.filter(({ type }) => type === "reasoning");
  assert.deepEqual(
    thoughts.map(({ encrypted_content }) => encrypted_content),
    Array.from({ length: TURNS - 1 }, (_, index) => `ENC-${index + 1}`),
  );
  assert.equal(last.input.filter(({ type }) => type === "function_call").length, TURNS - 1);
});
