import assert from "node:assert/strict";
import { test } from "node:test";
import { isLightModel, parseProviderType, resolveModelReference } from "./provider-names.ts";

for (const [reference, hint, want] of [
  [" gpt-5 ", "openai", "openai gpt-5"],
  ["anthropic:claude-x", "", "anthropic claude-x"],
  ["anthropic/claude-x", "", "anthropic claude-x"],
  ["openai:gpt-5", "anthropic", "openai gpt-5"],
  ["mistral/large", "azure", "azure mistral/large"],
  ["anthropic/claude-x", "openrouter", "openrouter anthropic/claude-x"],
  ["openrouter/auto", "openrouter", "openrouter openrouter/auto"],
  ["openai/gpt-5", "vercel", "vercel openai/gpt-5"],
  ["google:gemini-x", "openai-compat", "openai-compat google:gemini-x"],
  ["claude-opus-4", "", "anthropic claude-opus-4"],
  ["gpt-5", "", "openai gpt-5"],
  ["chatgpt-4o-latest", "unheard-of", "openai chatgpt-4o-latest"],
  ["o3", "", "openai o3"],
  ["o4-mini", "", "openai o4-mini"],
  ["o1.5", "", "openai o1.5"],
  ["gemini-2.5-pro", "", "google gemini-2.5-pro"],
  ["gemini-9", "", 'unknown model "gemini-9"'],
  ["o3x", "", 'unknown model "o3x"'],
  ["orca", "", 'unknown model "orca"'],
  ["  ", "openai", 'unknown model ""'],
] as const) {
  test(`${JSON.stringify(reference)} with the hint ${JSON.stringify(hint)} is ${want}`, () => {
    const found = resolveModelReference(reference, hint);
    const text = found.ok ? `${found.value.provider} ${found.value.model}` : found.failure.message;
    assert.equal(text, want);
  });
}

test("a type is read in several spellings, and copilot is none of chats", () => {
  const names = [" OpenAI ", "openai-compatible", "openaicompat", "copilot", "", "mistral"];
  assert.deepEqual(names.map(parseProviderType), [
    "openai",
    "openai-compat",
    "openai-compat",
    null,
    null,
    null,
  ]);
});

test("light are the models that are known to be, of providers whose models are known", () => {
  for (const [type, light, heavy] of [
    ["anthropic", "claude-haiku-4-5-20251001", "claude-opus-4-6"],
    ["openai", "GPT-4o-mini", "gpt-4o-mini-transcribe"],
    ["azure", "gpt-4o-mini", "our-deployment"],
    ["google", "gemini-2.5-flash", "gemini-2.5-flash-image"],
    ["bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "eu.anthropic.claude-opus-4-6"],
    ["openrouter", "anthropic/claude-3.5-haiku", "anthropic/claude-3.5-sonnet"],
    ["vercel", "anthropic/claude-haiku-4.5", "claude-haiku-4.5"],
  ] as const) {
    assert.deepEqual([isLightModel(type, light), isLightModel(type, heavy)], [true, false], type);
  }
  assert.equal(isLightModel("openai-compat", "gpt-4o-mini"), false);
});
