import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { test } from "node:test";
import { differingParts, type ComparedProvider } from "./provider-seed.ts";

const KEYS = ["b", "a"].map((text) => new Secret(text));
const ONE: ComparedProvider = {
  type: "openai",
  baseUrl: "https://api.openai.com/v1",
  settings: { region: "x", model: "m" },
  keys: KEYS,
  keyConcurrencyMax: 4,
};

const CASES: [name: string, changes: Partial<ComparedProvider>, parts: string[]][] = [
  ["the same", {}, []],
  ["keys in another order", { keys: KEYS.toReversed() }, []],
  ["settings in another order", { settings: { model: "m", region: "x" } }, []],
  ["a setting that is not given", { settings: { ...ONE.settings, api_version: undefined } }, []],
  ["a slash at the end of the address", { baseUrl: "https://API.openai.com:443/v1/" }, []],
  ["another type", { type: "openai-compat" }, ["type"]],
  ["another path", { baseUrl: "https://api.openai.com/v2" }, ["base URL"]],
  ["another setting", { settings: { ...ONE.settings, model: "n" } }, ["settings"]],
  ["one setting less", { settings: { region: "x" } }, ["settings"]],
  ["one key less", { keys: KEYS.slice(1) }, ["keys"]],
  ["another limit of keys", { keyConcurrencyMax: 5 }, ["limit of keys"]],
  ["no key", { keys: [] }, ["keys"]],
  ["everything", { type: "google", baseUrl: "http://x", settings: {}, keys: [] }, ["type", "base URL", "settings", "keys"]],
]; // prettier-ignore
for (const [name, changes, parts] of CASES) {
  test(`compared with a stored provider: ${name}`, () => {
    assert.deepEqual(differingParts(ONE, { ...ONE, ...changes }), parts);
  });
}

test("a stored key that cannot be opened equals none, not even another such key", () => {
  const unreadable = { ...ONE, keys: [null] };
  assert.deepEqual(differingParts(unreadable, ONE), ["keys"]);
  assert.deepEqual(differingParts(unreadable, unreadable), ["keys"]);
});
