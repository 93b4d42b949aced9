import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseProviderKey, keyPolicyHere, USUAL_KEY_POLICY } from "./provider-key-choice.ts";

const [yes, no] = [true, false];
const rows = [
  // central, user keys, fallback, has own, has central → source or reason
  [yes, no, no, no, yes, "central"],
  [yes, no, no, yes, yes, "central"],
  [yes, no, no, no, no, "missing_api_key"],
  [no, yes, no, yes, yes, "user"],
  [no, yes, no, no, yes, "user_api_key_required"],
  [yes, yes, no, yes, yes, "user"],
  [yes, yes, no, no, yes, "user_api_key_required"],
  [yes, yes, yes, yes, yes, "user"],
  [yes, yes, yes, no, yes, "central"],
  [yes, yes, yes, no, no, "user_api_key_required"],
  [no, no, no, yes, yes, "missing_api_key"],
] as const;

for (const [
  isCentralEnabled,
  areUserKeysAllowed,
  isCentralFallback,
  userKey,
  centralKey,
  want,
] of rows) {
  const name = JSON.stringify({
    isCentralEnabled,
    areUserKeysAllowed,
    isCentralFallback,
    userKey,
    centralKey,
  });
  test(`${name} gives ${want}`, () => {
    const policy = { isCentralEnabled, areUserKeysAllowed, isCentralFallback };
    const choice = chooseProviderKey(policy, { userKey, centralKey });
    assert.equal(choice.source === "none" ? choice.reason : choice.source, want);
  });
}

test("usually, one's own key goes first and the company's serves the others, unless BYOK is off", () => {
  const both = { userKey: true, centralKey: true };
  const sourceWhere = (isByokAllowed: boolean) =>
    chooseProviderKey(keyPolicyHere(USUAL_KEY_POLICY, isByokAllowed), both);
  assert.deepEqual(sourceWhere(true), { source: "user" });
  assert.deepEqual(sourceWhere(false), { source: "central" });
  const required = { ...USUAL_KEY_POLICY, isCentralFallback: false };
  const none = { userKey: false, centralKey: true };
  assert.deepEqual(chooseProviderKey(keyPolicyHere(required, false), none), { source: "central" });
});
