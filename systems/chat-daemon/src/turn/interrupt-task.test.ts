import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { z } from "zod";
import { must } from "../state/chat-world-testkit.ts";
import { defineTool, toolValue } from "../tools/tool.ts";
import { runGeneration } from "./generation-task.ts";
import { interruptedResults, partialAnswer } from "./partial-step.ts";
import { addWorkspace, callsTools, says, turnWorld, type TurnWorld } from "./turn-testkit.ts";

/** A stream that stops after these parts until the chat is interrupted. */
function cutAfter(
  world: () => TurnWorld,
  parts: readonly LanguageModelV4StreamPart[],
): () => Promise<readonly LanguageModelV4StreamPart[]> {
  return async () => {
    await Promise.resolve();
    const cut = Promise.withResolvers<never>();
    const stream = async function* () {
      yield* parts;
      const [id] = ids;
      must(await world().chats.machine.change(id ?? "", (chat) => chat.interrupt("stop")));
      stop.abort(new Error("interrupted"));
      yield await cut.promise;
    };
    return stream() as unknown as readonly LanguageModelV4StreamPart[]; // Streams are made of iterables.
  };
}

let ids: string[] = [];
let stop = new AbortController();

async function interrupted(parts: readonly LanguageModelV4StreamPart[], then = says("next")) {
  ids = [];
  stop = new AbortController();
  const world: TurnWorld = await turnWorld({ replies: [cutAfter(() => world, parts), then] });
  const { id } = await world.create();
  ids.push(id);
  assert.equal(await runGeneration(world.deps, await world.runOf(id, stop.signal)), "cancelled");
  return { world, id };
}

test("what had been shown when the user stopped is kept, with thoughts that end now", async () => {
  const { world, id } = await interrupted([
    { type: "reasoning-start", id: "r" },
    { type: "reasoning-delta", id: "r", delta: "hm" },
    {
      ...{ type: "reasoning-end", id: "r" },
      providerMetadata: { anthropic: { signature: "s" } },
    },
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: "I was " },
    { type: "text-delta", id: "t", delta: "saying" },
    { type: "tool-input-start", id: "half", toolName: "execute" },
    { type: "tool-input-delta", id: "half", delta: '{"comm' },
  ]);
  await using _world = world;
  assert.equal((await world.drive(id)).status, "waiting");
  const last = (await world.history(id)).at(-1);
  assert.deepEqual(
    last?.content.map((part) =>
      part.type === "text" || part.type === "reasoning" ? part.text : part,
    ),
    ["hm", "I was saying"],
  );
  const [thought] = last?.content ?? [];
  assert.ok(thought?.type === "reasoning" && thought.completed_at !== undefined);
  assert.deepEqual(thought.provider_metadata, { anthropic: { signature: "s" } });
});

test("a call whose arguments were complete is kept with a result that says it was interrupted", async () => {
  const { world, id } = await interrupted([
    { type: "tool-call", toolCallId: "c", toolName: "execute", input: '{"command":"x"}' },
  ]);
  await using _world = world;
  await world.drive(id);
  const rows = (await world.history(id)).slice(1);
  assert.deepEqual(
    rows.map(({ role }) => role),
    ["assistant", "tool"],
  );
  assert.match(JSON.stringify(rows[1]?.content), /interrupted before it produced a result/);
});

test("nothing shown: nothing is kept, and the queue goes on", async () => {
  const { world, id } = await interrupted([]);
  await using _world = world;
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.sendMessage(world.chats.user("next?"), "queue"),
    ),
  );
  assert.equal((await world.drive(id)).status, "waiting");
  const texts = (await world.history(id)).map(({ content: [part] }) =>
    part?.type === "text" ? part.text : "",
  );
  assert.deepEqual(texts, ["hello", "next?", "next"]);
});

test("tools that were running: those are told, and their calls are answered", async () => {
  const stopped = new AbortController();
  const cancelled: string[] = [];
  const tool = defineTool({
    ...{ name: "execute", description: "", input: z.object({}) },
    run: async () => {
      must(await world.chats.machine.change(id, (chat) => chat.interrupt("stop")));
      stopped.abort(new Error("interrupted"));
      return toolValue({ tooLate: true });
    },
    cancel: (context) => {
      cancelled.push(context.callId);
      return Promise.resolve();
    },
  });
  const world: TurnWorld = await turnWorld({
    ...{ tools: [tool], replies: [callsTools([{ id: "a", name: "execute" }])] },
  });
  await using _world = world;
  const { id } = await world.create();
  await world.step(id);
  assert.equal(await runGeneration(world.deps, await world.runOf(id, stopped.signal)), "cancelled");
  assert.equal((await world.drive(id)).status, "waiting");
  assert.equal(cancelled.length, 1);
  const rows = await world.history(id);
  assert.deepEqual(
    rows.map(({ role }) => role),
    ["user", "assistant", "tool"],
  );
  assert.doesNotMatch(JSON.stringify(rows), /tooLate/);
});

test("an edit ends what the answers that it takes away still run, also for another server", async () => {
  const cancelled: string[] = [];
  const tool = defineTool({
    ...{ name: "execute", description: "", input: z.object({}) },
    run: () => Promise.resolve(toolValue({})),
    cancel: (context) => {
      cancelled.push(context.callId);
      return Promise.resolve();
    },
  });
  const call = callsTools([{ id: "a", name: "execute" }]);
  await using world = await turnWorld({
    ...{ tools: [tool], replies: [says("kept"), call, says("again"), says("more")] },
  });
  const { machine, user } = world.chats;
  const { id } = await world.create({ workspaceId: await addWorkspace(world) });
  await world.drive(id);
  must(await machine.change(id, (chat) => chat.sendMessage(user("run it"), "queue")));
  const owner = { workerId: randomUUID(), runnerId: randomUUID() };
  await machine.acquire(id, owner);
  await world.step(id);
  // The server dies while the tool runs; somebody edits; another server takes the chat.
  const asked = (await world.history(id)).at(-2);
  const answer = (await world.history(id)).at(-1);
  assert.ok(asked?.role === "user" && answer?.role === "assistant");
  must(await machine.change(id, (chat) => chat.editMessage(asked.id, user("do not"))));
  await machine.acquire(id, { workerId: randomUUID(), runnerId: randomUUID() });
  assert.equal((await world.drive(id)).status, "waiting");
  assert.deepEqual(cancelled, [`${answer.id}:a`]);
  // Seen to once.
  must(await machine.change(id, (chat) => chat.sendMessage(user("and now"), "queue")));
  await machine.acquire(id, owner);
  await world.drive(id);
  assert.equal(cancelled.length, 1);
});

test("blocks that were shown in pieces are put together, and those of a summary are not an answer", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const assistant = { role: "assistant" as const };
  const parts = partialAnswer(
    [
      {
        ...assistant,
        part: { type: "tool-call", tool_call_id: "s", tool_name: "chat_summarized", args: {} },
      },
      { ...assistant, part: { type: "reasoning", text: "a", created_at: at } },
      { ...assistant, part: { type: "reasoning", text: "b", created_at: at } },
      { ...assistant, part: { type: "reasoning", text: "", completed_at: at } },
      { ...assistant, part: { type: "reasoning", text: "c", created_at: at } },
      { ...assistant, part: { type: "text", text: "d" } },
      { ...assistant, part: { type: "text", text: "e" } },
    ],
    at,
  );
  assert.deepEqual(
    parts.map((part) => "text" in part && part.text),
    ["ab", "c", "de"],
  );
});

test("results that had come before the stop are kept", () => {
  const call = { type: "tool-call" as const, tool_call_id: "a", tool_name: "t", args: {} };
  const result = { type: "tool-result" as const, tool_call_id: "a", tool_name: "t", result: 1 };
  assert.deepEqual(interruptedResults([call], [{ role: "tool", part: result }]), [result]);
});
