import { createModelProvider, updateModelProvider } from "@atelier/contract/http/ai-providers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleProvider } from "./provider-testkit.ts";
import { changeBody, creationBody, EMPTY_PROVIDER, textsOf } from "./provider-values.ts";

test("what is empty is left out of a new provider, and the endpoint takes the rest", () => {
  const body = creationBody("openai", {
    ...EMPTY_PROVIDER,
    name: " openai ",
    base_url: "https://api.openai.com/v1",
    api_keys: "made-up-test-key ",
    "settings.region": "of another type",
  });
  assert.deepEqual(body, {
    type: "openai",
    name: "openai",
    base_url: "https://api.openai.com/v1",
    api_keys: ["made-up-test-key"],
  });
  assert.ok(createModelProvider.body.safeParse(body).success);
});

test("a type without keys gets its settings and no key", () => {
  const body = creationBody("bedrock", {
    ...EMPTY_PROVIDER,
    name: "bedrock",
    base_url: "https://bedrock-runtime.us-east-1.amazonaws.com",
    api_keys: "left over",
    "settings.region": "us-east-1",
  });
  assert.deepEqual(body.settings, { region: "us-east-1" });
  assert.equal(body.api_keys, undefined);
});

test("a change holds only what differs: emptied settings go, empty secrets stay", () => {
  const provider = sampleProvider({
    type: "bedrock",
    settings: { region: "us-east-1", model: "m" },
    settings_masked: { access_key: "AK…" },
  });
  assert.deepEqual(changeBody(provider, textsOf(provider)), {});
  const body = changeBody(provider, {
    ...textsOf(provider),
    display_name: "AWS",
    "settings.region": "",
    "settings.access_key_secret": "made-up-test-secret",
  });
  assert.deepEqual(body, {
    display_name: "AWS",
    settings: { region: null, access_key_secret: "made-up-test-secret" },
  });
  assert.ok(updateModelProvider.body.safeParse(body).success);
});
