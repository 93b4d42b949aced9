import assert from "node:assert/strict";
import { test } from "node:test";
import { ADVISOR_OUTPUT_TOKENS } from "./advisor-tool-actions.ts";
import {
  callsTools,
  finish,
  says,
  turnWorld,
  type Reply,
  type TurnWorldOptions,
} from "./turn-testkit.ts";

const asks = (id: string, more: readonly { id: string; name: string }[] = []) =>
  callsTools([{ id, name: "advisor", input: { question: "What now?" } }, ...more]);

const SETTINGS = {
  ...{ userPrompt: "", planInstructions: "", personalSkills: [], thresholdPercentOf: () => null },
  advisor: { usesMax: 0, outputTokensMax: ADVISOR_OUTPUT_TOKENS },
};

async function advised(replies: readonly Reply[], usesMax = 0, more: TurnWorldOptions = {}) {
  const settings = { ...SETTINGS, advisor: { ...SETTINGS.advisor, usesMax } };
  const world = await turnWorld({
    replies,
    deps: { settingsOf: () => Promise.resolve(settings) },
    ...more,
  });
  const { id } = await world.create();
  await world.drive(id);
  const rows = (await world.history(id)).filter(({ role }) => role === "tool");
  const results = rows.map(({ content: [part] }) => part?.type === "tool-result" && part.result);
  return { world, results };
}

test("the advisor sees the conversation, has no tools, and its answer streams as the result", async () => {
  const { world, results } = await advised([asks("a"), says("Test it."), says("done")]);
  await using _world = world;
  assert.deepEqual(results, [
    { type: "advice", advice: "Test it.", advisor_model: "scripted", remaining_uses: null },
  ]);
  const [turn, advice] = world.calls;
  assert.equal(advice?.tools, undefined);
  assert.equal(advice?.maxOutputTokens, ADVISOR_OUTPUT_TOKENS);
  const texts = JSON.stringify(advice?.prompt);
  assert.match(texts, /You advise the agent.*hello.*What now\?/);
  assert.match(JSON.stringify(turn?.prompt), /# Advisor/);
  assert.doesNotMatch(texts, /# Advisor/, "the guidance is for the one who asks");
  const deltas = world.episodes.shown.filter(({ part }) => "result_delta" in part);
  assert.deepEqual(
    deltas.map(({ part }) => "result_delta" in part && part.result_delta),
    ["Test it."],
  );
});

test("beyond its uses in a turn it is not asked; what failed or was empty does not count", async () => {
  const replies = [
    asks("a"),
    [finish("stop")],
    asks("b"),
    says("Yes."),
    asks("c"),
    says("done"),
  ] as const;
  const { world, results } = await advised(replies, 1);
  await using _world = world;
  assert.deepEqual(
    results.map((result) => (result as { readonly type: string }).type),
    ["error", "advice", "limit_reached"],
  );
});

test("an error of the advisor's model is told, and the turn goes on", async () => {
  const { world, results } = await advised([asks("a"), new Error("who knows"), says("done")]);
  await using _world = world;
  assert.deepEqual(results, [
    { type: "error", error: "The model call failed.", remaining_uses: null },
  ]);
});

test("the advisor beside a tool of the client: nobody runs, and the client is not asked", async () => {
  const replies = [asks("a", [{ id: "b", name: "ask_client" }]), says("done")];
  const world = await turnWorld({ replies, deps: { settingsOf: () => Promise.resolve(SETTINGS) } });
  await using _world = world;
  const dynamicTools = [{ name: "ask_client", description: "", input_schema: {} }];
  const { id } = await world.create({ dynamicTools });
  assert.equal((await world.drive(id)).status, "waiting");
  const texts = JSON.stringify(await world.history(id));
  assert.match(texts, /must be called alone.*skipped because advisor must run alone/);
});
