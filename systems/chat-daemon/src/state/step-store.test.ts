import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { createChatMachine } from "./chat-machine-actions.ts";
import type { ChatFence, ChatMachine } from "./chat-machine.ts";
import type { ChatRow, NewMessage } from "./chat-row.ts";
import { findChat, toChatRow, type ChatDatabaseRow } from "./chat-store.ts";
import {
  boundary,
  callOf,
  chatWorld,
  DYNAMIC_TOOL,
  must,
  SAYS,
  takingWorker,
  type ChatWorld,
} from "./chat-world-testkit.ts";
import { NO_USAGE } from "./chat-row.ts";

test("a step at once leaves the chat as the transition of its name does", async () => {
  await using world = await chatWorld({ queueMax: 20, clock: new FakeClock() });
  const { machine } = world;
  for (const state of ["R0", "R1"] as const) {
    const [atOnce, bySteps] = [await running(world, state), await running(world, state)];
    for (const step of ["attempt", "commit", "attempt", "attempt", "commit"] as const) {
      const retry = { attempt: 1, delay_ms: 1, error: "busy", retrying_at: "2026-01-01T00:00:00Z" };
      for (const { id } of [atOnce, bySteps]) {
        await machine.change(id, (chat) => chat.recordRetryState(retry));
      }
      if (step === "attempt") {
        const fence = await fenceOf(machine, atOnce);
        const begun = must(await machine.beginFenced(atOnce.id, fence, null));
        // The first attempt begins with the reading, and no other does.
        assert.equal(begun.attempt, begun.chat.generationAttempt === 0 ? 1 : null);
        const fast =
          begun.attempt === null
            ? await machine.recordAttemptFenced(atOnce.id, fence)
            : ok({ attempt: begun.attempt });
        const slow = await machine.changeFenced(
          bySteps.id,
          await fenceOf(machine, bySteps),
          (chat) => chat.recordGenerationAttempt(),
        );
        assert.deepEqual(fast, slow);
      } else {
        const rows = [SAYS, { ...SAYS, usage: { ...NO_USAGE, inputTokens: 7 }, runtimeMs: 12 }];
        must(await machine.commitStepFenced(atOnce.id, await fenceOf(machine, atOnce), rows));
        const fence = await fenceOf(machine, bySteps);
        must(await machine.changeFenced(bySteps.id, fence, (chat) => chat.commitStep(rows)));
      }
      assert.deepEqual(await plain(world, atOnce.id), await plain(world, bySteps.id), step);
    }
  }
});

test("a step that goes on leaves the chat as both transitions do, and reads what the next one would", async () => {
  await using world = await chatWorld({ queueMax: 20, clock: new FakeClock() });
  const worker = takingWorker();
  const clock = new FakeClock();
  const machine = createChatMachine({ database: world.database, clock, ownWorker: worker });
  const beside = {
    name: "test",
    text: "json_build_object('owner', chats.owner_id)",
    version: "''::text",
  };
  const call = { role: "assistant", content: [callOf("a")] } as const;
  const result = {
    ...({ type: "tool-result", tool_call_id: "a", tool_name: "t", result: {} } as const),
  };
  const context = { role: "system", visibility: "model", content: [] } as const;
  const STEPS: readonly (readonly NewMessage[])[] = [
    [{ ...call, usage: { ...NO_USAGE, inputTokens: 7 }, runtimeMs: 12 }],
    [{ role: "tool", content: [result] }],
    [context, SAYS, SAYS],
  ];
  for (const state of ["R0", "R1"] as const) {
    const [atOnce, bySteps] = [await running(world, state), await running(world, state)];
    for (const rows of STEPS) {
      const fence = await fenceOf(machine, atOnce);
      worker.heard.length = 0;
      must(await machine.commitStepFenced(atOnce.id, fence, rows, { beside }));
      const slow = await fenceOf(machine, bySteps);
      must(
        await machine.changeFenced(bySteps.id, slow, async (chat) => {
          must(await chat.commitStep(rows));
          return chat.recordGenerationAttempt();
        }),
      );
      assert.deepEqual(await plain(world, atOnce.id), await plain(world, bySteps.id));
      const read = worker.read.at(-1) ?? assert.fail("it was read");
      // Another server's machine knows nothing of it.
      const now = await fenceOf(machine, atOnce);
      await fenceOf(machine, bySteps);
      const { chat, messages } = must(await world.machine.readFenced(atOnce.id, now));
      const { snapshotVersion } = read.chat;
      assert.deepEqual(read, {
        ...{ chat: { ...chat, generationAttempt: 0, snapshotVersion }, messages, attempt: 1 },
        beside: { owner: chat.ownerId },
      });
      const [moved] = worker.heard;
      assert.deepEqual(
        [moved?.historyVersion, moved?.generationAttempt, moved?.status],
        [read.chat.historyVersion, 1, "running"],
      );
    }
  }
});

test("a step that begins the history anew is read again behind it", async () => {
  await using world = await chatWorld();
  const worker = takingWorker();
  const { database } = world;
  const machine = createChatMachine({ database, clock: systemClock, ownWorker: worker });
  const chat = await running(world, "R1");
  const fence = await fenceOf(machine, chat);
  must(await machine.commitStepFenced(chat.id, fence, boundary(), { beside: null }));
  assert.deepEqual(worker.read, []);
  const next = must(await machine.beginFenced(chat.id, await fenceOf(machine, chat), null));
  assert.deepEqual([next.attempt, next.messages[0]?.role], [1, "user"]);
});

test("a chat that is let go at once is as the transaction leaves it", async () => {
  await using world = await chatWorld({ queueMax: 20, clock: new FakeClock() });
  const { machine } = world;
  const [atOnce, inSteps] = [await running(world, "R1"), await running(world, "R1")];
  must(await machine.abandonFenced(atOnce.id, await fenceOf(machine, atOnce)));
  const fence = await fenceOf(machine, inSteps);
  must(await machine.changeFenced(inSteps.id, fence, (chat) => chat.abandon()));
  // Asking for its fence was a change of its own.
  assert.deepEqual(await plain(world, atOnce.id), await plain(world, inSteps.id));
  for (const { id } of [atOnce, inSteps]) {
    const chat = must(await machine.change(id, async ({ row }) => Promise.resolve(ok(row))));
    assert.deepEqual([chat.workerId, chat.runnerId], [null, null]);
  }
});

test("whoever reads a chat at once has the same of each column as by the driver", async () => {
  await using world = await chatWorld();
  const { machine, database } = world;
  const { id: parentChatId } = await world.chatIn("W");
  const full = {
    ...{ parentChatId, rootChatId: parentChatId },
    mcpServerIds: [randomUUID(), randomUUID()],
    dynamicTools: [{ ...DYNAMIC_TOOL, description: `"ü€😀\n\\` }],
    labels: { "a.b": "ü\t'", c: "" },
  };
  for (const chat of [await running(world, "R0"), await running(world, "R0", full)]) {
    const compare = async (): Promise<void> => {
      const fence = await fenceOf(machine, chat);
      const { chat: atOnce } = must(await machine.readFenced(chat.id, fence));
      const byDriver = await database.pool.query<ChatDatabaseRow>(
        "select * from chats where id = $1",
        [chat.id],
      );
      assert.deepEqual([atOnce], byDriver.rows.map(toChatRow));
      assert.deepEqual(await findChat(database.sql, chat.id), atOnce);
    };
    await compare();
    // Columns that may be null have something, and times are finer than JavaScript's.
    await database.pool.query(
      `update chats set snapshot_version = snapshot_version + 1, title = $2,
         last_error = '{"message": "a \\u00fc \\"", "retryable": false, "n": 1.50}',
         retry_state = '{"attempt": 12345678901, "delay_ms": 0.1, "error": "", "retrying_at": "x"}',
         requires_action_deadline_at = '2026-03-29 02:30:00.069999+01', fence = 9007199254740991,
         compaction_requested_at = '1999-12-31 23:59:59.9999+05:30', pin_order = 7,
         last_read_message_id = 9007199254740990, last_turn_summary = $2, mode = 'explore',
         plan_mode = 'plan', last_reasoning_effort = 'high',
         created_at = '2026-01-01 00:00:00.000001Z', updated_at = '2026-01-01 00:00:00.283999Z'
       where id = $1`,
      [chat.id, `ü€😀\t"'\\`],
    );
    await compare();
  }
});

test("a step at once is refused where its fence does not hold, and changes nothing", async () => {
  await using world = await chatWorld();
  const { database } = world;
  const ownWorker = takingWorker();
  const machine = createChatMachine({ database, clock: systemClock, ownWorker });
  const chat = await running(world, "R0");
  const fence = await fenceOf(machine, chat);
  const before = await plain(world, chat.id);
  const stale = fail({ kind: "stale" });
  for (const wrong of [
    { ...fence, runnerId: randomUUID() },
    { ...fence, historyVersion: fence.historyVersion - 1 },
    { ...fence, status: "interrupting" as const },
  ]) {
    assert.deepEqual(await machine.recordAttemptFenced(chat.id, wrong), stale);
    assert.deepEqual(await machine.beginFenced(chat.id, wrong, null), stale);
    assert.deepEqual(await machine.commitStepFenced(chat.id, wrong, [SAYS]), stale);
    const goesOn = machine.commitStepFenced(chat.id, wrong, [SAYS], { beside: null });
    assert.deepEqual(await goesOn, stale);
    assert.deepEqual(await machine.readFenced(chat.id, wrong), stale);
    assert.deepEqual(await machine.abandonFenced(chat.id, wrong), stale);
    assert.deepEqual(
      await machine.changeFenced(chat.id, wrong, (locked) => locked.finishTurn()),
      stale,
    );
  }
  assert.deepEqual(await plain(world, chat.id), before);
  await machine.change(chat.id, (locked) => locked.interrupt("stop"));
  const interrupting = { ...fence, status: "interrupting" as const };
  assert.deepEqual(await machine.recordAttemptFenced(chat.id, interrupting), stale);
  assert.deepEqual(await machine.commitStepFenced(chat.id, interrupting, [SAYS]), stale);
  must(await machine.readFenced(chat.id, interrupting));
});

test("what is read beside a chat is of its row, and its reader is told the chat as it was", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const chat = await running(world, "R0");
  const fence = await fenceOf(machine, chat);
  const beside = {
    name: "test",
    text: "json_build_object('owner', chats.owner_id)",
    version: "''::text",
  };
  const first = must(await machine.beginFenced(chat.id, fence, beside));
  assert.deepEqual(first.beside, { owner: chat.ownerId });
  assert.deepEqual([first.chat.generationAttempt, first.attempt], [0, 1]);
  const { messages } = must(await machine.readFenced(chat.id, fence));
  assert.deepEqual(first.messages, messages);
  // Its server may have died with it: whoever comes next sees first what it had shown.
  const next = must(await machine.beginFenced(chat.id, fence, beside));
  assert.deepEqual([next.chat.generationAttempt, next.attempt], [1, null]);
});

test("reading, beginning an attempt and committing a step cost one round trip each", async (t) => {
  await using world = await chatWorld();
  const { machine, database } = world;
  const chat = await running(world, "R1");
  const fence = await fenceOf(machine, chat);
  // Without a transaction around it, a statement is a round trip.
  const queries = t.mock.method(database.pool, "query");
  must(await machine.readFenced(chat.id, fence));
  must(await machine.beginFenced(chat.id, fence, null));
  must(await machine.recordAttemptFenced(chat.id, fence));
  must(await machine.commitStepFenced(chat.id, fence, [SAYS, SAYS, SAYS]));
  assert.equal(queries.mock.callCount(), 4);
});

test("who read a chat before is sent what has changed since, and what a person's newest message has become", async (t) => {
  await using world = await chatWorld();
  const { machine, database } = world;
  const chat = await running(world, "R0");
  const read = async () => {
    const query = t.mock.method(database.pool, "query");
    const found = must(await machine.readFenced(chat.id, await fenceOf(world.machine, chat)));
    const answer: unknown = query.mock.calls.at(-1)?.result;
    const [row] = (await answer) as readonly (readonly string[])[];
    query.mock.restore();
    const { messages } = JSON.parse(row?.[1] ?? "") as { messages: { id: number }[] };
    return { found: found.messages, sent: messages.map(({ id }) => id) };
  };
  const first = await read();
  assert.deepEqual(
    first.sent,
    first.found.map(({ id }) => id),
  );
  const [asked] = first.sent;
  assert.equal(first.found[0]?.apiKeyId, world.apiKeyId);
  must(await machine.change(chat.id, (locked) => locked.commitStep([SAYS])));
  await database.pool.query("delete from api_keys");
  const second = await read();
  assert.deepEqual(second.sent, [asked, second.found.at(-1)?.id]);
  assert.equal(second.found.length, first.found.length + 1);
  assert.equal(second.found[0]?.apiKeyId, null);
  // Edited behind a boundary, and then before it: what the boundary had left out belongs to it again.
  const say = world.user("and then?", { apiKeyId: null });
  must(await machine.change(chat.id, (locked) => locked.finishTurn()));
  must(await machine.change(chat.id, (locked) => locked.sendMessage(say, "queue")));
  must(await machine.change(chat.id, (locked) => locked.commitStep([SAYS, ...boundary()])));
  const summed = await read();
  const later = summed.found.find(({ role, compressed }) => role === "user" && !compressed);
  must(await machine.change(chat.id, (locked) => locked.finishTurn()));
  must(await machine.change(chat.id, (locked) => locked.sendMessage(say, "queue")));
  assert.equal((await read()).found[0]?.compressed, true);
  must(await machine.change(chat.id, (locked) => locked.editMessage(later?.id ?? 0, say)));
  const whole = await read();
  assert.deepEqual(
    whole.found.map(({ id }) => id).slice(0, -1),
    second.found.map(({ id }) => id),
  );
  assert.deepEqual(
    whole.sent,
    whole.found.map(({ id }) => id),
  );
  // A database that was put back to what it was before: the later version means nothing there.
  const client = await database.pool.connect();
  await client.query("set session_replication_role = replica");
  await client.query("update chats set snapshot_version = 2, history_version = 2");
  await client.query("update chat_messages set revision = 2, content = '[]' where not deleted");
  client.release(true);
  assert.deepEqual(
    (await read()).found.map(({ content }) => content),
    whole.found.map(() => []),
  );
});

test("a model's history begins at the newest boundary, or at what a person wrote before", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const system = {
    role: "system" as const,
    content: [{ type: "text" as const, text: "be good" }],
    visibility: "model" as const,
  };
  const { messages } = world.newChat();
  const chat = await running(world, "R0", { messages: [system, ...messages] });
  const texts = async (): Promise<string[]> => {
    const read = must(await machine.readFenced(chat.id, await fenceOf(machine, chat)));
    assert.deepEqual(
      read.messages.map(({ chatId, createdAt }) => [chatId, createdAt instanceof Date]),
      read.messages.map(() => [chat.id, true]),
    );
    return read.messages.map(({ role, compressed }) => (compressed ? `(${role})` : role));
  };
  assert.deepEqual(await texts(), ["system", "user", "assistant"]);
  await machine.change(chat.id, (locked) => locked.commitStep(boundary()));
  const summary = ["(user)", "(assistant)", "(tool)"];
  assert.deepEqual(await texts(), ["system", "user", "assistant", ...summary]);
  await machine.change(chat.id, (locked) => locked.finishTurn());
  await machine.change(chat.id, (locked) => locked.sendMessage(world.user("next"), "queue"));
  assert.deepEqual(await texts(), ["system", ...summary, "user"]);
});

test("text that the database would refuse is kept with replacement characters", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const chat = await running(world, "R0");
  const text = "a\0b\ud800c\\u0000 \u{1f600}";
  const fence = await fenceOf(machine, chat);
  must(
    await machine.commitStepFenced(chat.id, fence, [
      { role: "assistant", content: [{ type: "text", text }] },
    ]),
  );
  const read = must(await machine.readFenced(chat.id, await fenceOf(machine, chat)));
  assert.deepEqual(read.messages.at(-1)?.content, [
    { type: "text", text: "a\ufffdb\ufffdc\\u0000 \u{1f600}" },
  ]);
});

async function running(
  world: ChatWorld,
  state: "R0" | "R1",
  more?: Parameters<ChatWorld["chatIn"]>[1],
): Promise<ChatRow> {
  const chat = await world.chatIn(state, more);
  const owner = { workerId: randomUUID(), runnerId: randomUUID() };
  return (await world.machine.acquire(chat.id, owner)) ?? assert.fail("nobody else takes it");
}

async function fenceOf(machine: ChatMachine, { id }: ChatRow): Promise<ChatFence> {
  const chat = must(await machine.change(id, async ({ row }) => Promise.resolve(ok(row))));
  const { runnerId, historyVersion, status } = chat;
  return { runnerId: runnerId ?? assert.fail("it has a runner"), historyVersion, status };
}

/** All columns of the chat and its messages, without those that differ from chat to chat. */
async function plain(world: ChatWorld, chatId: string): Promise<unknown> {
  const { rows } = await world.database.pool.query<{ readonly json: unknown }>(
    `select json_build_object('chat', to_jsonb(chats) - 'id' - 'worker_id' - 'runner_id', 'messages', (
       select json_agg(to_jsonb(m) - 'id' - 'chat_id' order by m.id)
       from chat_messages m where m.chat_id = chats.id)) as json
     from chats where id = $1`,
    [chatId],
  );
  return rows[0]?.json;
}
