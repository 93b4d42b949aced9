import { MODEL_UNAVAILABLE_REASONS } from "@atelier/contract/http/chat-models";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleChatProvider, sampleModel } from "./model-testkit.ts";
import {
  contextText,
  effortText,
  keySource,
  modelState,
  nameOfModel,
  OBSTACLES,
  ownModes,
  standingOfProvider,
} from "./model-words.ts";

test("a model is shown by the name it was given, or by its own", () => {
  assert.equal(nameOfModel(sampleModel()), "claude-opus-4-6");
  assert.equal(nameOfModel(sampleModel({ display_name: "Opus" })), "Opus");
});

test("a model that is switched off is that, whatever else is wrong", () => {
  const off = sampleModel({ enabled: false, unavailable_reason: "missing_api_key" });
  assert.equal(modelState(off).words, "switched off");
  assert.equal(modelState(sampleModel()).tone, "good");
});

for (const reason of MODEL_UNAVAILABLE_REASONS) {
  test(`${reason} is told, and what helps`, () => {
    const model = sampleModel({ available: false, unavailable_reason: reason });
    assert.deepEqual(modelState(model), { tone: "bad", words: OBSTACLES[reason].words });
    assert.notEqual(OBSTACLES[reason].remedy, "");
    const provider = sampleChatProvider({ available: false, unavailable_reason: reason });
    assert.notEqual(standingOfProvider(provider).tone, "good");
  });
}

test("a provider with a warning is usable, but", () => {
  assert.equal(
    standingOfProvider(sampleChatProvider({ warnings: ["Two gateways."] })).tone,
    "warn",
  );
});

test("one's own key goes before the company's", () => {
  assert.equal(keySource(sampleChatProvider()), "the company’s key");
  assert.equal(keySource(sampleChatProvider({ has_user_api_key: true })), "your own key");
  const none = { has_api_key: false, has_effective_api_key: false };
  assert.equal(keySource(sampleChatProvider(none)), "no key");
});

for (const [limit, threshold, text] of [
  [200_000, 70, "200k, summed up at 70 %"],
  [8_192, 30, "8.2k, summed up at 30 %"],
  [1_000_000, 100, "1000k"],
] as const) {
  test(`${limit} at ${threshold} is "${text}"`, () => {
    const model = sampleModel({ context_limit: limit, compression_threshold: threshold });
    assert.equal(contextText(model), text);
  });
}

test("efforts are told with the usual one, or that there is no choice", () => {
  assert.equal(effortText(sampleModel()), "no choice");
  const model = sampleModel({
    default_reasoning_effort: "low",
    reasoning_efforts: ["none", "minimal", "low", "medium"],
  });
  assert.equal(effortText(model), "low, up to medium");
});

test("a new chat has no starting chat whose model could serve", () => {
  const modes = (context: "root" | "general") => ownModes(context).map(({ value }) => value);
  assert.deepEqual(modes("root"), ["deployment_default", "model"]);
  assert.deepEqual(modes("general"), ["deployment_default", "chat_default", "model"]);
});
