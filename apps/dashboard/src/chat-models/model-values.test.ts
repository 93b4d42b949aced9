import { createChatModel, updateChatModel } from "@atelier/contract/http/chat-models";
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOfBody } from "../forms/field-problems.ts";
import { sampleModel } from "./model-testkit.ts";
import { EMPTY_MODEL, modelBody, modelChange, textsOfModel } from "./model-values.ts";

const TYPED = {
  ...EMPTY_MODEL,
  ai_provider_id: "0198c0de-0000-7000-8000-000000000001",
  model: " claude-opus-4-6 ",
  context_limit: "200000",
};

test("what is empty is left out of a new model, and the endpoint takes the rest", () => {
  const body = modelBody(
    {
      ...TYPED,
      "options.temperature": "0.5",
      "options.reasoning_effort.default": "medium",
      "options.reasoning_effort.max": "max",
      "options.provider_options.anthropic.allowed_domains": "a.example.com, b.example.com",
      "options.provider_options.openai.user": "of another type",
    },
    "anthropic",
  );
  assert.ok(body.ok);
  assert.deepEqual(body.value, {
    ai_provider_id: TYPED.ai_provider_id,
    model: "claude-opus-4-6",
    display_name: "",
    enabled: true,
    is_default: false,
    context_limit: 200_000,
    options: {
      temperature: 0.5,
      reasoning_effort: { default: "medium", max: "max" },
      provider_options: { anthropic: { allowed_domains: ["a.example.com", "b.example.com"] } },
    },
  });
  assert.equal(problemOfBody(createChatModel, body.value), null);
});

for (const [typed, field] of [
  [{ context_limit: "" }, "context_limit"],
  [{ context_limit: "200k" }, "context_limit"],
  [{ model: " " }, "model"],
  [{ ai_provider_id: "" }, "ai_provider_id"],
  [{ "options.top_k": "few" }, "options.top_k"],
  [{ "options.reasoning_effort.max": "high" }, "options.reasoning_effort.default"],
  [{ "options.reasoning_effort.default": "high" }, "options.reasoning_effort.max"],
] as const) {
  test(`${JSON.stringify(typed)} is complained about at ${field}`, () => {
    const body = modelBody({ ...TYPED, ...typed }, "anthropic");
    assert.ok(!body.ok);
    assert.deepEqual(
      body.failure.validations.map((each) => each.field),
      [field],
    );
  });
}

test("what only the schema knows is complained about at the same field", () => {
  const body = modelBody({ ...TYPED, "options.temperature": "3" }, "anthropic");
  assert.ok(body.ok);
  const problem = problemOfBody(createChatModel, body.value);
  assert.deepEqual(
    problem?.validations.map(({ field }) => field),
    ["options.temperature"],
  );
});

test("a model that nobody touched has no change, and one that was has only that", () => {
  const model = sampleModel({
    options: {
      max_output_tokens: 8_000,
      reasoning_effort: { default: "low", max: "high" },
      provider_options: {
        anthropic: { web_search_enabled: false, thinking: { budget_tokens: 2_048 } },
      },
    },
  });
  const texts = textsOfModel(model);
  const before = modelBody(texts, "anthropic");
  assert.ok(before.ok);
  assert.deepEqual(before.value.options, model.options);
  assert.deepEqual(modelChange(before.value, before.value), {});
  const after = modelBody(
    { ...texts, display_name: "Opus", "options.max_output_tokens": "" },
    "anthropic",
  );
  assert.ok(after.ok);
  const change = modelChange(before.value, after.value);
  const { max_output_tokens: _gone, ...options } = model.options ?? {};
  assert.deepEqual(change, { display_name: "Opus", options });
  assert.equal(problemOfBody(updateChatModel, change), null);
});
