import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  defaultCompressionThreshold,
  electDefault,
  parseStoredOptions,
  providerWarnings,
  standingOf,
  type ModelConfig,
} from "./model-config.ts";
import { USUAL_KEY_POLICY } from "@atelier/contract/chat/provider-key-choice";
import { provider } from "./models-testkit.ts";

function config(id: string, fields: Partial<ModelConfig> = {}): ModelConfig {
  return {
    id,
    organizationId: "org",
    aiProviderId: "on",
    provider: "openai",
    model: id,
    displayName: "",
    enabled: true,
    isDefault: false,
    contextLimit: 1,
    compressionThreshold: 70,
    options: {},
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...fields,
  };
}
const isOn = (id: string | null): boolean => id === "on";
const NO_WISH = { wanted: null, unwanted: null };

test("the default is the wanted one, the present one, an able successor, any enabled one, any at all", () => {
  const [a, b, c] = [
    config("a", { enabled: false }),
    config("b", { aiProviderId: "off" }),
    config("c"),
  ];
  const usual = { ...c, isDefault: true };
  assert.equal(electDefault([], NO_WISH, isOn), null);
  assert.equal(electDefault([a, b, usual], { wanted: "a", unwanted: null }, isOn), "a");
  assert.equal(electDefault([a, b, usual], NO_WISH, isOn), "c");
  assert.equal(electDefault([a, b, c], NO_WISH, isOn), "c");
  assert.equal(electDefault([a, b, usual], { wanted: null, unwanted: "c" }, isOn), "b");
  assert.equal(electDefault([a, usual], { wanted: null, unwanted: "c" }, isOn), "a");
  assert.equal(electDefault([usual], { wanted: null, unwanted: "c" }, isOn), "c");
});

test("whatever is wished, one of the models is the default, and the unwanted one only where it is alone", () => {
  const any = fc.record({ enabled: fc.boolean(), isDefault: fc.boolean(), on: fc.boolean() });
  const index = fc.option(fc.nat(3));
  fc.assert(
    fc.property(
      fc.array(any, { minLength: 1, maxLength: 4 }),
      index,
      index,
      (all, wanted, unwanted) => {
        const configs = all.map(({ enabled, isDefault, on }, i) =>
          config(String(i), { enabled, isDefault, aiProviderId: on ? "on" : "off" }),
        );
        const wish = {
          wanted: wanted === null ? null : String(wanted),
          unwanted: unwanted === null ? null : String(unwanted),
        };
        const elected = electDefault(configs, wish, isOn);
        assert.ok(configs.some(({ id }) => id === elected));
        if (elected === wish.unwanted && elected !== wish.wanted) assert.equal(configs.length, 1);
      },
    ),
  );
});

test("long contexts are summarised early", () => {
  assert.deepEqual([499_999, 500_000].map(defaultCompressionThreshold), [70, 30]);
});

test("how a provider stands for a person", () => {
  const row = provider({ id: "p" });
  const reasonOf = (fields: object, keys: readonly string[] | null, isByok = true) =>
    standingOf({ ...row, ...fields }, keys === null ? null : new Set(keys), isByok).unavailable;
  const keyless = { hasCentralCredentials: false };
  assert.equal(reasonOf({}, []), null);
  assert.equal(reasonOf(keyless, ["p"]), null);
  assert.equal(reasonOf(keyless, []), "user_api_key_required");
  assert.equal(reasonOf(keyless, [], false), "missing_api_key");
  assert.equal(reasonOf(keyless, null), "fetch_failed");
  assert.equal(reasonOf({}, null), null);
  assert.equal(reasonOf({ enabled: false }, ["p"]), "provider_disabled");
  const required = { keyPolicy: { ...USUAL_KEY_POLICY, isCentralFallback: false } };
  assert.equal(reasonOf(required, []), "user_api_key_required");
  assert.equal(reasonOf(required, ["p"]), null);
  assert.equal(reasonOf(required, null), "fetch_failed");
  assert.equal(reasonOf(required, [], false), null);
  const company = { keyPolicy: { ...USUAL_KEY_POLICY, areUserKeysAllowed: false } };
  assert.equal(reasonOf({ ...keyless, ...company }, ["p"]), "missing_api_key");
  // Nobody has to know of own keys that would not serve.
  assert.equal(reasonOf({ ...keyless, ...company }, null), "missing_api_key");
});

test("an address that looks like a gateway's is warned about", () => {
  const of = (baseUrl: string) => providerWarnings({ baseUrl }).length;
  assert.deepEqual(
    [
      "https://x.test/api/v2/aibridge/openai",
      "http://x/api/v2/ai-gateway/a",
      "https://x.test/v1",
    ].map(of),
    [1, 1, 0],
  );
});

test("stored options that this version does not know are left out, the others stay", () => {
  const stored = {
    temperature: 0.5,
    later: 1,
    top_p: 7,
    provider_options: { openai: { user: "u", later: {} } },
  };
  assert.deepEqual(parseStoredOptions(stored), {
    temperature: 0.5,
    provider_options: { openai: { user: "u" } },
  });
  assert.deepEqual(parseStoredOptions("what"), {});
});
