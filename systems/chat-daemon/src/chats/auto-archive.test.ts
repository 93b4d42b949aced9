/** Which chats are archived by themselves, on a real database. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type { ChatAudit } from "@atelier/contract/rpc/chat-ports";
import { chatWorld, must } from "../state/chat-world-testkit.ts";
import { archiveIdle, type AutoArchiveDeps } from "./auto-archive-task.ts";

const DAY_MS = 86_400_000;
const { signal } = new AbortController();

const depsOf = ({ database, machine }: Pick<AutoArchiveDeps, "database" | "machine">) => ({
  ...{ database, machine, clock: systemClock, log: silentLogger, idleMs: 30 * DAY_MS },
});

/** What the audit log is told, and the chats that were archived for all to see at that moment. */
function auditOf({ database }: Pick<AutoArchiveDeps, "database">) {
  const entries: { readonly resourceId: string | null; readonly seen: boolean }[] = [];
  const audit: ChatAudit = {
    record: async (_transaction, entry) => {
      assert.deepEqual(entry, {
        ...{ resourceId: entry.resourceId, target: "New Chat", by: "chat_auto_archive" },
        ...{ before: { archived: false }, after: { archived: true } },
      });
      const { rows } = await database.pool.query<{ archived: boolean }>(
        "select archived from chats where id = $1",
        [entry.resourceId],
      );
      entries.push({ resourceId: entry.resourceId, seen: rows[0]?.archived === true });
    },
  };
  return { audit, entries };
}

test("families at rest for long are archived whole; pinned, busy and fresh ones are left alone", async () => {
  await using world = await chatWorld();
  const { database, machine, chatIn } = world;
  const idle = await chatIn("W");
  const failed = await chatIn("E0");
  const fresh = await chatIn("W");
  const pinned = await chatIn("W");
  const running = await chatIn("R0");
  const parent = await chatIn("W");
  const child = { parentChatId: parent.id, rootChatId: parent.id };
  const busyChild = must(await machine.create(world.newChat({ ...child, id: randomUUID() }))).chat;
  const whole = await chatIn("W");
  const family = { parentChatId: whole.id, rootChatId: whole.id };
  const restingChild = await chatIn("W", family);
  const old = [idle, failed, pinned, running, parent, busyChild, whole, restingChild];
  await database.pool.query(
    "update chats set updated_at = now() - interval '40 days' where id = any($1)",
    [old.map(({ id }) => id)],
  );
  await database.pool.query("update chats set pin_order = 1 where id = $1", [pinned.id]);
  const { audit, entries } = auditOf(world);
  await archiveIdle({ ...depsOf(world), audit }, signal);
  const { rows } = await database.pool.query("select id from chats where archived");
  assert.deepEqual(
    new Set(rows.map(({ id }) => id as string)),
    new Set([idle.id, failed.id, whole.id, restingChild.id]),
  );
  // One entry for each family, which commits with its archiving.
  assert.deepEqual(
    new Set(entries.map(({ resourceId }) => resourceId)),
    new Set([idle.id, failed.id, whole.id]),
  );
  assert.deepEqual([entries.length, entries.some(({ seen }) => seen)], [3, false]);
  // The clock of retention begins with the archiving.
  const touched = await database.pool.query(
    "select 1 from chats where id = $1 and updated_at > now() - interval '1 day'",
    [idle.id],
  );
  assert.equal(touched.rows.length, 1);
  assert.ok(fresh.id !== idle.id);
});

test("a chat that worked again between being found idle and being locked is left alone", async () => {
  await using world = await chatWorld();
  const { database, machine } = world;
  const [back, idle] = [await world.chatIn("W"), await world.chatIn("W")];
  await database.pool.query("update chats set updated_at = now() - interval '40 days'");
  const asked: string[] = [];
  const busy: typeof machine = Object.create(machine, {
    setFamilyArchived: {
      value: async (...of: Parameters<typeof machine.setFamilyArchived>) => {
        asked.push(of[0]);
        if (of[0] === back.id) {
          must(
            await machine.change(back.id, (chat) => chat.sendMessage(world.user("hi"), "queue")),
          );
          must(await machine.change(back.id, (chat) => chat.finishTurn()));
        }
        return machine.setFamilyArchived(...of);
      },
    },
  });
  const { audit, entries } = auditOf(world);
  await archiveIdle({ ...depsOf(world), machine: busy, audit }, signal);
  assert.deepEqual(asked.toSorted(), [back.id, idle.id].toSorted());
  const { rows } = await database.pool.query("select id from chats where archived");
  assert.deepEqual(rows, [{ id: idle.id }]);
  assert.deepEqual(
    entries.map(({ resourceId }) => resourceId),
    [idle.id],
  );
});

test("what cannot be put on record does not happen", async () => {
  await using world = await chatWorld();
  const { database } = world;
  const chat = await world.chatIn("W");
  await database.pool.query("update chats set updated_at = now() - interval '40 days'");
  const audit: ChatAudit = { record: () => Promise.reject(new Error("no log")) };
  await assert.rejects(archiveIdle({ ...depsOf(world), audit }, signal), /no log/);
  const { rows } = await database.pool.query("select archived from chats where id = $1", [chat.id]);
  assert.deepEqual(rows, [{ archived: false }]);
});

test("a chat to which somebody comes back at that moment is not archived", async () => {
  await using world = await chatWorld();
  const { database, machine } = world;
  const chat = await world.chatIn("W");
  const before = new Date(Date.now() - DAY_MS);
  const refused = await machine.setFamilyArchived(chat.id, true, {
    idleSince: before,
    record: () => Promise.reject(new Error("it is not archived")),
  });
  assert.equal(!refused.ok && refused.failure.kind, "nothing_to_do");
  const { rows } = await database.pool.query("select archived from chats where id = $1", [chat.id]);
  assert.equal(rows[0]?.archived, false);
});
