import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "@atelier/base/result";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { chatWorld, must, type ChatWorld } from "./chat-world-testkit.ts";

test("a chat keeps its fifty newest files: older ones make room and are deleted", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  const files = await Promise.all(Array.from({ length: 52 }, () => world.addFile()));
  must(await send(world, id, files.slice(0, 2)));
  must(await send(world, id, files.slice(2)));
  assert.deepEqual((await filesOf(world, id)).toSorted(), files.slice(2).toSorted());
  const { rows } = await world.database.pool.query<{ id: string }>("select id from chat_files");
  assert.equal(rows.length, 50);
  // What is named again stays, and what was deleted is not there any more.
  must(await send(world, id, [files[2] ?? ""]));
  const gone = await send(world, id, [files[0] ?? ""]);
  assert.equal(!gone.ok && gone.failure.kind, "files_refused");
});

test("a message has at most fifty files", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const files = await Promise.all(Array.from({ length: 51 }, () => world.addFile()));
  assert.deepEqual(
    await send(world, id, files),
    fail({ kind: "files_refused", detail: "a message has at most 50 files" }),
  );
  assert.deepEqual(await filesOf(world, id), []);
});

test("a file of another chat, or of another person, is refused as one that does not exist", async () => {
  await using world = await chatWorld();
  const [one, other] = [await world.chatIn("W"), await world.chatIn("W")];
  const file = await world.addFile();
  must(await send(world, one.id, [file]));
  const absent = crypto.randomUUID();
  for (const { chatId, fileId } of [
    { chatId: other.id, fileId: file },
    { chatId: other.id, fileId: absent },
  ]) {
    assert.deepEqual(
      await send(world, chatId, [fileId]),
      fail({ kind: "files_refused", detail: `there is no file ${fileId}` }),
    );
  }
  const foreign = await world.addFile();
  const stranger = crypto.randomUUID();
  const { pool } = world.database;
  await pool.query(
    `insert into users (id, email, username, status, created_at, updated_at)
     values ($1, $2, $2, 'active', now(), now())`,
    [stranger, stranger],
  );
  await pool.query("update chat_files set owner_id = $2 where id = $1", [foreign, stranger]);
  assert.equal((await send(world, one.id, [foreign])).ok, false);
  assert.deepEqual(await filesOf(world, one.id), [file]);
});

test("of two chats that take a file at once, one gets it", async () => {
  await using world = await chatWorld();
  const chats = await Promise.all([1, 2, 3].map(() => world.chatIn("W")));
  const file = await world.addFile();
  const sent = await Promise.all(chats.map(({ id }) => send(world, id, [file])));
  assert.equal(sent.filter(({ ok }) => ok).length, 1);
});

test("an edit that still names a file that made room is refused, and without it taken", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const both = [await world.addFile(), await world.addFile()];
  const sent = must(await send(world, id, both));
  const messageId = sent.kind === "inserted" ? (sent.messages.at(-1)?.id ?? -1) : -1;
  const newer = await Promise.all(Array.from({ length: 49 }, () => world.addFile()));
  must(await send(world, id, newer));
  // Both came with one message, so either may count as the older.
  const here = await filesOf(world, id);
  const old = both.filter((file) => !here.includes(file));
  const kept = both.filter((file) => here.includes(file));
  assert.equal(old.length, 1, "one made room");
  const edit = (...fileIds: readonly string[]) =>
    world.machine.change(id, (chat) =>
      chat.editMessage(messageId, world.user("", { content: fileIds.map(part) })),
    );
  const refused = await edit(...both);
  assert.equal(!refused.ok && refused.failure.kind, "files_refused");
  must(await edit(...kept));
});

test("files of a chat's first message, of edits and of tools belong to it", async () => {
  await using world = await chatWorld();
  const [first, edited, made] = [
    await world.addFile(),
    await world.addFile(),
    await world.addFile(),
  ];
  const { chat, messages } = must(
    await world.machine.create(
      world.newChat({
        messages: [
          { role: "user", ...world.user("", { content: [part(first)] }), reasoningEffort: null },
        ],
      }),
    ),
  );
  must(
    await world.machine.change(chat.id, (locked) =>
      locked.editMessage(messages[0]?.id ?? -1, world.user("", { content: [part(edited)] })),
    ),
  );
  must(
    await world.machine.change(chat.id, (locked) =>
      locked.commitStep([{ role: "assistant", content: [part(made)] }]),
    ),
  );
  assert.deepEqual((await filesOf(world, chat.id)).toSorted(), [first, edited, made].toSorted());
});

function part(fileId: string): MessagePart {
  return { type: "file", media_type: "text/plain", file_id: fileId };
}

async function send(world: ChatWorld, chatId: string, fileIds: readonly string[]) {
  const message = world.user("", { content: fileIds.map(part) });
  return world.machine.change(chatId, (chat) => chat.sendMessage(message, "queue"));
}

async function filesOf(world: ChatWorld, chatId: string): Promise<string[]> {
  const { rows } = await world.database.pool.query<{ file_id: string }>(
    "select file_id from chat_file_links where chat_id = $1",
    [chatId],
  );
  return rows.map((row) => row.file_id);
}
