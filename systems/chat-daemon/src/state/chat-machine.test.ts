import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail, type Result } from "@atelier/base/result";
import type { ChatMachine, LockedChat } from "./chat-machine.ts";
import type { ChatRow, StoredMessage } from "./chat-row.ts";
import { findChat } from "./chat-store.ts";
import { boundary, callOf, chatWorld, must, SAYS, type ChatWorld } from "./chat-world-testkit.ts";
import { EXECUTION_STATES, TRANSITIONS, type TransitionName } from "./execution-state.ts";
import { isTransitionAllowed } from "./transition-table.ts";
import { toStoredMessage, type MessageDatabaseRow } from "./message-store.ts";
import { listQueued } from "./queue-store.ts";

test("every transition that a state does not allow is refused, and changes nothing", async () => {
  await using world = await chatWorld();
  let refused = 0;
  for (const state of EXECUTION_STATES) {
    const chat = await world.chatIn(state === "invalid" ? "R0" : state);
    if (state === "invalid") {
      await world.database.pool.query("update chats set archived = true where id = $1", [chat.id]);
    }
    const before = await snapshot(world, chat.id);
    for (const transition of TRANSITIONS) {
      if (isTransitionAllowed(state, transition)) continue;
      const result = await world.machine.change(chat.id, attempt(transition, world));
      assert.deepEqual(result, fail({ kind: "refused", from: state, transition }));
      refused += 1;
    }
    assert.deepEqual(await snapshot(world, chat.id), before);
  }
  // As many pairs as spec agents 2.4 lists are allowed.
  assert.equal(refused, 13 * TRANSITIONS.length - 70);
});

test("a chat begins running, with version 1 of itself and of its history", async () => {
  await using world = await chatWorld();
  const { chat, messages } = must(await world.machine.create(world.newChat()));
  const { status, snapshotVersion, historyVersion, queueVersion, fence } = chat;
  assert.deepEqual(
    { status, snapshotVersion, historyVersion, queueVersion, fence },
    { status: "running", snapshotVersion: 1, historyVersion: 1, queueVersion: 0, fence: 0 },
  );
  assert.deepEqual(
    messages.map(({ role, revision, apiKeyId, modelConfigId }) => ({
      ...{ role, revision, apiKeyId, modelConfigId },
    })),
    [{ role: "user", revision: 1, apiKeyId: world.apiKeyId, modelConfigId: world.modelConfigId }],
  );
});

test("after an error, what is sent goes behind what waits, and the head of the queue is answered", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("E1");
  const sent = must(
    await world.machine.change(id, (chat) => chat.sendMessage(world.user("newest"), "queue")),
  );
  assert.equal(sent.kind, "queued");
  const { row, texts, queue } = await snapshot(world, id);
  assert.deepEqual([row.status, row.lastError], ["running", null]);
  assert.deepEqual(texts.at(-1), "queued");
  assert.deepEqual(queue, ["newest"]);
});

test("a full queue takes no more, and one that is answered meanwhile makes room", async () => {
  await using world = await chatWorld({ queueMax: 2 });
  const { machine } = world;
  const { id } = await world.chatIn("R1");
  const send = () => machine.change(id, (chat) => chat.sendMessage(world.user("x"), "queue"));
  must(await send());
  const before = await snapshot(world, id);
  assert.deepEqual(await send(), fail({ kind: "queue_full", max: 2 }));
  assert.deepEqual(await snapshot(world, id), before);
  const broken = { message: "broke", retryable: false };
  must(await machine.change(id, (chat) => chat.finishError(broken)));
  must(await send());
  assert.equal((await snapshot(world, id)).queue.length, 2);
});

test("work that is interrupted keeps what it has, then the head of the queue is answered", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const { id } = await world.chatIn("R1");
  must(await machine.change(id, (chat) => chat.sendMessage(world.user("last"), "interrupt")));
  const partial = { role: "assistant" as const, content: [callOf("cut off", "execute")] };
  must(await machine.change(id, (chat) => chat.finishInterruption([partial])));
  const { row, messages, queue } = await snapshot(world, id);
  assert.equal(row.status, "running");
  assert.deepEqual(queue, ["last"]);
  // The call of the partial answer is answered before the person's message.
  assert.deepEqual(
    messages.slice(-3).map(({ role }) => role),
    ["assistant", "tool", "user"],
  );
  const [result] = messages.at(-2)?.content ?? [];
  assert.equal(result?.type === "tool-result" && result.is_error, true);
});

test("calls that the provider runs itself, and those that have a result, get no second one", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const { id } = await world.chatIn("R0");
  const byProvider = { ...callOf("by provider", "web_search"), provider_executed: true };
  const step = { role: "assistant" as const, content: [callOf("a"), byProvider, callOf("b")] };
  must(await machine.change(id, (chat) => chat.commitStep([step])));
  const result = { type: "tool-result" as const, tool_call_id: "a", tool_name: "x", result: 1 };
  must(await machine.change(id, (chat) => chat.commitStep([{ role: "tool", content: [result] }])));
  must(await machine.change(id, (chat) => chat.finishTurn()));
  must(await machine.change(id, (chat) => chat.sendMessage(world.user("next"), "queue")));
  const { messages } = await snapshot(world, id);
  const results = messages.flatMap(({ content }) =>
    content.map((part) => (part.type === "tool-result" ? part.tool_call_id : null)),
  );
  assert.deepEqual(
    results.filter((each) => each !== null),
    ["a", "b"],
  );
});

test("a client answers exactly the calls that wait for it", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("A0");
  const complete = (...ids: string[]) =>
    world.machine.change(id, (chat) =>
      chat.completeRequiresAction(
        ids.map((toolCallId) => ({ toolCallId, output: { n: 1 }, isError: false })),
      ),
    );
  for (const wrong of [[], ["call 2"], ["call 1", "call 2"], ["call 1", "call 1"]]) {
    const result = await complete(...wrong);
    assert.equal(!result.ok && result.failure.kind, "results_mismatch");
  }
  must(await complete("call 1"));
  const { row, messages } = await snapshot(world, id);
  assert.deepEqual([row.status, row.requiresActionDeadlineAt], ["running", null]);
  assert.deepEqual(messages.at(-1)?.content, [
    { type: "tool-result", tool_call_id: "call 1", tool_name: "ask_client", result: { n: 1 } },
  ]);
});

test("an edit keeps model and effort, empties the queue, and deletes what came after", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const other = await world.addModel();
  const { id } = await world.chatIn("W");
  const sent = must(
    await machine.change(id, (chat) =>
      chat.sendMessage(
        world.user("original", { modelConfigId: other, reasoningEffort: "high" }),
        "queue",
      ),
    ),
  );
  const original = sent.kind === "inserted" ? (sent.messages.at(-1)?.id ?? -1) : -1;
  must(await machine.change(id, (chat) => chat.commitStep([SAYS])));
  must(await machine.change(id, (chat) => chat.sendMessage(world.user("waits"), "queue")));
  const { modelConfigId, ...edited } = world.user("edited", { apiKeyId: null });
  const { message, deletedMessageIds } = must(
    await machine.change(id, (chat) => chat.editMessage(original, { ...edited, modelConfigId })),
  );
  assert.equal(deletedMessageIds[0], original);
  assert.equal(deletedMessageIds.length, 2);
  assert.deepEqual(
    [message.modelConfigId, message.reasoningEffort, message.apiKeyId],
    [other, "high", null],
  );
  const { texts, queue } = await snapshot(world, id);
  assert.deepEqual([texts, queue], [["hello", "well", "edited"], []]);
  // Deleted, of the model, of another chat, nobody's.
  for (const { messageId, kind } of [
    { messageId: original, kind: "message_not_found" },
    { messageId: message.id - 2, kind: "message_not_found" },
    { messageId: (await firstMessageOf(world)) ?? -1, kind: "message_not_found" },
    { messageId: 10_000_000, kind: "message_not_found" },
  ]) {
    const result = await machine.change(id, (chat) => chat.editMessage(messageId, world.user("x")));
    assert.deepEqual(result, fail({ kind }));
  }
});

test("a model's answer is not edited", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const { messages } = await snapshot(world, id);
  const answer = messages.find(({ role }) => role === "assistant")?.id ?? -1;
  const result = await world.machine.change(id, (chat) =>
    chat.editMessage(answer, world.user("x")),
  );
  assert.deepEqual(result, fail({ kind: "message_not_editable" }));
});

test("a promoted message brings its key, model and effort, or the default where its model is gone", async () => {
  await using world = await chatWorld();
  const { machine, database } = world;
  for (const isGone of [false, true]) {
    const model = await world.addModel();
    const { id } = await world.chatIn("R0");
    const waiting = world.user("waits", { modelConfigId: model, reasoningEffort: "low" });
    must(await machine.change(id, (chat) => chat.sendMessage(waiting, "queue")));
    if (isGone)
      await database.pool.query("update chat_model_configs set enabled = false where id = $1", [
        model,
      ]);
    must(await machine.change(id, (chat) => chat.finishTurn()));
    const { row, messages } = await snapshot(world, id);
    const expected = isGone ? world.modelConfigId : model;
    assert.equal(row.lastModelConfigId, expected);
    assert.equal(row.lastReasoningEffort, "low");
    const { apiKeyId, modelConfigId } = messages.at(-1) as StoredMessage;
    assert.deepEqual([apiKeyId, modelConfigId], [world.apiKeyId, expected]);
  }
});

test("asking for a compaction begins anew without an owner, and is done once", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const { id } = await world.chatIn("R0");
  assert.ok(await machine.acquire(id, { workerId: randomUUID(), runnerId: randomUUID() }));
  must(await machine.change(id, (chat) => chat.recordGenerationAttempt()));
  must(
    await machine.change(id, (chat) => chat.finishError({ message: "broke", retryable: false })),
  );
  const broken = await findChat(world.database.sql, id);
  assert.ok(broken?.runnerId !== null && broken?.generationAttempt === 1);
  must(await machine.change(id, (chat) => chat.requestCompaction()));
  const asked = await findChat(world.database.sql, id);
  assert.deepEqual(
    [asked?.status, asked?.lastError, asked?.workerId, asked?.runnerId, asked?.generationAttempt],
    ["running", null, null, null, 0],
  );
  assert.equal(asked?.historyVersion, asked?.snapshotVersion);
  assert.ok(asked?.compactionRequestedAt);
  must(await machine.change(id, (chat) => chat.recordGenerationAttempt()));
  must(await machine.change(id, (chat) => chat.sendMessage(world.user("more"), "queue")));
  assert.ok((await findChat(world.database.sql, id))?.compactionRequestedAt);
  must(await machine.change(id, (chat) => chat.commitStep(boundary())));
  assert.equal((await findChat(world.database.sql, id))?.compactionRequestedAt, null);
});

test("nothing behind the boundary is nothing to compact, and nothing to clear", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const { id } = await world.chatIn("R0");
  must(await machine.change(id, (chat) => chat.commitStep(boundary())));
  must(await machine.change(id, (chat) => chat.finishTurn()));
  const nothing = fail({ kind: "nothing_to_do" });
  assert.deepEqual(await machine.change(id, (chat) => chat.requestCompaction()), nothing);
  assert.deepEqual(await machine.change(id, (chat) => chat.clearContext(boundary())), nothing);
  must(await machine.change(id, (chat) => chat.sendMessage(world.user("more"), "queue")));
  must(await machine.change(id, (chat) => chat.finishTurn()));
  assert.deepEqual(await machine.change(id, (chat) => chat.requestCompaction()), nothing);
  must(await machine.change(id, (chat) => chat.clearContext(boundary())));
});

test("a transition without the rows that it is about is refused, and changes nothing", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const nothing = fail({ kind: "nothing_to_do" });
  const [resting, running] = [await world.chatIn("W"), await world.chatIn("R0")];
  const before = [await snapshot(world, resting.id), await snapshot(world, running.id)];
  assert.deepEqual(await machine.change(resting.id, (chat) => chat.clearContext([])), nothing);
  assert.deepEqual(await machine.change(running.id, (chat) => chat.commitStep([])), nothing);
  const waits = await machine.change(running.id, (chat) => chat.enterRequiresAction());
  assert.deepEqual(waits, nothing);
  assert.deepEqual([await snapshot(world, resting.id), await snapshot(world, running.id)], before);
});

test("a message that does not leave the queue does not enter the history", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  // Deletes of the queue do nothing: as if somebody else had taken the row meanwhile.
  await world.database.pool.query(`
    create function keep_row() returns trigger language plpgsql as 'begin return null; end';
    create trigger keep_row before delete on chat_queued_messages
      for each row execute function keep_row()`);
  for (const { state, promote } of [
    { state: "R1", promote: (chat: LockedChat) => chat.finishTurn() },
    { state: "I1", promote: (chat: LockedChat) => chat.finishInterruption([SAYS]) },
    { state: "E1", promote: (chat: LockedChat) => chat.sendMessage(world.user("x"), "queue") },
  ] as const) {
    const { id } = await world.chatIn(state);
    const before = await snapshot(world, id);
    await assert.rejects(machine.change<unknown, unknown>(id, promote), /exactly once/, state);
    assert.deepEqual(await snapshot(world, id), before, state);
  }
});

test("an invalid chat is repaired: it stands in error and says what to do", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("A1");
  await world.database.pool.query("update chats set archived = true where id = $1", [id]);
  must(await world.machine.change(id, (chat) => chat.reconcileInvalidState()));
  const { row, messages } = await snapshot(world, id);
  assert.deepEqual(
    [row.status, row.archived, row.requiresActionDeadlineAt],
    ["error", false, null],
  );
  assert.match(row.lastError?.message ?? "", /Send a message or edit/);
  assert.equal(messages.at(-1)?.role, "tool");
});

test("a family is archived together or not at all", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const root = await world.chatIn("W");
  const family = { parentChatId: root.id, rootChatId: root.id, dynamicTools: null };
  const [idle, broken, alone] = [
    await world.chatIn("W", family),
    await world.chatIn("E1", family),
    await world.chatIn("XW", family),
  ];
  const archived = async () => {
    const rows = [root, idle, broken, alone].map(({ id }) => findChat(world.database.sql, id));
    return (await Promise.all(rows)).map((row) => row?.archived);
  };
  must(await machine.change(idle.id, (chat) => chat.sendMessage(world.user("go"), "queue")));
  const busy = fail({ kind: "family_busy" });
  assert.deepEqual(await machine.setFamilyArchived(root.id, true), busy);
  assert.deepEqual(await archived(), [false, false, false, true]);
  must(await machine.change(idle.id, (chat) => chat.finishTurn()));
  must(await machine.setFamilyArchived(root.id, true));
  assert.deepEqual(await archived(), [true, true, true, true]);
  const again = await machine.setFamilyArchived(root.id, true);
  assert.equal(!again.ok && again.failure.kind, "refused");
  const parentArchived = fail({ kind: "parent_archived" });
  assert.deepEqual(
    await machine.change(idle.id, (chat) => chat.setArchived(false)),
    parentArchived,
  );
  assert.deepEqual(await machine.create(world.newChat(family)), parentArchived);
  must(await machine.setFamilyArchived(root.id, false));
  assert.deepEqual(await archived(), [false, false, false, false]);
});

test("several transitions of one transaction raise the version once, and fail together", async () => {
  await using world = await chatWorld();
  const { id, snapshotVersion } = await world.chatIn("R0");
  must(
    await world.machine.change(id, async (chat) => {
      must(await chat.recordGenerationAttempt());
      must(await chat.commitStep([SAYS]));
      return chat.finishTurn();
    }),
  );
  const after = await snapshot(world, id);
  assert.deepEqual([after.row.snapshotVersion, after.row.status], [snapshotVersion + 1, "waiting"]);
  const half = await world.machine.change(id, async (chat) => {
    must(await chat.sendMessage(world.user("never"), "queue"));
    return fail({ kind: "changed my mind" });
  });
  assert.deepEqual(half, fail({ kind: "changed my mind" }));
  assert.deepEqual(await snapshot(world, id), after);
});

test("the queue is reordered and reworded in place", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const { id } = await world.chatIn("R1");
  for (const text of ["b", "c"]) {
    must(await machine.change(id, (chat) => chat.sendMessage(world.user(text), "queue")));
  }
  const [, , last] = await listQueued(world.database.sql, id);
  const content = [{ type: "text" as const, text: "C" }];
  must(
    await machine.change(id, (chat) =>
      chat.updateQueuedMessage(last?.id ?? -1, { content, index: 1 }),
    ),
  );
  assert.deepEqual((await snapshot(world, id)).queue, ["queued", "C", "b"]);
  must(await machine.change(id, (chat) => chat.promoteQueuedMessage(last?.id ?? -1)));
  const promoted = await snapshot(world, id);
  assert.deepEqual([promoted.row.status, promoted.queue], ["interrupting", ["C", "queued", "b"]]);
  const gone = await machine.change(id, (chat) => chat.deleteQueuedMessage(-1));
  assert.deepEqual(gone, fail({ kind: "message_not_found" }));
});

test("a chat that is not there is not found", async () => {
  await using world = await chatWorld();
  const result = await world.machine.change(randomUUID(), (chat) => chat.finishTurn());
  assert.deepEqual(result, fail({ kind: "chat_not_found" }));
});

async function snapshot(world: ChatWorld, chatId: string) {
  const { sql, pool } = world.database;
  const row = (await findChat(sql, chatId)) as ChatRow; // It was just created.
  const { rows } = await pool.query<MessageDatabaseRow>(
    "select * from chat_messages where chat_id = $1 and not deleted order by id",
    [chatId],
  );
  const messages = rows.map(toStoredMessage);
  const textOf = ({ content }: Pick<StoredMessage, "content">): string =>
    content.map((part) => (part.type === "text" ? part.text : "")).join("");
  const queue = (await listQueued(sql, chatId)).map(textOf);
  return { row, messages, texts: messages.map(textOf), queue };
}

async function firstMessageOf(world: ChatWorld): Promise<number | undefined> {
  const { messages } = must(await world.machine.create(world.newChat()));
  return messages[0]?.id;
}

function attempt(
  transition: TransitionName,
  world: ChatWorld,
): (chat: LockedChat) => Promise<Result<unknown, unknown>> {
  const attempts: Record<TransitionName, (chat: LockedChat) => ReturnType<ChatMachine["change"]>> =
    {
      send_message_queue: (chat) => chat.sendMessage(world.user("x"), "queue"),
      send_message_interrupt: (chat) => chat.sendMessage(world.user("x"), "interrupt"),
      edit_message: (chat) => chat.editMessage(1, world.user("x")),
      delete_queued_message: (chat) => chat.deleteQueuedMessage(1),
      promote_queued_message: (chat) => chat.promoteQueuedMessage(1),
      interrupt: (chat) => chat.interrupt("stop"),
      complete_requires_action: (chat) => chat.completeRequiresAction([]),
      archive: (chat) => chat.setArchived(true),
      unarchive: (chat) => chat.setArchived(false),
      request_compaction: (chat) => chat.requestCompaction(),
      clear_context: (chat) => chat.clearContext(boundary()),
      reconcile_invalid_state: (chat) => chat.reconcileInvalidState(),
      commit_step: (chat) => chat.commitStep([SAYS]),
      enter_requires_action: (chat) => chat.enterRequiresAction(),
      finish_interruption: (chat) => chat.finishInterruption(null),
      record_generation_attempt: (chat) => chat.recordGenerationAttempt(),
      record_retry_state: (chat) =>
        chat.recordRetryState({ attempt: 1, delay_ms: 1, error: "", retrying_at: "" }),
      finish_turn: (chat) => chat.finishTurn(),
      finish_error: (chat) => chat.finishError({ message: "broke", retryable: false }),
      cancel_requires_action: (chat) => chat.cancelRequiresAction("late"),
    };
  return attempts[transition];
}
