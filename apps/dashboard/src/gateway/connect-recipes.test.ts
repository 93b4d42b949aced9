import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientBaseUrl, dialectOf, RECIPE_CLIENTS, recipesFor } from "./connect-recipes.ts";

const INPUT = {
  deploymentUrl: "https://example.com/atelier",
  providerName: "main",
  token: "made-up-test-token",
};
const GATEWAY = "https://example.com/atelier/api/v2/ai-gateway/main";

for (const [type, url] of [
  ["anthropic", GATEWAY],
  ["bedrock", GATEWAY],
  ["copilot", GATEWAY],
  ["openai", `${GATEWAY}/v1`],
  ["azure", `${GATEWAY}/v1`],
] as const) {
  test(`a client of ${type} takes ${url}`, () => {
    assert.equal(clientBaseUrl(type, INPUT), url);
  });
}

test("every client that speaks a type's dialect is told address and token, and nothing is left open", () => {
  for (const type of MODEL_PROVIDER_TYPES) {
    for (const { id, dialects } of RECIPE_CLIENTS) {
      if (!dialects.includes(dialectOf(type))) continue;
      const text = recipesFor(id, type, INPUT)
        .map((recipe) => recipe.text)
        .join("\n");
      assert.ok(text.includes(GATEWAY), `${id} of ${type} has no address`);
      assert.ok(text.includes(INPUT.token), `${id} of ${type} has no token`);
      assert.ok(!text.includes("undefined"));
    }
  }
});

test("Codex is told of a provider without WebSockets, whose key stands in the environment", () => {
  const [config, terminal] = recipesFor("codex", "openai", INPUT);
  assert.match(config?.text ?? "", /wire_api = "responses"\nsupports_websockets = false/);
  assert.match(terminal?.text ?? "", /^export ATELIER_TOKEN=made-up-test-token\n/);
});
