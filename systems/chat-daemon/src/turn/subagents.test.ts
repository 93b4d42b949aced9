/** Agents that a chat starts: what they begin with, what they are told, and that each is done once. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail, ok } from "@atelier/base/result";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { boundary, must } from "../state/chat-world-testkit.ts";
import { subagentTools } from "../tools/subagent-tools.ts";
import {
  childOf,
  contextOf,
  GENERAL,
  resultsOf,
  spawnCall,
  subagentWorld,
} from "./subagents-testkit.ts";
import { addWorkspace, says } from "./turn-testkit.ts";

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
