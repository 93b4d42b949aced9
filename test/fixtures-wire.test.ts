/**
 * The observers on recorded provider traffic that is kept outside this repository, in
 * `../shared/fixtures` beside it. Skipped where that folder is absent. Of its texts (prompts, tool
 * inputs, thoughts, error messages) only the beginning of their SHA-256 stands here.
 *
 * Values are those of the specification (gateway 15). Where this product means to do better than what
 * was specified, they differ like this:
 *
 * | what | specified | here |
 * |---|---|---|
 * | messages, streaming: output tokens | message_start plus message_delta, 5+61 | the delta alone, 61 |
 * | responses, wrong lines in the middle: tokens | none | those of the completed response |
 * | zero counts in `extra` | recorded | left out |
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  observeBody,
  type ObservedResponse,
  observeStream,
} from "@atelier/model-wire/observe-response";
import { readModelRequest } from "@atelier/model-wire/read-request";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { splitSections } from "@atelier/testkit/recordings";
import fc from "fast-check";

const FIXTURES = new URL("../../shared/fixtures/provider-traffic/", import.meta.url);
const skip = existsSync(FIXTURES) ? false : "no ../shared/fixtures beside this repository";

/** What is to be seen in one answer. `tokens` is input/output/cache read/cache write. */
type Answer = {
  readonly section: string;
  readonly tokens?: string;
  readonly extra?: Readonly<Record<string, number>>;
  /** Tool and digest of the input. */
  readonly tools?: readonly string[];
  /** Source and digest of the content. */
  readonly thoughts?: readonly string[];
  /** Type and digest of the message. */
  readonly error?: string;
};

const QUESTION = "0d046f675f39";
const SUM_QUESTION = "89fb4828c86b";
const ADD_CALL = "add 37e34eabc9ca";
const WORKSPACES = "bmcp_coder_coder_list_workspaces";
const QUESTION_THOUGHT = "thinking 6506f66f0b97";
const READ_THOUGHT = "thinking 0eba2bc8e496";
const ADD_THOUGHT = "reasoning_summary 22c7ad0f4b6c";

const MESSAGES: Record<string, readonly [prompt: string, ...Answer[]]> = {
  "anthropic/simple": [
    QUESTION,
    { section: "streaming", tokens: "18/240/0/0", thoughts: [QUESTION_THOUGHT] },
    { section: "non-streaming", tokens: "18/254/0/0", thoughts: [QUESTION_THOUGHT] },
  ],
  "anthropic/single_builtin_tool": [
    "b7b41ebd9d39",
    {
      section: "streaming",
      tokens: "2/61/13993/22",
      tools: ["Read f3e3609519ce"],
      thoughts: [READ_THOUGHT],
    },
    {
      section: "non-streaming",
      tokens: "5/84/23490/0",
      tools: ["Read 088095290fc1"],
      thoughts: [READ_THOUGHT],
    },
  ],
  "anthropic/single_injected_tool": [
    "a9589d0bcabb",
    { section: "streaming", tokens: "7545/74/0/0", tools: [`${WORKSPACES} a36a91cb38da`] },
    { section: "streaming/tool-call", tokens: "7763/128/0/0" },
    { section: "non-streaming", tokens: "7545/75/0/0", tools: [`${WORKSPACES} dd6317546cc1`] },
    { section: "non-streaming/tool-call", tokens: "7763/129/0/0" },
  ],
  "anthropic/simple_bedrock": [
    "2d8bd7d9bb5f",
    { section: "streaming", tokens: "10/10/0/0" },
    { section: "non-streaming", tokens: "10/10/0/0" },
  ],
  "anthropic/non_stream_error": [
    "e9058ab198f6",
    {
      section: "streaming",
      error: "invalid_request_error 8e858f4ec598",
    },
    {
      section: "non-streaming",
      error: "invalid_request_error 8e858f4ec598",
    },
  ],
  "anthropic/stream_error": [
    "e9058ab198f6",
    { section: "streaming", tokens: "18/1/0/0", error: "api_error b991604729c6" },
  ],
};

const SERVER_ERROR = "server_error 7ab3519c9d4c";
const CHAT: Record<string, readonly [prompt: string, ...Answer[]]> = {
  "openai/chatcompletions/simple": [
    QUESTION,
    { section: "streaming", tokens: "19/238/0/0" },
    { section: "non-streaming", tokens: "19/200/0/0" },
  ],
  "openai/chatcompletions/single_builtin_tool": [
    "e7121d02ead6",
    { section: "streaming", tokens: "60/15/0/0", tools: ["read_file 7d6441497d2a"] },
    { section: "non-streaming", tokens: "60/15/0/0", tools: ["read_file 7d6441497d2a"] },
  ],
  "openai/chatcompletions/single_injected_tool": [
    "a9589d0bcabb",
    { section: "streaming", tokens: "4862/45/0/0", tools: [`${WORKSPACES} dd6317546cc1`] },
    { section: "streaming/tool-call", tokens: "185/60/4864/0" },
    { section: "non-streaming", tokens: "4862/45/0/0", tools: [`${WORKSPACES} dd6317546cc1`] },
    { section: "non-streaming/tool-call", tokens: "185/60/4864/0" },
  ],
  "openai/chatcompletions/streaming_injected_tool_no_preamble": [
    "0c4d226f9d4a",
    { section: "streaming", tokens: "5246/65/20470/0", tools: [`${WORKSPACES} e7548e466377`] },
    { section: "streaming/tool-call", tokens: "25989/85/0/0" },
  ],
  "openai/chatcompletions/stream_error": [QUESTION, { section: "streaming", error: SERVER_ERROR }],
};

const RESPONSES: Record<string, readonly [prompt: string, Answer, Answer?]> = {
  "blocking/simple": ["eb5c10fe18d9", blocking("11/18/0/0", 29)],
  "blocking/cached_input_tokens": ["cc4d0aed9727", blocking("129/44/11904/0", 12077)],
  "blocking/conversation": ["e0f9a3a6399d", blocking("48/116/0/0", 164)],
  "blocking/prev_response_id": ["e0f9a3a6399d", blocking("43/129/0/0", 172)],
  "blocking/single_builtin_tool": [
    SUM_QUESTION,
    { ...blocking("58/18/0/0", 76), tools: [ADD_CALL], thoughts: [ADD_THOUGHT] },
  ],
  "blocking/single_builtin_tool_parallel": [
    "732ebe112082",
    {
      ...blocking("65/30/0/0", 95),
      tools: [ADD_CALL, "add cdf01fe59550"],
      thoughts: ["reasoning_summary 1dcf5ef96642"],
    },
  ],
  "blocking/commentary_builtin_tool": [
    SUM_QUESTION,
    {
      ...blocking("58/30/0/0", 88, 10),
      tools: [ADD_CALL],
      thoughts: ["commentary 356e5654e68e"],
    },
  ],
  "blocking/single_injected_tool": [
    "cb4b5c6f70d4",
    {
      ...blocking("227/75/6144/0", 6446, 25),
      tools: ["bmcp_coder_coder_template_version_parameters f06e9cb0b3ef"],
    },
    { ...blocking("612/231/6144/0", 6987, 43), section: "non-streaming/tool-call" },
  ],
  "streaming/simple": ["eb5c10fe18d9", streaming("11/18/0/0", 29)],
  "streaming/cached_input_tokens": ["f3650426f437", streaming("1165/54/15744/0", 16963)],
  "streaming/codex_example": [
    "2cf24dba5fb0",
    {
      ...streaming("4006/13/0/0", 4019),
      thoughts: ["reasoning_summary e26819a1184a"],
    },
  ],
  "streaming/prev_response_id": ["e0f9a3a6399d", streaming("43/182/0/0", 225)],
  "streaming/builtin_tool": [
    SUM_QUESTION,
    { ...streaming("58/18/0/0", 76), tools: [ADD_CALL], thoughts: [ADD_THOUGHT] },
  ],
  "streaming/multi_reasoning_builtin_tool": [
    SUM_QUESTION,
    {
      ...streaming("58/18/0/0", 76),
      tools: [ADD_CALL],
      thoughts: [ADD_THOUGHT, "reasoning_summary 159b795f9efb"],
    },
  ],
  "streaming/summary_and_commentary_builtin_tool": [
    SUM_QUESTION,
    {
      ...streaming("58/35/0/0", 93, 10),
      tools: [ADD_CALL],
      thoughts: ["reasoning_summary cfa453b6e855", "commentary b7e77dbeb3ef"],
    },
  ],
  "streaming/single_injected_tool": [
    "b269b2ddb13f",
    { ...streaming("6269/18/0/0", 6287), tools: ["bmcp_coder_coder_list_templates 44136fa355b3"] },
    { ...streaming("319/182/6144/0", 6645), section: "streaming/tool-call" },
  ],
  "streaming/stream_error": [
    "4bc14b4ca981",
    { section: "streaming", error: "ERR_SOMETHING ab827e3fe17d" },
  ],
  "streaming/wrong_response_format": ["5882d8adca8f", streaming("11/18/0/0", 29)],
};

for (const [file, [prompt, ...answers]] of Object.entries(MESSAGES)) {
  testFixture("messages", { file, prompt, answers });
}
for (const [file, [prompt, ...answers]] of Object.entries(CHAT)) {
  testFixture("chat_completions", { file, prompt, answers });
}
for (const [name, [prompt, ...answers]] of Object.entries(RESPONSES)) {
  const given = answers.filter((answer) => answer !== undefined);
  testFixture("responses", { file: `openai/responses/${name}`, prompt, answers: given });
}

function blocking(tokens: string, total: number, reasoning = 0): Answer {
  return { ...streaming(tokens, total, reasoning), section: "non-streaming" };
}

function streaming(tokens: string, total_tokens: number, output_reasoning = 0): Answer {
  const extra = output_reasoning === 0 ? { total_tokens } : { total_tokens, output_reasoning };
  return { section: "streaming", tokens, extra };
}

function testFixture(
  format: WireFormat,
  fixture: { file: string; prompt: string; answers: readonly Answer[] },
): void {
  test(`fixture ${fixture.file} is seen as specified`, { skip }, () => {
    const text = readFileSync(new URL(`${fixture.file}.txtar`, FIXTURES), "utf8");
    const sections = splitSections(text);
    const bytes = (name: string): Uint8Array =>
      new TextEncoder().encode(sections.get(name)?.text.replace(/^HTTP[^]*?\n\n/, ""));
    const request = readModelRequest(format, bytes("request"));
    assert.equal(request.ok ? digest(request.value.prompt) : request.failure.kind, fixture.prompt);
    for (const answer of fixture.answers) {
      const body = bytes(answer.section);
      const isError = sections.get(answer.section)?.text.startsWith("HTTP") === true;
      if (isError || answer.section.startsWith("non-streaming")) {
        assert.deepEqual(toAnswer(answer.section, observeBody(format, body)), answer);
      } else {
        observeInChunks(format, body, answer);
      }
    }
  });
}

function observeInChunks(format: WireFormat, body: Uint8Array, want: Answer): void {
  const cuts = fc.array(fc.nat(body.length), { maxLength: 100 });
  const property = fc.property(cuts, (positions) => {
    const observer = observeStream(format);
    let start = 0;
    for (const end of [...positions, body.length].toSorted((a, b) => a - b)) {
      observer.push(body.subarray(start, end));
      start = end;
    }
    assert.deepEqual(toAnswer(want.section, observer.end()), want);
  });
  fc.assert(property, { numRuns: 20, examples: [[[]]] });
}

function toAnswer(section: string, seen: ObservedResponse): Answer {
  const { tokens, toolCalls, thoughts, error } = seen;
  assert.equal(seen.outcome, error === null ? "completed" : "failed");
  const counts = tokens && [tokens.input, tokens.output, tokens.cacheReadInput];
  return {
    section,
    ...(counts && { tokens: [...counts, tokens.cacheWriteInput].join("/") }),
    ...(tokens && Object.keys(tokens.extra).length !== 0 && { extra: tokens.extra }),
    ...(toolCalls.length !== 0 && {
      tools: toolCalls.map(({ tool, input }) => `${tool} ${digest(input)}`),
    }),
    ...(thoughts.length !== 0 && {
      thoughts: thoughts.map(({ source, content }) => `${source} ${digest(content)}`),
    }),
    ...(error && { error: `${error.type} ${digest(error.message)}` }),
  };
}

/** Long enough to tell the texts apart. */
function digest(text: string | null): string {
  return text === null ? "none" : hash("sha256", text).slice(0, 12);
}
