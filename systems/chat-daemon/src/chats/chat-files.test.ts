/** Files between upload and deletion, on a real database. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { listLinkableFiles } from "../state/file-link-store.ts";
import { must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { chatsWorld, type ChatsWorld } from "./chats-testkit.ts";
import { fetchFile, UNUSED_FILES_MAX, uploadFile } from "./file-actions.ts";
import { showChat } from "./chat-actions.ts";
import { purge } from "./purge-task.ts";

const TEXT = { bytes: Buffer.from("hello"), mediaType: "text/plain", fileName: "a.txt" };
const DAY_MS = 86_400_000;

async function upload({ deps, caller }: ChatsWorld): Promise<string> {
  return must(await uploadFile(deps, caller, TEXT, undefined)).id;
}

test("a file is its owner's until a chat holds it, and then also theirs who read the chat", async () => {
  await using chats = await chatsWorld();
  const { deps, caller, world } = chats;
  const file = await upload(chats);
  const reader = { ...caller, userId: randomUUID(), may: () => true };
  const stranger = { ...reader, may: () => false };
  const seen = must(await fetchFile(deps, caller, file));
  assert.deepEqual([seen.fileName, seen.mediaType, seen.isInline], ["a.txt", "text/plain", true]);
  assert.equal(Buffer.from(seen.bytes).toString(), "hello");
  assert.equal((await fetchFile(deps, reader, file)).ok, false);
  const chatId = await holding(world, [file]);
  assert.equal((await fetchFile(deps, reader, file)).ok, true);
  assert.equal((await fetchFile(deps, stranger, file)).ok, false);
  // A credential without the scope does not even show one's own.
  assert.equal((await fetchFile(deps, { ...caller, may: () => false }, file)).ok, false);
  assert.equal((await fetchFile(deps, caller, randomUUID())).ok, false);
  const [shown] = must(await showChat(deps, chatId)).files ?? [];
  assert.deepEqual([shown?.id, shown?.name, shown?.size_bytes], [file, "a.txt", 5]);
});

test("who may not have chats uploads nothing, and nobody into another organization", async () => {
  await using chats = await chatsWorld();
  const { deps, caller } = chats;
  const refused = await uploadFile(deps, { ...caller, may: () => false }, TEXT, undefined);
  assert.equal(!refused.ok && refused.failure.code, "resource.not_found");
  const elsewhere = await uploadFile(deps, caller, TEXT, randomUUID());
  assert.equal(!elsewhere.ok && elsewhere.failure.code, "request.invalid");
});

test("files that no chat holds are few", async () => {
  await using chats = await chatsWorld();
  const { deps, caller, world } = chats;
  const first = await upload(chats);
  for (let count = 1; count < UNUSED_FILES_MAX; count++) await world.addFile();
  const full = await uploadFile(deps, caller, TEXT, undefined);
  assert.equal(!full.ok && full.failure.code, "chat_file.too_many_unused");
  await holding(world, [first]);
  assert.equal((await uploadFile(deps, caller, TEXT, undefined)).ok, true);
});

test("after a day, files that no chat took up are gone, and others stay", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const [unused, held] = [await upload(chats), await upload(chats)];
  await holding(world, [held]);
  await purgeAt(world, DAY_MS - 60_000);
  assert.deepEqual((await files(world)).toSorted(), [unused, held].toSorted());
  await purgeAt(world, DAY_MS + 60_000);
  assert.deepEqual(await files(world), [held]);
});

test("a file that a message names is not deleted before its commit", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const file = await upload(chats);
  const chat = await world.chatIn("W");
  const message = world.user("", { content: [part(file)] });
  const sent = await world.machine.change(chat.id, async (locked) => {
    const outcome = await locked.sendMessage(message, "queue");
    // Between the message and its commit.
    await purgeAt(world, 2 * DAY_MS);
    return outcome;
  });
  must(sent);
  assert.deepEqual(await files(world), [file]);
});

test("a file that a message is about to take up is not deleted under it", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const file = await upload(chats);
  const chat = await world.chatIn("W");
  const found = await world.database.transaction(async (db) => {
    const linkable = await listLinkableFiles(db, chat, [file]);
    await purgeAt(world, 2 * DAY_MS);
    return linkable;
  });
  assert.deepEqual([found, await files(world)], [[file], [file]]);
});

test("however many there are, all go, a batch after the other, until somebody says stop", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const { rows } = await world.database.pool.query<{ id: string }>(
    `insert into chats (id, organization_id, owner_id, status, last_model_config_id, created_at,
       updated_at, archived)
     select gen_random_uuid(), $1, $2, 'waiting', $3, now(), now(), true
     from generate_series(1, 45) returning id`,
    [world.organizationId, world.ownerId, world.modelConfigId],
  );
  assert.equal(rows.length, 45);
  const stopped = new AbortController();
  stopped.abort(new Error("the server stops"));
  const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + 31 * DAY_MS) };
  const deps = { database: world.database, clock, log: silentLogger, retentionMs: 30 * DAY_MS };
  await assert.rejects(purge(deps, stopped.signal), /the server stops/);
  assert.equal((await chatIds(world)).length, 45);
  await purgeAt(world, 31 * DAY_MS, 30 * DAY_MS);
  assert.deepEqual(await chatIds(world), []);
});

test("archived chats go after their time, with all that is theirs; others stay", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const [archived, kept] = [await world.chatIn("XW"), await world.chatIn("W")];
  const file = await upload(chats);
  const full = await holding(world, [file]);
  must(await world.machine.setFamilyArchived(full, true));
  await purgeAt(world, 29 * DAY_MS, 30 * DAY_MS);
  assert.equal((await chatIds(world)).length, 3);
  await purgeAt(world, 31 * DAY_MS, null);
  assert.equal((await chatIds(world)).length, 3);
  await purgeAt(world, 31 * DAY_MS, 30 * DAY_MS);
  assert.deepEqual(await chatIds(world), [kept.id]);
  assert.deepEqual(await files(world), []);
  assert.equal(
    (await world.machine.change(archived.id, async () => ({ ok: true, value: 1 }))).ok,
    false,
  );
});

function part(fileId: string) {
  return { type: "file", media_type: "text/plain", file_id: fileId } as const;
}

/** A chat that has the files. */
async function holding(world: ChatWorld, fileIds: readonly string[]): Promise<string> {
  const chat = await world.chatIn("W");
  const message = world.user("", { content: fileIds.map(part) });
  must(await world.machine.change(chat.id, (locked) => locked.sendMessage(message, "queue")));
  must(await world.machine.change(chat.id, (locked) => locked.finishTurn()));
  return chat.id;
}

async function purgeAt(world: ChatWorld, laterMs: number, retentionMs: number | null = null) {
  const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + laterMs) };
  const deps = { database: world.database, clock, log: silentLogger, retentionMs };
  await purge(deps, new AbortController().signal);
}

async function files(world: ChatWorld): Promise<string[]> {
  const { rows } = await world.database.pool.query<{ id: string }>("select id from chat_files");
  return rows.map(({ id }) => id);
}

async function chatIds(world: ChatWorld): Promise<string[]> {
  const { rows } = await world.database.pool.query<{ id: string }>("select id from chats");
  return rows.map(({ id }) => id);
}
