import assert from "node:assert/strict";
import { test } from "node:test";
import { keysWords, providerState } from "./provider-state.ts";
import { sampleKey, sampleProvider } from "./provider-testkit.ts";

const refused = sampleKey({ state: "permanent" });
const resting = sampleKey({ state: "temporary" });
const taken = sampleKey({ state: "permanent", enabled: false });
const good = sampleKey();
const open = {
  endpoint: "/v1/messages",
  model: "",
  state: "open" as const,
  retries_at: "2026-11-21T12:01:00Z",
};

for (const [name, provider, words] of [
  ["all is well", sampleProvider(), "in service"],
  [
    "it is switched off, whatever its keys do",
    sampleProvider({
      api_keys: [refused],
      status: { state: "disabled", waiting: 0, warnings: [], breakers: [] },
    }),
    "switched off",
  ],
  [
    "its row cannot be used",
    sampleProvider({ status: { state: "error", waiting: 0, warnings: ["why"], breakers: [] } }),
    "cannot serve",
  ],
  ["every key is refused", sampleProvider({ api_keys: [refused, refused] }), "all keys refused"],
  ["every key rests", sampleProvider({ api_keys: [resting] }), "all keys rest"],
  ["one of two rests", sampleProvider({ api_keys: [good, resting] }), "partly working"],
  [
    "a key out of service does not count",
    sampleProvider({ api_keys: [good, taken] }),
    "in service",
  ],
  [
    "a breaker is open",
    sampleProvider({ status: { state: "enabled", waiting: 0, warnings: [], breakers: [open] } }),
    "not answering",
  ],
  ["it takes no keys", sampleProvider({ type: "copilot", api_keys: [] }), "in service"],
] as const) {
  test(`a provider of which ${name} is "${words}"`, () => {
    assert.equal(providerState(provider).words, words);
  });
}

for (const [provider, words] of [
  [sampleProvider(), "1 key works"],
  [sampleProvider({ api_keys: [good, good] }), "2 keys work"],
  [sampleProvider({ api_keys: [good, refused, taken] }), "1 of 3 keys works"],
  [sampleProvider({ api_keys: [] }), "no key: callers bring their own"],
  [sampleProvider({ type: "bedrock", api_keys: [] }), "takes no keys"],
] as const) {
  test(`its keys in words: ${words}`, () => {
    assert.equal(keysWords(provider), words);
  });
}
