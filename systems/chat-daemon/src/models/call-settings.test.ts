/** A model's configuration, as it arrives at its provider. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REASONING_EFFORTS, type ReasoningEffort } from "@atelier/contract/chat/chat-words";
import { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import { Secret } from "@atelier/base/secret";
import { allowedEfforts, callSettings, effectiveEffort, webSearchTool } from "./call-settings.ts";
import { MODEL_BUILDERS } from "./model-builders-io.ts";
import type { ModelClient, ModelFamily } from "./model-client.ts";
import { upstream } from "./models-testkit.ts";
import type { ChatProviderType } from "./provider-names.ts";

type Wanted = {
  readonly family: ModelFamily;
  readonly type?: ChatProviderType;
  readonly model?: string;
  readonly config: unknown;
  readonly effort?: ReasoningEffort;
};

/** What a provider gets, without what every call holds. */
async function sentWith({ family, type, model = "model-x", config, effort }: Wanted) {
  const { sent, fetch } = upstream();
  const key = new Secret("k");
  const access = { key, baseUrl: "http://provider.test/v1", bedrock: null, apiVersion: null };
  const signing = {
    ...access,
    bedrock: { bearerToken: key, region: "eu-west-1", model: null } as never,
  };
  const seed = { modelName: model, access: family === "bedrock" ? signing : access, fetch };
  const built = await MODEL_BUILDERS[family](seed);
  assert.ok(built !== null);
  const parsed = ChatModelCallConfig.parse(config);
  const providerType = type ?? "openai-compat";
  const client: ModelClient = { model: built, family, providerType, modelName: model };
  const tool = webSearchTool(parsed, family);
  await assert.rejects(async () =>
    built.doGenerate({
      prompt: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      ...callSettings(parsed, client, effort ?? null),
      ...(tool === null ? {} : { tools: [tool] }),
    }),
  );
  const { model: _, messages: _m, input: _i, contents: _c, ...rest } = sent[0]?.body ?? {};
  return { body: rest, headers: sent[0]?.headers };
}

const EFFORT = { reasoning_effort: { default: "medium", max: "xhigh" } };

test("unknown keys are refused, on every level", () => {
  for (const config of [
    { max_tokens: 1 },
    { provider_options: { mistral: {} } },
    { provider_options: { openai: { verbosity: "low" } } },
    { provider_options: { anthropic: { thinking: { budget: 1 } } } },
    { reasoning_effort: { default: "low" } },
    { reasoning_effort: { default: "high", max: "low" } },
    { provider_options: { anthropic: { allowed_domains: ["a.b"], blocked_domains: ["c.d"] } } },
  ]) {
    assert.equal(ChatModelCallConfig.safeParse(config).success, false, JSON.stringify(config));
  }
});

test("an effort is the chosen one or the usual one, and at most the greatest allowed", () => {
  const range = { default: "low", max: "high" } as const;
  const got = [null, ...REASONING_EFFORTS].map((each) => effectiveEffort(range, each));
  assert.deepEqual(got, ["low", "none", "minimal", "low", "medium", "high", "high", "high"]);
  assert.equal(effectiveEffort(undefined, "high"), null);
  assert.deepEqual(allowedEfforts(range), ["none", "minimal", "low", "medium", "high"]);
  assert.deepEqual(allowedEfforts(undefined), []);
});

for (const { name, wanted, body } of [
  {
    name: "an empty configuration limits the output, and says nothing else",
    wanted: { family: "anthropic", config: {} },
    body: { max_tokens: 32_000 },
  },
  {
    name: "limits and sampling",
    wanted: {
      family: "openai-compat",
      config: { max_output_tokens: 7, temperature: 0.5, top_p: 0.9, presence_penalty: 1, frequency_penalty: -1 },
    },
    body: { max_tokens: 7, temperature: 0.5, top_p: 0.9, presence_penalty: 1, frequency_penalty: -1 },
  },
  {
    name: "Responses: effort, summary, verbosity, storage",
    wanted: {
      family: "openai-responses",
      config: {
        ...EFFORT,
        provider_options: {
          openai: {
            reasoning_summary: "auto", text_verbosity: "low", store: false, metadata: { a: "b" }, max_tool_calls: 3,
            parallel_tool_calls: false, user: "u", prompt_cache_key: "k", safety_identifier: "s", instructions: "be kind",
            logit_bias: { 1: 2 }, prediction: { x: 1 }, max_completion_tokens: 9,
          },
        },
      },
    },
    body: {
      max_output_tokens: 32_000, reasoning: { effort: "medium", summary: "auto" }, text: { verbosity: "low" }, store: false,
      metadata: { a: "b" }, max_tool_calls: 3, parallel_tool_calls: false, user: "u", prompt_cache_key: "k",
      safety_identifier: "s", instructions: "be kind", include: ["reasoning.encrypted_content"],
    },
  },
  {
    name: "Chat Completions: what only it has",
    wanted: {
      family: "openai-chat",
      config: {
        provider_options: {
          openai: { logit_bias: { 1: 2 }, prediction: { type: "content", content: "x" }, top_log_probs: 2, max_tool_calls: 3, reasoning_summary: "auto" },
        },
      },
    },
    body: { max_tokens: 32_000, logit_bias: { 1: 2 }, prediction: { type: "content", content: "x" }, logprobs: true, top_logprobs: 2 },
  },
  {
    name: "Chat Completions of a model that reasons",
    wanted: { family: "openai-chat", model: "o-next", config: EFFORT, effort: "max" },
    body: { max_completion_tokens: 32_000, reasoning_effort: "xhigh" },
  },
  {
    name: "OpenAI's models for code take no less than low",
    wanted: { family: "openai-responses", model: "gpt-5.1-codex", config: EFFORT, effort: "minimal" },
    body: { max_output_tokens: 32_000, reasoning: { effort: "low", summary: "detailed" } },
  },
  {
    name: "Anthropic: an effort, where the model decides how much it thinks",
    wanted: { family: "anthropic", model: "claude-opus-4-6", config: EFFORT },
    body: { max_tokens: 32_000, thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "medium" } },
  },
  {
    name: "Anthropic: a budget that is configured",
    wanted: {
      family: "anthropic", model: "claude-sonnet-4-5",
      config: { provider_options: { anthropic: { thinking: { budget_tokens: 2_048 } } } },
    },
    body: { max_tokens: 34_048, thinking: { type: "enabled", budget_tokens: 2_048 } },
  },
  {
    name: "compatible services: effort and user",
    wanted: { family: "openai-compat", config: { ...EFFORT, provider_options: { openaicompat: { user: "u" } } }, effort: "high" },
    body: { max_tokens: 32_000, reasoning_effort: "high", user: "u" },
  },
  {
    name: "OpenRouter: reasoning, routing, what else is wanted",
    wanted: {
      family: "openrouter",
      config: { reasoning_effort: { default: "low", max: "max" }, provider_options: { openrouter: { provider: { order: ["a"], sort: "price" }, extra_body: { transforms: [] }, reasoning: { exclude: true } } } },
      effort: "max",
    },
    body: { max_tokens: 32_000, reasoning: { exclude: true, effort: "xhigh" }, provider: { order: ["a"], sort: "price" }, transforms: [] },
  },
  {
    name: "Vercel: reasoning and routing",
    wanted: { family: "vercel", config: { ...EFFORT, provider_options: { vercel: { providerOptions: { order: ["a"] } } } } },
    body: { max_tokens: 32_000, reasoning: { effort: "medium" }, providerOptions: { gateway: { order: ["a"] } } },
  },
  {
    name: "Claude at Vercel: its gateway places the marks, beside the routing",
    wanted: { family: "vercel", type: "vercel", model: "anthropic/claude-sonnet-4.5", config: { provider_options: { vercel: { providerOptions: { order: ["a"] } } } } },
    body: { max_tokens: 32_000, providerOptions: { gateway: { caching: "auto", order: ["a"] } } },
  },
  {
    name: "Claude at Vercel by way of the gateway: the same",
    wanted: { family: "openai-compat", type: "vercel", model: "anthropic/claude-sonnet-4.5", config: {} },
    body: { max_tokens: 32_000, providerOptions: { gateway: { caching: "auto" } } },
  },
  {
    name: "Claude at OpenRouter by way of the gateway: OpenRouter places the marks",
    wanted: { family: "openai-compat", type: "openrouter", model: "anthropic/claude-sonnet-4.5", config: {} },
    body: { max_tokens: 32_000, cache_control: { type: "ephemeral" } },
  },
  {
    name: "other models at OpenRouter by way of the gateway: they are cached unasked",
    wanted: { family: "openai-compat", type: "openrouter", model: "openai/gpt-5", config: {} },
    body: { max_tokens: 32_000 },
  },
  {
    name: "Claude at a compatible service: nobody knows what it takes",
    wanted: { family: "openai-compat", model: "anthropic/claude-sonnet-4.5", config: {} },
    body: { max_tokens: 32_000 },
  },
  {
    name: "Azure by way of the gateway: OpenAI's options in the body of Chat Completions",
    wanted: { family: "openai-compat", type: "azure", config: { ...EFFORT, provider_options: { openai: { user: "u", text_verbosity: "low", prompt_cache_key: "k", instructions: "no" } } } },
    body: { max_tokens: 32_000, reasoning_effort: "medium", user: "u", verbosity: "low", prompt_cache_key: "k" },
  },
  {
    name: "Google: thinking and safety",
    wanted: {
      family: "google", model: "gemini-3-pro",
      config: { provider_options: { google: { thinking_config: { thinking_level: "high", include_thoughts: true }, cached_content: "c" } } },
    },
    body: { generationConfig: { maxOutputTokens: 32_000, thinkingConfig: { thinkingLevel: "high", includeThoughts: true } }, cachedContent: "c" },
  },
] as const satisfies readonly { name: string; wanted: Wanted; body: unknown }[]) {
  test(name, async () => assert.deepEqual((await sentWith(wanted)).body, body));
} // prettier-ignore

test("Anthropic's models of the older kind get a budget in place of an effort", async () => {
  const { body } = await sentWith({
    family: "anthropic",
    model: "claude-sonnet-4-5",
    config: EFFORT,
  });
  assert.equal((body["thinking"] as { type: string }).type, "enabled");
  assert.equal(body["output_config"], undefined);
});

test("Google gets an effort as its level of thinking", async () => {
  const { body } = await sentWith({
    family: "google",
    model: "gemini-3-pro",
    config: EFFORT,
    effort: "low",
  });
  assert.match(JSON.stringify(body["generationConfig"]), /"thinkingLevel":"low"/);
});

test("Bedrock gets Anthropic's options in its own spelling", async () => {
  const config = {
    provider_options: {
      anthropic: { thinking: { budget_tokens: 2_048 }, context_1m_enabled: true },
    },
  };
  const { body } = await sentWith({
    family: "bedrock",
    model: "anthropic.claude-sonnet-4-5-v1:0",
    config,
  });
  const fields = body["additionalModelRequestFields"] as Record<string, unknown>;
  assert.deepEqual(fields["thinking"], { type: "enabled", budget_tokens: 2_048 });
  assert.deepEqual(fields["anthropic_beta"], ["context-1m-2025-08-07"]);
});

test("a long context is asked for in a header", async () => {
  const config = { provider_options: { anthropic: { context_1m_enabled: true } } };
  const { headers } = await sentWith({ family: "anthropic", config });
  assert.equal(headers?.get("anthropic-beta"), "context-1m-2025-08-07");
});

test("each provider's own search is asked for as it wants it", async () => {
  const search = { web_search_enabled: true };
  const openai = { ...search, search_context_size: "low", allowed_domains: ["a.b"] };
  for (const [family, options, tools] of [
    [
      "openai-responses",
      { openai },
      [{ type: "web_search", filters: { allowed_domains: ["a.b"] }, search_context_size: "low" }],
    ],
    [
      "anthropic",
      { anthropic: { ...search, blocked_domains: ["a.b"] } },
      [{ type: "web_search_20250305", name: "web_search", blocked_domains: ["a.b"] }],
    ],
    ["google", { google: search }, [{ googleSearch: {} }]],
    ["openai-chat", { openai }, undefined],
    ["openai-responses", { openai: { web_search_enabled: false } }, undefined],
  ] as const) {
    const model = family === "google" ? "gemini-3-pro" : "model-x";
    const { body } = await sentWith({ family, model, config: { provider_options: options } });
    assert.deepEqual(body["tools"], tools, family);
  }
});
