import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { toBedrockRequest } from "./bedrock-request.ts";

const OPUS_4_5 = "global.anthropic.claude-opus-4-5-20251101-v1:0";
const SONNET_4_5 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const HAIKU_4_5 = "anthropic.claude-haiku-4-5-20251001-v1:0";
const OPUS_4_6 = "anthropic.claude-opus-4-6-v1";
const OPUS_4_7 =
  "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-7";
const INTERLEAVED = "interleaved-thinking-2025-05-14";
const EFFORT = "effort-2025-11-24";
const CONTEXT = "context-management-2025-06-27";

type Body = Record<string, unknown>;

function rewrite(body: Body | string, model: string, betaHeaders: readonly string[] = []) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = toBedrockRequest(Buffer.from(text), { modelFor: () => model, betaHeaders });
  const written = Buffer.from(request.body).toString();
  return { ...request, text: written, json: JSON.parse(written) as Body };
}

/** Spec gateway 4.5.4. */
const FIXTURE = {
  model: "claude-sonnet-4-6",
  max_tokens: 32_000,
  messages: [{ role: "user", content: [{ type: "text", text: "Hello." }] }],
  thinking: { type: "adaptive" },
  metadata: { user_id: "session_abc123" },
  service_tier: "auto",
  container: { type: "ephemeral" },
  inference_geo: { allow: ["us"] },
  output_config: { effort: "medium" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
};
const FIXTURE_BETAS = `${INTERLEAVED},${EFFORT},${CONTEXT},prompt-caching-scope-2026-01-05`;

const EXPECTED: readonly [model: string, thinking: object, kept: readonly (keyof typeof FIXTURE)[], betas: readonly string[]][] = [
  ["beddel", { type: "enabled", budget_tokens: 16_000 }, [], [INTERLEAVED]],
  [OPUS_4_5, { type: "enabled", budget_tokens: 16_000 }, ["output_config"], [INTERLEAVED, EFFORT]],
  [SONNET_4_5, { type: "enabled", budget_tokens: 16_000 }, ["context_management"], [INTERLEAVED, CONTEXT]],
  [OPUS_4_6, { type: "adaptive" }, [], [INTERLEAVED]],
]; // prettier-ignore

for (const [model, thinking, kept, betas] of EXPECTED) {
  for (const stream of [true, false]) {
    test(`the fixture for ${model}, ${stream ? "streaming" : "blocking"}`, () => {
      const got = rewrite({ ...FIXTURE, stream }, model, [FIXTURE_BETAS]);
      assert.deepEqual(got.json, {
        max_tokens: 32_000,
        messages: FIXTURE.messages,
        thinking,
        ...Object.fromEntries(kept.map((name) => [name, FIXTURE[name]])),
        anthropic_version: "bedrock-2023-05-31",
        anthropic_beta: betas,
      });
      assert.equal(got.isStream, stream);
      const sent = FIXTURE_BETAS.split(",");
      assert.deepEqual(got.droppedFlags, sent.filter((flag) => !betas.includes(flag))); // prettier-ignore
    });
  }
}

const RECORDING = join(import.meta.dirname, "../../../../../shared/fixtures/provider-traffic/anthropic/simple_bedrock.txtar"); // prettier-ignore

test("the recorded request is the fixture", { skip: !existsSync(RECORDING) }, () => {
  const recorded = JSON.parse(
    /-- request --\n(.*?)\n-- /s.exec(readFileSync(RECORDING, "utf8"))?.[1] ?? "",
  ) as Body;
  assert.deepEqual(recorded, { ...FIXTURE, stream: true });
});

const THINKING: readonly [name: string, model: string, body: Body, want: unknown][] = [
  ["no effort means 80 %", "beddel", { max_tokens: 10_000 }, { type: "enabled", budget_tokens: 8_000 }],
  ["low", "beddel", { max_tokens: 10_000, output_config: { effort: "low" } }, { type: "enabled", budget_tokens: 2_000 }],
  ["medium", "beddel", { max_tokens: 10_000, output_config: { effort: "medium" } }, { type: "enabled", budget_tokens: 5_000 }],
  ["high", "beddel", { max_tokens: 10_000, output_config: { effort: "high" } }, { type: "enabled", budget_tokens: 8_000 }],
  ["max", "beddel", { max_tokens: 10_000, output_config: { effort: "max" } }, { type: "enabled", budget_tokens: 9_500 }],
  ["an effort that nobody knows is taken for high", "beddel", { max_tokens: 10_000, output_config: { effort: "toString" } }, { type: "enabled", budget_tokens: 8_000 }],
  ["the budget is rounded down", "beddel", { max_tokens: 10_001, output_config: { effort: "max" } }, { type: "enabled", budget_tokens: 9_500 }],
  ["the smallest budget", "beddel", { max_tokens: 1_280 }, { type: "enabled", budget_tokens: 1_024 }],
  ["less than the smallest budget", "beddel", { max_tokens: 1_279 }, { type: "disabled" }],
  ["a model that thinks both ways", OPUS_4_6, { max_tokens: 10_000 }, { type: "adaptive" }],
  ["a model that thinks adaptively only", OPUS_4_7, { max_tokens: 10_000 }, { type: "adaptive" }],
  ["a budget for a model that thinks adaptively only", OPUS_4_7, { max_tokens: 9, thinking: { type: "enabled", budget_tokens: 8 } }, { type: "adaptive" }],
  ["a budget for all others", OPUS_4_5, { max_tokens: 9, thinking: { type: "enabled", budget_tokens: 8 } }, { type: "enabled", budget_tokens: 8 }],
  ["no thinking", OPUS_4_7, { max_tokens: 9, thinking: { type: "disabled" } }, { type: "disabled" }],
]; // prettier-ignore

for (const [name, model, body, want] of THINKING) {
  test(`thinking: ${name}`, () => {
    const got = rewrite({ thinking: { type: "adaptive" }, ...body }, model);
    assert.deepEqual(got.json["thinking"], want);
    assert.equal(got.warning, null);
  });
}

for (const body of [{}, { max_tokens: 0 }, { max_tokens: -1 }, { max_tokens: "100" }]) {
  test(`thinking stays, with a warning, at ${JSON.stringify(body)}`, () => {
    const got = rewrite({ ...body, thinking: { type: "adaptive" } }, "beddel");
    assert.deepEqual(got.json["thinking"], { type: "adaptive" });
    assert.match(got.warning ?? "", /max_tokens/);
  });
}

const FLAGS: readonly [name: string, model: string, headers: readonly string[], want: readonly string[] | undefined][] = [
  ["none", "beddel", [], undefined],
  ["an empty header", "beddel", ["", " , "], undefined],
  ["only unknown ones", "beddel", ["prompt-caching-scope-2026-01-05"], undefined],
  ["a list with spaces", "beddel", [` ${INTERLEAVED} , context-1m-2025-08-07`], [INTERLEAVED, "context-1m-2025-08-07"]],
  ["several headers", "beddel", [INTERLEAVED, "unknown-1", "context-1m-2025-08-07"], [INTERLEAVED, "context-1m-2025-08-07"]],
  ["the same one twice", "beddel", [INTERLEAVED, INTERLEAVED], [INTERLEAVED]],
  ["effort for Opus 4.5", OPUS_4_5, [EFFORT], [EFFORT]],
  ["effort for another model", SONNET_4_5, [EFFORT], undefined],
  ["context management for Sonnet 4.5", SONNET_4_5, [CONTEXT], [CONTEXT]],
  ["context management for Haiku 4.5", HAIKU_4_5, [CONTEXT], [CONTEXT]],
  ["context management for Opus 4.5", OPUS_4_5, [CONTEXT], undefined],
  ["a name that all objects have", "beddel", ["constructor"], undefined],
]; // prettier-ignore

for (const [name, model, headers, want] of FLAGS) {
  test(`beta flags: ${name}`, () => {
    assert.deepEqual(rewrite({ max_tokens: 1 }, model, headers).json["anthropic_beta"], want);
  });
}

test("flags in the body are judged as those in the header", () => {
  const body = { anthropic_beta: ["unknown-1", INTERLEAVED, 7] };
  const got = rewrite(body, "beddel", ["context-1m-2025-08-07"]);
  assert.deepEqual(got.json["anthropic_beta"], ["context-1m-2025-08-07", INTERLEAVED]);
});

test("a model that thinks adaptively only is told its effort without a flag, and no format", () => {
  const output_config = { effort: "high", format: { type: "json_schema" } };
  assert.deepEqual(rewrite({ output_config }, OPUS_4_7).json["output_config"], { effort: "high" });
  const { format } = output_config;
  assert.equal("output_config" in rewrite({ output_config: { format } }, OPUS_4_7).json, false);
});

test("a version that the client chose stays", () => {
  assert.equal(rewrite({ anthropic_version: "x" }, "beddel").json["anthropic_version"], "x");
});

test("of members that are there twice none is left, and the last one counts", () => {
  const got = rewrite(
    `{"metadata":1,"thinking":{"type":"disabled"},"max_tokens":5000,"metadata":2,"thinking":{"type":"adaptive"},"max_tokens":10000}`,
    "beddel",
  );
  assert.equal(got.text.includes("metadata"), false);
  assert.deepEqual(got.text.match(/"thinking":\{[^}]*\}/g), [`"thinking":{"type":"enabled","budget_tokens":8000}`]); // prettier-ignore
});

test("an escaped name does not slip through", () => {
  assert.equal("metadata" in rewrite(String.raw`{"\u006detadata":{"user_id":"x"}}`, "beddel").json, false); // prettier-ignore
});

test("the model that serves follows from the one that the request names", () => {
  const seen: (string | null)[] = [];
  const modelFor = (requested: string | null): string => {
    seen.push(requested);
    return "served";
  };
  for (const body of [`{"model":"claude-3-haiku"}`, `{"model":7}`, `{}`]) {
    const got = toBedrockRequest(Buffer.from(body), { modelFor, betaHeaders: [] });
    assert.equal(got.model, "served");
  }
  assert.deepEqual(seen, ["claude-3-haiku", null, null]);
});

const TOUCHED = new Set(["model", "stream", "anthropic_beta", "anthropic_version", "thinking", "metadata", "service_tier", "container", "inference_geo", "output_config", "context_management"]); // prettier-ignore

test("all that is not Bedrock's business stays, byte for byte and in its order", () => {
  const member = fc.tuple(fc.string(), fc.jsonValue(), fc.constantFrom("", " ", "\n\t"));
  fc.assert(
    fc.property(fc.uniqueArray(member, { selector: ([name]) => name }), (members) => {
      const others = members.filter(([name]) => !TOUCHED.has(name));
      const texts = others.map(([name, value, space]) => `${JSON.stringify(name)}${space}:${space}${JSON.stringify(value, null, space)}`); // prettier-ignore
      const dropped = [`"model" : "claude"`, `"stream":true`, `"metadata":{"a":[1,2]}`];
      const body = `{ ${[...dropped, ...texts].join(" , ")} }`;
      const got = rewrite(body, "beddel");
      assert.equal(
        got.text,
        `{${[...texts, `"anthropic_version":"bedrock-2023-05-31"`].join(",")}}`,
      );
      assert.equal(got.isStream, true);
    }),
  );
});
