/** Where marks stand in what OpenRouter is sent: by its own client, as a turn puts them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { Secret } from "@atelier/base/secret";
import { withCacheBreakpoints } from "../prompt/cache-breakpoints.ts";
import { MODEL_BUILDERS } from "./model-builders-io.ts";
import { upstream } from "./models-testkit.ts";
import { cacheMarksOf } from "./prompt-caching.ts";

const CLAUDE = "anthropic/claude-sonnet-4.5";
const result = (toolCallId: string) => ({
  ...{ type: "tool-result" as const, toolCallId, toolName: "t" },
  output: { type: "text" as const, value: "ok" },
});
const call = (toolCallId: string) => ({
  ...{ type: "tool-call" as const, toolCallId, toolName: "t", input: {} },
});
const PROMPT: LanguageModelV4Prompt = [
  { role: "system", content: "one" },
  { role: "system", content: "two" },
  { role: "user", content: [{ type: "text", text: "do it" }] },
  { role: "assistant", content: [call("a"), call("b"), call("c")] },
  { role: "tool", content: [result("a"), result("b"), result("c")] },
];

test("a Claude model at OpenRouter gets marks at the system, and at the last two messages once each", async () => {
  const { sent, fetch } = upstream();
  const access = {
    key: new Secret("k"),
    baseUrl: "http://o.test",
    bedrock: null,
    apiVersion: null,
  };
  const model = await MODEL_BUILDERS.openrouter({ modelName: CLAUDE, access, fetch });
  const marks = cacheMarksOf({ family: "openrouter", modelName: CLAUDE });
  await assert.rejects(async () =>
    model?.doGenerate({ prompt: withCacheBreakpoints(PROMPT, marks) }),
  );
  const messages = sent[0]?.body["messages"] as readonly object[];
  const isMarked = messages.map((message) =>
    JSON.stringify(message).includes('"cache_control":{"type":"ephemeral"}'),
  );
  assert.deepEqual(isMarked, [false, true, false, true, false, false, true]);
});

test("only Claude models are marked there, and those of Anthropic and Bedrock in their way", () => {
  const marksOf = (family: "openrouter" | "anthropic" | "bedrock" | "vercel", modelName: string) =>
    cacheMarksOf({ family, modelName });
  assert.equal(marksOf("openrouter", "openai/gpt-5"), "none");
  assert.equal(marksOf("openrouter", CLAUDE), "openrouter");
  assert.equal(marksOf("vercel", CLAUDE), "none");
  assert.deepEqual(
    [marksOf("anthropic", "x"), marksOf("bedrock", "anthropic.claude-x")],
    ["anthropic", "bedrock"],
  );
});
