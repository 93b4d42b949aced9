import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KEY_POLICY_CHOICES,
  keyPolicyChoice,
  keyPolicyFields,
  offeredKeyPolicies,
} from "./key-policy-choice.ts";
import { sampleProvider } from "./provider-testkit.ts";
import { changeBody, creationBody, EMPTY_PROVIDER, textsOf } from "./provider-values.ts";

test("each choice is read from the fields that it becomes", () => {
  const values = KEY_POLICY_CHOICES.map(({ value }) => value);
  assert.deepEqual(values.map(keyPolicyFields).map(keyPolicyChoice), values);
});

test("what is the same to people is offered twice only where it was chosen", () => {
  assert.deepEqual(
    offeredKeyPolicies("company").map(({ value }) => value),
    ["own_first", "company", "own_required"],
  );
  assert.equal(offeredKeyPolicies("own").length, 4);
});

test("all three fields are sent when the choice differs, and none else", () => {
  const provider = sampleProvider();
  const texts = textsOf(provider);
  assert.deepEqual(changeBody(provider, texts), {});
  assert.deepEqual(changeBody(provider, { ...texts, key_policy: "company" }), {
    ...{ central_api_key_enabled: true, allow_user_api_key: false },
    allow_central_api_key_fallback: false,
  });
  assert.ok(!("allow_user_api_key" in creationBody("openai", EMPTY_PROVIDER)));
});
