import type { ChatModel, ChatModelProvider } from "@atelier/contract/http/chat-models";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CHAT_MODELS_PATH,
  chosenModel,
  effortChoices,
  effortFor,
  modelGroups,
  whyNoModel,
  type ChatModels,
} from "./model-choice.ts";

const ORGANIZATION = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";
const TIME = "2026-11-21T10:00:00.000Z";

function model(id: string, more: Partial<ChatModel> = {}): ChatModel {
  return {
    ...{ id, organization_id: ORGANIZATION, ai_provider_id: "p1", provider: "anthropic" },
    ...{ model: id, display_name: "", enabled: true, is_default: false, available: true },
    ...{ context_limit: 200_000, compression_threshold: 70, reasoning_efforts: [] },
    ...{ created_at: TIME, updated_at: TIME },
    ...more,
  };
}

const provider = (id: string, displayName: string): ChatModelProvider => ({
  ...{ id, name: id, type: "anthropic", display_name: displayName, enabled: true },
  ...{ has_api_key: true, has_user_api_key: false, has_effective_api_key: true },
  ...{ allow_user_api_key: false, available: true, warnings: [] },
});

const answer = (
  models: readonly ChatModel[],
  providers: readonly ChatModelProvider[] = [provider("p1", "Anthropic")],
): ChatModels => ({
  ...{ models: [...models], providers: [...providers], unsupported_providers: [], count: 0 },
});

test("only what can be used is offered, by provider", () => {
  const models = [
    model("a"),
    model("b", { available: false, unavailable_reason: "missing_api_key" }),
    model("c", { enabled: false }),
    model("d", { ai_provider_id: "p2" }),
    model("e"),
  ];
  const groups = modelGroups(answer(models, [provider("p1", "Anthropic"), provider("p2", "")]));
  assert.deepEqual(
    groups.map((group) => [group.provider, group.models.map(({ id }) => id)]),
    [
      ["Anthropic", ["a", "e"]],
      ["p2", ["d"]],
    ],
  );
});

test("the one wanted is chosen, else the usual one, else the first", () => {
  const models = [model("a"), model("b", { is_default: true }), model("c")];
  assert.equal(chosenModel(answer(models), "c")?.id, "c");
  assert.equal(chosenModel(answer(models), "gone")?.id, "b");
  assert.equal(chosenModel(answer([model("a"), model("c")]), "")?.id, "a");
  assert.equal(chosenModel(answer([]), ""), undefined);
});

test("an effort that the model does not know is not asked of it", () => {
  const thinking = model("a", {
    reasoning_efforts: ["low", "xhigh"],
    default_reasoning_effort: "low",
  });
  assert.equal(effortFor(thinking, "xhigh"), "xhigh");
  assert.equal(effortFor(thinking, "medium"), "");
  assert.deepEqual(
    effortChoices(thinking).map(({ label }) => label),
    ["Usual (low)", "Low", "Very high"],
  );
  assert.deepEqual(effortChoices(model("b")), []);
});

const ALL = { changeModels: true, changeProviders: true };
const NOBODY = { changeModels: false, changeProviders: false };
const away = (reason: NonNullable<ChatModel["unavailable_reason"]>) =>
  answer([model("a", { available: false, unavailable_reason: reason })]);

for (const [name, given, may, to] of [
  ["no provider", answer([], []), ALL, "/ai/settings/providers/new"],
  ["no model", answer([]), ALL, CHAT_MODELS_PATH],
  ["no model, for somebody else to add", answer([]), NOBODY, undefined],
  ["no own key", away("user_api_key_required"), NOBODY, "/settings/provider-keys"],
  ["no key", away("missing_api_key"), ALL, "/ai/settings/providers"],
  ["no key, for somebody else to add", away("missing_api_key"), NOBODY, undefined],
  ["nothing known", away("fetch_failed"), ALL, undefined],
] as const) {
  test(`where there is ${name}, people are led to where it is mended`, () => {
    const why = whyNoModel(given, may);
    assert.equal(why?.link?.to, to);
    assert.ok((why?.words ?? "").length > 0);
  });
}

test("where there is a model nothing is wrong", () => {
  assert.equal(whyNoModel(answer([model("a")]), NOBODY), null);
});
