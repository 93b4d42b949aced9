import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KEYLESS_MODEL_PROVIDER_TYPES,
  MODEL_PROVIDER_TYPES,
  SUPPORTED_MODEL_PROVIDER_TYPES,
} from "@atelier/contract/http/ai-providers";
import { providerKindOf } from "./provider-kinds.ts";

test("exactly the supported types are served, and exactly the keyless ones take no key", () => {
  const served = MODEL_PROVIDER_TYPES.filter(
    (type) => providerKindOf({ type, bedrock: null }) !== null,
  );
  assert.deepEqual(served.toSorted(), SUPPORTED_MODEL_PROVIDER_TYPES.toSorted());
  const keyless = served.filter(
    (type) => providerKindOf({ type, bedrock: null })?.keyHeader === null,
  );
  assert.deepEqual(keyless, KEYLESS_MODEL_PROVIDER_TYPES);
});
