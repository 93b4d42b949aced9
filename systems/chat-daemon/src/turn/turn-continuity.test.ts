import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { z } from "zod";
import { APICallError } from "@ai-sdk/provider";
import { ok } from "@atelier/base/result";
import { createChatMachine } from "../state/chat-machine-actions.ts";
import { must, takingWorker } from "../state/chat-world-testkit.ts";
import { defineTool, toolValue, type ToolOutcome } from "../tools/tool.ts";
import { runGeneration } from "./generation-task.ts";
import type { ContextFile } from "@atelier/contract/rpc/workspace/machine";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { addWorkspace, callsTools, says, turnWorld } from "./turn-testkit.ts";

/** Named as a tool that every chat has. */
function fakeTool(run: (input: { n?: number | undefined }) => Promise<ToolOutcome>) {
  const input = z.object({ n: z.number().optional() });
  return defineTool({ name: "execute", description: "", input, run: (given) => run(given) });
}

test("signatures of thoughts come back to the provider over a loop of twenty steps", async () => {
  const tool = fakeTool(({ n }) => Promise.resolve(toolValue({ n })));
  const thought = (n: number) => [
    { type: "reasoning-start" as const, id: "0" },
    { type: "reasoning-delta" as const, id: "0", delta: `thought ${n}` },
    {
      ...{ type: "reasoning-delta" as const, id: "0", delta: "" },
      providerMetadata: { anthropic: { signature: `sig-${n}` } },
    },
    { type: "reasoning-end" as const, id: "0" },
  ];
  const replies = Array.from({ length: 20 }, (_, n) => [
    ...thought(n),
    ...callsTools([{ id: `call-${n}`, name: "execute", input: { n } }]),
  ]);
  await using world = await turnWorld({ tools: [tool], replies: [...replies, says("done")] });
  const { id } = await world.create();
  await world.drive(id);
  const last = world.calls.at(-1)?.prompt ?? [];
  const signatures = last
    .filter(({ role }) => role === "assistant")
    .map(({ content: [part] }) => {
      assert.ok(typeof part === "object" && part.type === "reasoning");
      return [part.text, part.providerOptions?.["anthropic"]?.["signature"]];
    });
  assert.deepEqual(
    signatures,
    Array.from({ length: 20 }, (_, n) => [`thought ${n}`, `sig-${n}`]),
  );
  // What was sent before is never sent in another form: caches serve it.
  for (const [index, call] of world.calls.entries()) {
    assert.deepEqual(last.slice(0, call.prompt.length), call.prompt, `call ${index}`);
  }
});

test("a conversation that the provider keeps is continued by its answer's id, and replayed when it is lost", async () => {
  const lost = new APICallError({
    ...{ message: "no", url: "http://x", requestBodyValues: {}, statusCode: 404 },
    responseBody: '{"error":{"message":"Previous response with id \'resp_one\' not found."}}',
  });
  const clock = new FakeClock();
  await using world = await turnWorld({
    ...{ clock, model: { isStored: true }, replies: [says("one"), lost, says("two")] },
  });
  const { id } = await world.create();
  await world.drive(id);
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.sendMessage(world.chats.user("more"), "queue"),
    ),
  );
  const task = runGeneration(world.deps, await world.runOf(id));
  await until(async () => (await world.row(id)).retryState);
  await clock.advance(1_000);
  assert.equal(await task, "done");
  const [, chained, replayed] = world.calls;
  assert.equal(chained?.providerOptions?.["openai"]?.["previousResponseId"], "resp_one");
  assert.equal(chained?.prompt.length, 1);
  assert.equal(replayed?.providerOptions?.["openai"], undefined);
  assert.equal(replayed?.prompt.length, 3);
});

test("only the first step of a turn continues a kept answer: behind its tools all is sent", async () => {
  const tool = fakeTool(({ n }) => Promise.resolve(toolValue({ n })));
  const calls = callsTools([{ id: "a", name: "execute", input: { n: 1 } }]);
  await using world = await turnWorld({
    ...{ model: { isStored: true }, tools: [tool] },
    replies: [says("one"), [{ type: "response-metadata", id: "resp_two" }, ...calls], says("done")],
  });
  const { id } = await world.create();
  await world.drive(id);
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.sendMessage(world.chats.user("more"), "queue"),
    ),
  );
  assert.equal((await world.drive(id)).status, "waiting");
  const sent = world.calls.map(({ prompt, providerOptions }) => [
    providerOptions?.["openai"]?.["previousResponseId"],
    prompt.map(({ role }) => role).join(),
  ]);
  assert.deepEqual(sent, [
    [undefined, "user"],
    ["resp_one", "user"],
    [undefined, "user,assistant,user,assistant,tool"],
  ]);
});

test("an answer goes on from what had been shown when its writer died", async () => {
  const died = new AbortController();
  await using world = await turnWorld({
    replies: [
      () => {
        died.abort(new Error("killed"));
        return Promise.reject(new Error("killed"));
      },
      says(" and that was it"),
    ],
  });
  const { id } = await world.create();
  const run = await world.runOf(id, died.signal);
  assert.equal(await runGeneration(world.deps, run), "cancelled");
  world.episodes.shownBefore(
    { chatId: id, historyVersion: run.fence.historyVersion, generationAttempt: 1 },
    [{ role: "assistant", part: { type: "text", text: "It began" } }],
  );
  await world.drive(id);
  const visible = (await world.history(id)).filter(({ visibility }) => visibility !== "model");
  assert.deepEqual(
    visible.map(({ content: [part] }) => part?.type === "text" && part.text),
    ["hello", "It began", " and that was it"],
  );
});

test("a server that dies between its tools and their commit: another makes the same calls again", async () => {
  const died = new AbortController();
  const asked: (readonly [callId: string, inputHash: string, fence: number])[] = [];
  const tool = defineTool({
    ...{ name: "execute", description: "", input: z.object({ n: z.number() }) },
    run: ({ n }, { callId, effect }) => {
      asked.push([callId, effect.inputHash, effect.fence]);
      // It is done; its server is not there any more to say so.
      if (asked.length === 2) died.abort(new Error("killed"));
      return Promise.resolve(toolValue({ n, run: asked.length }));
    },
  });
  const calls = [1, 2].map((n) => ({ id: `call-${n}`, name: "execute", input: { n } }));
  await using world = await turnWorld({ tools: [tool], replies: [callsTools(calls), says("ok")] });
  const { machine, database } = world.chats;
  const { id } = await world.create();
  await world.step(id);
  const before = await world.runOf(id, died.signal);
  assert.equal(await runGeneration(world.deps, before), "cancelled");
  assert.equal((await world.history(id)).length, 2, "nothing of it is committed");
  await database.pool.query("delete from chat_heartbeats");
  assert.ok(await machine.acquire(id, { workerId: AGENT, runnerId: AGENT }));
  assert.equal((await world.drive(id)).status, "waiting");
  // Known by the same names, to whoever keeps what calls did; of a server that counts more.
  const names = asked.map(([callId, inputHash]) => `${callId} ${inputHash}`);
  assert.deepEqual(names.slice(2), names.slice(0, 2));
  assert.equal(new Set(names).size, 2);
  assert.deepEqual(
    asked.map(([, , fence]) => fence),
    [1, 1, 2, 2],
  );
  const results = (await world.history(id)).filter(({ role }) => role === "tool");
  assert.deepEqual(
    results.map(({ content: [part] }) => part?.type === "tool-result" && part.result),
    [
      { n: 1, run: 3 },
      { n: 2, run: 4 },
    ],
  );
});

test("a server that died behind the message it took has made the first attempt: its successor makes the second", async (t) => {
  await using world = await turnWorld({ replies: [says("one"), says("two")] });
  const { database, machine, user } = world.chats;
  const { id } = await world.create();
  await world.drive(id);
  must(await machine.abandonFenced(id, (await world.runOf(id)).fence));
  const clock = new FakeClock();
  const dying = createChatMachine({ database, clock, ownWorker: takingWorker() });
  assert.ok(await dying.sendAtRest(id, user("more"), { conditions: [], writes: [] }));
  assert.equal((await world.row(id)).generationAttempt, 1);
  await database.pool.query("delete from chat_heartbeats");
  const successor = { workerId: randomUUID(), runnerId: randomUUID() };
  assert.ok(await machine.acquire(id, successor));
  const shows = t.mock.method(world.deps.episodes, "createEpisode");
  assert.equal((await world.drive(id)).status, "waiting");
  assert.deepEqual(
    shows.mock.calls.map(({ arguments: [episode] }) => episode.generationAttempt),
    [2],
  );
  assert.deepEqual((await world.history(id)).at(-1)?.content, [{ type: "text", text: "two" }]);
});

test("a tool whose workspace obeys another server by now: nothing is committed", async () => {
  const tool = fakeTool(() => Promise.resolve({ kind: "stale" as const }));
  const calls = [{ id: "a", name: "execute" }];
  await using world = await turnWorld({ tools: [tool], replies: [callsTools(calls)] });
  const { id } = await world.create();
  assert.equal(await world.step(id), "done");
  assert.equal(await world.step(id), "stale");
  assert.equal((await world.history(id)).length, 2);
});

test("trouble of the database is for the runner to repeat: nothing is lost, nothing doubled", async () => {
  await using world = await turnWorld({ replies: [says("first"), says("second")] });
  const { id } = await world.create();
  const changeFenced = () => Promise.reject(new Error("connection terminated"));
  const { machine } = world.chats;
  const broken = {
    changeFenced,
    beginFenced: machine.beginFenced.bind(machine),
    recordAttemptFenced: machine.recordAttemptFenced.bind(machine),
  };
  const deps = { ...world.deps, machine: { ...world.deps.machine, ...broken } };
  await assert.rejects(runGeneration(deps, await world.runOf(id)), /connection terminated/);
  assert.equal((await world.drive(id)).status, "waiting");
  const visible = (await world.history(id)).filter(({ visibility }) => visibility !== "model");
  // What had been shown stays, and the model goes on behind it.
  assert.equal(visible.length, 3);
});

test("instructions and skills of the workspace are told once, and stay as they were", async () => {
  let reads = 0;
  const services = workspaceOf(() => {
    reads += 1;
    return [
      {
        ...{ kind: "instructions" as const, path: "/w/AGENTS.md", name: "", description: "" },
        ...{ content: `rule ${reads}`, isCut: false },
      },
      {
        ...{ kind: "skill" as const, path: "/w/.agents/skills/a/SKILL.md", name: "a-skill" },
        ...{ description: "does", content: "", isCut: false },
      },
    ];
  });
  await using world = await turnWorld({
    replies: [says("one"), says("two")],
    deps: {
      workspaceOf: () => Promise.resolve(ok({ workspaceId: "w", agentId: AGENT, services })),
    },
  });
  const { id } = await world.create({ workspaceId: await addWorkspace(world) });
  await world.drive(id);
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.sendMessage(world.chats.user("more"), "queue"),
    ),
  );
  await world.drive(id);
  assert.equal(reads, 1);
  const system = world.calls.map(({ prompt }) => prompt.filter(({ role }) => role === "system"));
  assert.match(JSON.stringify(system[0]), /rule 1.*a-skill: does/);
  assert.deepEqual(system[0], system[1]);
});

const AGENT = "22222222-2222-4222-8222-222222222222";

/** Only its machine answers. */
function workspaceOf(files: () => readonly ContextFile[]): WorkspaceServices {
  const machine = {
    info: () => Promise.resolve(ok({ os: "linux", directory: "/w" })),
    contextFiles: () => Promise.resolve(ok({ files: files() })),
  };
  return { machine } as unknown as WorkspaceServices; // Nothing else is asked for.
}

async function until<Value>(ask: () => Promise<Value | null>): Promise<Value> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
