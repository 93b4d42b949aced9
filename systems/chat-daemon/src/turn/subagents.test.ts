import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Clock } from "@atelier/base/clock";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import type { Subscriber } from "@atelier/database/pub-sub";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { agentCallOnce } from "../chats/once-actions.ts";
import { boundary, must } from "../state/chat-world-testkit.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { subagentTools } from "../tools/subagent-tools.ts";
import type { ChatTool } from "../tools/tool.ts";
import { openSubagents, type SubagentDeps } from "./subagents-actions.ts";
import {
  addWorkspace,
  callsTools,
  says,
  turnWorld,
  type TurnWorld,
  type TurnWorldOptions,
} from "./turn-testkit.ts";

type Watcher = () => void;

/** A world whose chats can start others; nothing runs the children but the test. */
async function subagentWorld(options: TurnWorldOptions = {}, more: Partial<SubagentDeps> = {}) {
  const tools: ChatTool[] = [];
  const watchers = new Set<Watcher>();
  const world: TurnWorld = await turnWorld({
    ...options,
    deps: { ...options.deps, toolsOf: async () => tools },
  });
  const { machine, database, modelConfigId } = world.chats;
  const news = {
    isConnected: true,
    subscribe: (_channel: string, on: Subscriber): Disposable => {
      const watcher = (): void => on.message("");
      watchers.add(watcher);
      return {
        [Symbol.dispose]: () => {
          watchers.delete(watcher);
        },
      };
    },
  };
  const subagents = openSubagents({
    ...{ machine, sql: database.sql, usableModels: () => Promise.resolve([]) },
    childModel: (_parent, { reasoningEffort }) =>
      Promise.resolve(ok({ modelConfigId, reasoningEffort })),
    newChatPrompt: () =>
      Promise.resolve({ includesDefault: true, deploymentPrompt: "", organizationPrompt: "" }),
    computerUse: () => Promise.resolve(ok(undefined)),
    serversForExplorer: ({ mcpServerIds }) => Promise.resolve(mcpServerIds.slice(1)),
    once: (call, run) => agentCallOnce({ database, clock: systemClock }, call, run),
    news,
    ...more,
  });
  tools.push(...subagentTools(subagents));
  return { world, watchers, news, subagents };
}

async function resultsOf(
  world: TurnWorld,
  chatId: string,
): Promise<readonly Record<string, unknown>[]> {
  const rows = (await world.history(chatId)).filter(({ role }) => role === "tool");
  return rows.map(({ content: [part] }) => {
    assert.ok(part?.type === "tool-result");
    return part.result as Record<string, unknown>;
  });
}

const spawnCall = (input: object) => callsTools([{ id: "s", name: "spawn_agent", input }]);

async function childOf(world: TurnWorld, parent: ChatRow): Promise<ChatRow> {
  const [first] = await resultsOf(world, parent.id);
  return world.row(String(first?.["chat_id"]));
}

/** A child as the tool asks for it. */
const GENERAL = {
  callId: "1",
  type: "general",
  prompt: "p",
  title: "",
  modelConfigId: null,
  reasoningEffort: null,
} as const;

test("a child starts with its own prompt, its parent's owner and the key of its parent's turn", async () => {
  const { world } = await subagentWorld({
    replies: [spawnCall({ type: "general", prompt: "look it up" }), says("ok")],
  });
  await using _world = world;
  const parent = await world.create({ labels: { a: "b" } });
  await world.drive(parent.id);
  const child = await childOf(world, parent);
  assert.equal(child.status, "running");
  assert.deepEqual(
    [child.parentChatId, child.rootChatId, child.title],
    [parent.id, parent.id, "look it up"],
  );
  assert.deepEqual([child.ownerId, child.labels], [parent.ownerId, {}]);
  const { rows } = await world.chats.database.pool.query<Record<string, string>>(
    "select role, api_key_id, content::text as content from chat_messages where chat_id = $1 order by id",
    [child.id],
  );
  const asked = rows.at(-1);
  assert.deepEqual([asked?.["role"], asked?.["api_key_id"]], ["user", world.chats.apiKeyId]);
  const system = rows
    .slice(0, -1)
    .map(({ content }) => content)
    .join("");
  assert.match(system, /Another agent delegated this task/);
  assert.doesNotMatch(system, /spawn_agent/);
});

test("a child works where its parent does, under its plan and with its tool servers; who explores plans nothing", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const workspaceId = await addWorkspace(world);
  const mcpServerIds = [randomUUID(), randomUUID()];
  const dynamicTools = [{ name: "ask_client", description: "", input_schema: {} }];
  const parent = await world.create({
    ...{ workspaceId, mcpServerIds, dynamicTools, planMode: "plan", clientType: "ui" },
    labels: { team: "core" },
  });
  for (const [type, planMode, mode, serverIds] of [
    ["general", "plan", null, mcpServerIds],
    // Of its parent's, those that the parent's turn may use.
    ["explore", null, "explore", mcpServerIds.slice(1)],
  ] as const) {
    const request = { ...GENERAL, callId: type, type, title: type };
    const { chatId } = must(await subagents.spawn(parent, request));
    const child = await world.row(chatId);
    assert.deepEqual([child.planMode, child.mode], [planMode, mode]);
    assert.deepEqual(
      [child.workspaceId, child.mcpServerIds, child.clientType, child.organizationId],
      [workspaceId, serverIds, "ui", parent.organizationId],
    );
    assert.deepEqual([child.dynamicTools, child.labels], [null, {}]);
    assert.deepEqual([child.title, child.titleSource], [type, "user"], "no model names it anew");
  }
});

test("the same call sends one message, also when it is made again after a crash, or at the same time", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const request = {
    ...{ callId: "1:s", type: "general" as const, prompt: "p", title: "" },
    modelConfigId: null,
    reasoningEffort: null,
  };
  const { chatId } = must(await subagents.spawn(parent, request));
  const message = { callId: "2:m", text: "look there too", interrupts: false };
  const sent = await Promise.all(
    Array.from({ length: 4 }, () => subagents.message(parent, chatId, message)),
  );
  assert.ok(
    sent.every(({ ok: isOk }) => isOk),
    JSON.stringify(sent),
  );
  must(await subagents.message(parent, chatId, message));
  const queued = async () => {
    const { rows } = await world.chats.database.pool.query(
      "select 1 from chat_queued_messages where chat_id = $1",
      [chatId],
    );
    return rows.length;
  };
  assert.equal(await queued(), 1);
  must(await subagents.message(parent, chatId, { ...message, callId: "3:m" }));
  assert.equal(await queued(), 2);
  const other = await subagents.message(parent, chatId, { ...message, text: "something else" });
  assert.equal(other.ok, false);
  // What was refused was not done, and may be asked for again.
  const nobody = { ...message, callId: "4:m" };
  assert.equal((await subagents.message(parent, randomUUID(), nobody)).ok, false);
  must(await subagents.message(parent, chatId, nobody));
});

test("the same call starts one child, also when it is made again after a crash", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const request = {
    ...{ callId: "1:s", type: "explore" as const, prompt: "p", title: "" },
    modelConfigId: null,
    reasoningEffort: null,
  };
  const [first, again] = [
    await subagents.spawn(parent, request),
    await subagents.spawn(parent, request),
  ];
  assert.equal(must(first).chatId, must(again).chatId);
  assert.equal((await subagents.list(parent, { limit: 10, offset: 0 })).total, 1);
  assert.equal((await world.row(must(first).chatId)).mode, "explore");
});

for (const { name, input = {}, planMode = null, key = ok(undefined), want } of [
  {
    name: "with a model",
    input: { reasoning_effort: "low" },
    want: /has a model of its own/,
  },
  {
    name: "while planning",
    planMode: "plan" as const,
    want: /while planning. Use general, explore/,
  },
  {
    name: "without a key for its model",
    key: fail('API key for computer-use provider "anthropic" is not configured'),
    want: /^API key for computer-use provider "anthropic" is not configured$/,
  },
  { name: "with a key", want: /The workspace has no desktop.*Use general, explore/ },
] as const) {
  test(`an agent for a desktop is refused ${name}, and says why`, async () => {
    const replies = [spawnCall({ type: "computer_use", prompt: "p", ...input }), says("ok")];
    const { world, subagents } = await subagentWorld(
      { replies },
      { computerUse: () => Promise.resolve(key) },
    );
    await using _world = world;
    const parent = await world.create({ planMode });
    await world.drive(parent.id);
    const [refused] = await resultsOf(world, parent.id);
    assert.match(String(refused?.["error"]), want);
    const { total } = await subagents.list({ id: parent.id } as never, { limit: 1, offset: 0 });
    assert.equal(total, 0);
  });
}

test("a type that there is not, and a model that cannot be had, are told", async () => {
  const { world, subagents } = await subagentWorld(
    { replies: [spawnCall({ type: "wizard", prompt: "p" }), says("ok")] },
    { childModel: () => Promise.resolve(fail("no such model: see list_subagent_models")) },
  );
  await using _world = world;
  const parent = await world.create();
  await world.drive(parent.id);
  const [refused] = await resultsOf(world, parent.id);
  assert.match(String(refused?.["error"]), /no agent of type wizard.*general, explore/i);
  assert.deepEqual(
    await subagents.spawn(parent, GENERAL),
    fail("no such model: see list_subagent_models"),
  );
});

test("a parent that is archived by now starts nobody", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  must(await world.chats.machine.change(parent.id, (chat) => chat.finishTurn()));
  must(await world.chats.machine.setFamilyArchived(parent.id, true));
  assert.deepEqual(await subagents.spawn(parent, GENERAL), fail("This chat is archived."));
  assert.equal((await subagents.list(parent, { limit: 10, offset: 0 })).total, 0);
});

test("waiting ends when the child is done, with its report; others' chats are not found", async () => {
  const { world, watchers, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const request = { ...GENERAL, title: "T" };
  const { chatId } = must(await subagents.spawn(parent, request));
  const tool = subagentTools(subagents).find(({ name }) => name === "wait_agent") ?? assert.fail();
  const clock = new FakeClock();
  const context = { ...contextOf(parent, clock) };
  const waiting = tool.run({ chat_id: chatId }, context);
  while (watchers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  must(
    await world.chats.machine.change(chatId, async (chat) => {
      must(
        await chat.commitStep([
          { role: "assistant", content: [{ type: "text", text: "found it" }] },
        ]),
      );
      return chat.finishTurn();
    }),
  );
  for (const changed of watchers) changed();
  assert.deepEqual(await waiting, {
    kind: "json",
    value: { chat_id: chatId, title: "T", status: "waiting", type: "general", report: "found it" },
  });
  assert.equal(watchers.size, 0, "nobody listens any more");
  const other = await world.create();
  const foreign = await tool.run({ chat_id: chatId }, contextOf(other, clock));
  assert.equal(foreign.kind, "error");
});

test("waiting too long says so and leaves the child alone; a child's error is told in its parts", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const request = { ...GENERAL, title: "T" };
  const { chatId } = must(await subagents.spawn(parent, request));
  const tool = subagentTools(subagents).find(({ name }) => name === "wait_agent") ?? assert.fail();
  const clock = new FakeClock();
  const late = tool.run({ chat_id: chatId, timeout_seconds: 1 }, contextOf(parent, clock));
  let isOver = false;
  const ended = late.then(() => (isOver = true));
  while (!isOver) {
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  const told = await late;
  assert.ok(told.kind === "json");
  assert.deepEqual(told.value, {
    chat_id: chatId,
    title: "T",
    status: "running",
    type: "general",
    timed_out: true,
  });
  const error = { message: "broke", kind: "auth" as const, retryable: false, detail: "why" };
  must(await world.chats.machine.change(chatId, (chat) => chat.finishError(error)));
  const broken = await tool.run({ chat_id: chatId }, contextOf(parent, clock));
  assert.deepEqual(broken.kind === "json" && broken.value, {
    ...{ chat_id: chatId, title: "T", status: "error", type: "general", report: "" },
    ...{
      last_error: "broke",
      last_error_kind: "auth",
      last_error_retryable: false,
      last_error_detail: "why",
    },
  });
});

test("what a parent's turn sends is asked for with the key of that turn", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const { chatId } = must(await subagents.spawn(parent, GENERAL));
  const more = { callId: "2:m", text: "also this", interrupts: false };
  must(await subagents.message(parent, chatId, more));
  const keys = async (table: string) => {
    const { rows } = await world.chats.database.pool.query<{ api_key_id: string | null }>(
      `select api_key_id from ${table} where chat_id = $1 order by id desc limit 1`,
      [chatId],
    );
    return rows.map((row) => row.api_key_id);
  };
  assert.deepEqual(await keys("chat_queued_messages"), [world.chats.apiKeyId]);
  must(await world.chats.machine.change(chatId, (chat) => chat.finishTurn()));
  assert.deepEqual(await keys("chat_messages"), [world.chats.apiKeyId], "also when it is taken up");
});

test("the key is that of the newest message that a person sent, and no older one where that has none", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const { machine, database, apiKeyId, user } = world.chats;
  const parent = await world.create();
  let calls = 0;
  const keys = async () => {
    calls += 1;
    const { chatId } = must(await subagents.spawn(parent, { ...GENERAL, callId: `s${calls}` }));
    const more = { callId: `m${calls}`, text: "also this", interrupts: false };
    must(await subagents.message(parent, chatId, more));
    const { rows } = await database.pool.query<{ key: string | null }>(
      `select api_key_id as key from chat_messages where chat_id = $1 and role = 'user'
       union all select api_key_id from chat_queued_messages where chat_id = $1`,
      [chatId],
    );
    return rows.map(({ key }) => key);
  };
  assert.deepEqual(await keys(), [apiKeyId, apiKeyId]);
  must(await machine.change(parent.id, (chat) => chat.commitStep(boundary())));
  assert.deepEqual(await keys(), [apiKeyId, apiKeyId], "a summary is no request");
  must(await machine.change(parent.id, (chat) => chat.finishTurn()));
  const unsigned = user("and now?", { apiKeyId: null });
  must(await machine.change(parent.id, (chat) => chat.sendMessage(unsigned, "queue")));
  assert.deepEqual(await keys(), [null, null]);
  const repeated = { role: "user", visibility: "model", apiKeyId, content: [] } as const;
  must(await machine.change(parent.id, (chat) => chat.commitStep([repeated])));
  assert.deepEqual(await keys(), [null, null], "nobody sent what only the model sees");
});

test("another chat's agents are neither given work nor stopped", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const { chatId } = must(await subagents.spawn(parent, GENERAL));
  const other = contextOf(await world.create(), new FakeClock());
  const tools = new Map(subagentTools(subagents).map((tool) => [tool.name, tool]));
  for (const [name, input] of [
    ["message_agent", { chat_id: chatId, message: "stop that", interrupt: true }],
    ["interrupt_agent", { chat_id: chatId }],
    ["wait_agent", { chat_id: chatId }],
  ] as const) {
    const told = await tools.get(name)?.run(input, other);
    assert.ok(told?.kind === "error" && told.message.includes(chatId), name);
  }
  const { status, queueLength } = await world.row(chatId);
  assert.deepEqual([status, queueLength], ["running", 0]);
  const listed = await tools.get("list_agents")?.run({}, other);
  assert.deepEqual(listed, {
    kind: "json",
    value: { agents: [], total: 0, returned: 0, offset: 0, has_more: false },
  });
});

for (const { name, isConnected, looksMs } of [
  { name: "while news come, every five seconds", isConnected: true, looksMs: [0, 5_000, 8_000] },
  {
    name: "while none come, five times a second",
    isConnected: false,
    looksMs: [0, 200, 400, 600, 800, 1_000],
  },
]) {
  test(`a child is looked at ${name}, and once more when time is over`, async () => {
    const { world, news, subagents } = await subagentWorld();
    await using _world = world;
    news.isConnected = isConnected;
    const parent = await world.create();
    const { chatId } = must(await subagents.spawn(parent, GENERAL));
    const looks: number[] = [];
    const clock = new FakeClock();
    let sleeps = 0;
    const counting: Clock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (delayMs, signal) => {
        sleeps += 1;
        return clock.sleep(delayMs, signal);
      },
    };
    const endMs = looksMs.at(-1) ?? 0;
    const looking: typeof subagents = {
      ...subagents,
      find: async (asking, id) => {
        looks.push(clock.monotonicMs());
        // It ends in the very moment in which the time is over.
        if (clock.monotonicMs() === endMs) {
          await world.chats.machine.change(chatId, (chat) => chat.finishTurn());
        }
        return subagents.find(asking, id);
      },
    };
    const tool = subagentTools(looking).find(({ name: each }) => each === "wait_agent");
    const context = { ...contextOf(parent, clock), clock: counting };
    const waiting = tool?.run({ chat_id: chatId, timeout_seconds: endMs / 1_000 }, context);
    for (let look = 1; look < looksMs.length; look++) {
      for (let turns = 0; sleeps < look && turns < 10_000; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await clock.advance((looksMs[look] ?? 0) - (looksMs[look - 1] ?? 0));
    }
    const told = await waiting;
    assert.ok(told?.kind === "json");
    const { status, timed_out: timedOut } = told.value as Record<string, unknown>;
    assert.deepEqual([status, timedOut], ["waiting", undefined], "that is no timeout");
    assert.deepEqual(looks, looksMs);
  });
}

test("a parent that is stopped while it waits leaves its agents at work", async () => {
  const { world, watchers, subagents } = await subagentWorld();
  await using _world = world;
  const { machine } = world.chats;
  const parent = await world.create();
  const { chatId } = must(await subagents.spawn(parent, GENERAL));
  const stop = new AbortController();
  const tool = subagentTools(subagents).find(({ name }) => name === "wait_agent");
  const context = { ...contextOf(parent, new FakeClock()), signal: stop.signal };
  const waiting = tool?.run({ chat_id: chatId }, context);
  while (watchers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  must(await machine.change(parent.id, (chat) => chat.interrupt("stop")));
  stop.abort(new Error("interrupted"));
  await assert.rejects(async () => waiting, /interrupted/);
  assert.equal(watchers.size, 0);
  assert.equal((await world.drive(parent.id)).status, "waiting");
  assert.equal((await world.row(chatId)).status, "running");
});

test("a parent that is stopped while it looks after its agent does not begin to wait", async () => {
  const stop = new AbortController();
  const { world, subagents, watchers } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const { chatId } = must(await subagents.spawn(parent, GENERAL));
  const looking: typeof subagents = {
    ...subagents,
    find: async (...about) => {
      const found = await subagents.find(...about);
      stop.abort(new Error("interrupted"));
      return found;
    },
  };
  const tool = subagentTools(looking).find(({ name }) => name === "wait_agent");
  // Its clock stands still: whoever waits, waits for ever.
  const context = { ...contextOf(parent, new FakeClock()), signal: stop.signal };
  await assert.rejects(async () => tool?.run({ chat_id: chatId }, context), /interrupted/);
  assert.equal(watchers.size, 0);
});

test("a child is given more to do, and stopped", async () => {
  const { world, subagents } = await subagentWorld();
  await using _world = world;
  const parent = await world.create();
  const request = { ...GENERAL, title: "T" };
  const { chatId } = must(await subagents.spawn(parent, request));
  must(
    await subagents.message(parent, chatId, {
      callId: "9:m",
      text: "also this",
      interrupts: false,
    }),
  );
  assert.equal((await world.row(chatId)).queueLength, 1);
  assert.equal(must(await subagents.interrupt(parent, chatId, "10:i")), true);
  assert.equal((await world.row(chatId)).status, "interrupting");
  assert.equal(must(await subagents.interrupt(parent, chatId, "11:i")), false);
  // Whoever made one of these calls, and was held up, or died and makes it again, stops no later turn.
  must(await world.chats.machine.change(chatId, (chat) => chat.finishInterruption(null)));
  assert.equal((await world.row(chatId)).status, "running");
  assert.equal(must(await subagents.interrupt(parent, chatId, "10:i")), true);
  assert.equal(must(await subagents.interrupt(parent, chatId, "11:i")), false);
  assert.equal((await world.row(chatId)).status, "running");
});

function contextOf(chat: ChatRow, clock: FakeClock): Parameters<ChatTool["run"]>[1] {
  return {
    ...{
      chat,
      toolCallId: "c",
      callId: "c",
      clock,
      signal: new AbortController().signal,
      publish: () => {},
    },
    effect: { chatId: chat.id, callId: "c", inputHash: "", fence: 1 },
    workspace: () => Promise.resolve(fail("none")),
    random: { uuid: () => "", alphanumeric: () => "" },
  };
}
