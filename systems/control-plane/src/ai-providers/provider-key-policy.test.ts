import assert from "node:assert/strict";
import { test } from "node:test";
import { USUAL_KEY_POLICY } from "@atelier/contract/chat/provider-key-choice";
import { changedKeyPolicy, keyPolicyFields, type KeyPolicyPatch } from "./provider-key-policy.ts";

const [yes, no] = [true, false];
for (const [patch, want] of [
  [{}, [yes, yes, yes]],
  [{ allow_user_api_key: no }, [yes, no, no]],
  [{ central_api_key_enabled: no }, [no, yes, no]],
  [{ allow_central_api_key_fallback: no }, [yes, yes, no]],
  [
    { allow_user_api_key: no, allow_central_api_key_fallback: yes },
    "allow_central_api_key_fallback",
  ],
  [{ allow_user_api_key: no, central_api_key_enabled: no }, "allow_user_api_key"],
] as readonly (readonly [KeyPolicyPatch, readonly boolean[] | string])[]) {
  test(`${JSON.stringify(patch)} gives ${JSON.stringify(want)}`, () => {
    const changed = changedKeyPolicy(patch);
    const found = changed.ok
      ? Object.values(keyPolicyFields(changed.value))
      : changed.failure[0]?.field;
    assert.deepEqual(found, want);
  });
}

test("own keys that come back do not bring the fallback with them", () => {
  const without = { ...USUAL_KEY_POLICY, areUserKeysAllowed: false, isCentralFallback: false };
  const changed = changedKeyPolicy({ allow_user_api_key: true }, without);
  assert.deepEqual(changed.ok && changed.value, { ...USUAL_KEY_POLICY, isCentralFallback: false });
});
