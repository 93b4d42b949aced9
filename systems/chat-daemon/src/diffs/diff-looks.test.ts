/** When chats' workspaces are looked at, and what is kept of it, on a real database. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatDiffStatus } from "@atelier/contract/http/chats";
import type { GitChanges } from "@atelier/contract/rpc/workspace/git";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { chatWorld, must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { findShownChat } from "../chats/chat-list-store.ts";
import { DiffLooks, type LookedAtChat } from "./diff-looks-task.ts";

type Asked = { readonly since: unknown; readonly othersAreNew: unknown };
type Answer = Result<
  { directory: string; repositories: readonly GitChanges[]; isCut: boolean },
  WorkspaceFailure
>;

const CHANGES: GitChanges = {
  ...{ root: "/w", branch: "main", commit: "b".repeat(40), upstream: null, ahead: 1, behind: 0 },
  ...{ remoteUrl: null, since: "a".repeat(40), added: 3, removed: 1, changedFiles: 2 },
  ...{ files: [], isCut: false },
};
const found = (...repositories: readonly GitChanges[]): Answer =>
  ok({ directory: "/w", repositories, isCut: false });

/** A machine that answers as the test says, when it says so. */
function machine(answer: () => Answer | Promise<Answer>) {
  const asked: Asked[] = [];
  const git = {
    changes: async (
      { since, othersAreNew }: Asked,
      { signal }: { readonly signal: AbortSignal },
    ) => {
      asked.push({ since, othersAreNew });
      const left = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
      return Promise.race([answer(), left]);
    },
  };
  return { asked, services: { git } as unknown as WorkspaceServices }; // Nothing else is asked for.
}

async function addWorkspace({ database, organizationId, ownerId }: ChatWorld): Promise<string> {
  const id = randomUUID();
  await database.pool.query(
    `insert into workspaces (id, organization_id, owner_id, name, kind, created_at, updated_at, last_used_at)
     values ($1, $2, $3, $4, 'external', now(), now(), now())`,
    [id, organizationId, ownerId, `w${id.slice(0, 8)}`],
  );
  return id;
}

async function scene(answer: () => Answer | Promise<Answer>) {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await chatWorld());
  const { database } = world;
  const clock = new FakeClock();
  const looks = stack.use(new DiffLooks({ database, clock, log: silentLogger }));
  const told: string[] = [];
  const listener = await database.pool.connect();
  stack.defer(() => listener.release(true));
  await listener.query(`listen "chat_watch_${world.ownerId.replaceAll("-", "")}"`);
  listener.on("notification", ({ payload = "" }) => told.push(payload));
  const workspaceId = await addWorkspace(world);
  const { asked, services } = machine(answer);
  const workspace = { workspaceId, agentId: randomUUID(), services };
  const newChat = async (more: object = {}): Promise<LookedAtChat> =>
    must(await world.machine.create(world.newChat({ workspaceId, ...more }))).chat;
  const statusOf = async ({ id }: LookedAtChat): Promise<ChatDiffStatus | null> =>
    (await findShownChat(database.sql, id))?.diffStatus ?? null;
  return {
    ...{ world, clock, looks, told, asked, workspace, newChat, statusOf },
    /** Turns of the event loop until it holds. */
    until: async (holds: () => boolean | Promise<boolean>): Promise<void> => {
      const lateMs = performance.now() + 20_000;
      while (!(await holds())) {
        assert.ok(performance.now() < lateMs, `${holds.toString()} holds soon`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const newsOf = ({ id }: LookedAtChat): string =>
  JSON.stringify({ kind: "diff_status_change", chat_id: id });

test("a chat that connects is looked at, its numbers are kept, and its lists are told", async () => {
  await using here = await scene(() => found(CHANGES, { ...CHANGES, root: "/w/app", added: 9 }));
  const chat = await here.newChat();
  here.looks.connected(chat, here.workspace);
  await here.until(() => here.told.includes(newsOf(chat)));
  const { refreshed_at: at, ...status } = (await here.statusOf(chat)) ?? { refreshed_at: "" };
  assert.deepEqual(status, {
    ...{ additions: 12, deletions: 2, changed_files: 4, is_cut: false, repositories: 2 },
    ...{ git_branch: "main", git_remote_origin: "", ahead: 1, behind: 0 },
  });
  assert.equal(at, here.clock.now().toISOString());
});

test("looks rest between each other, and the end of a turn waits for no rest", async () => {
  let added = 0;
  await using here = await scene(() => found({ ...CHANGES, added: (added += 1) }));
  const chat = await here.newChat();
  here.looks.connected(chat, here.workspace);
  await here.until(async () => (await here.statusOf(chat))?.additions === 1);
  for (let call = 0; call < 5; call += 1) here.looks.toolsRan(chat);
  await here.clock.untilSleeping();
  await here.clock.advance(4_999);
  assert.equal(here.asked.length, 1);
  await here.clock.advance(1);
  await here.until(async () => (await here.statusOf(chat))?.additions === 2);
  here.looks.toolsRan(chat);
  await here.clock.untilSleeping();
  here.looks.turnEnded(chat.id);
  await here.until(async () => (await here.statusOf(chat))?.additions === 3);
  // What is compared with stays what was found first.
  assert.deepEqual(here.asked[0], { since: {}, othersAreNew: false });
  assert.deepEqual(here.asked[2], { since: { "/w": CHANGES.since }, othersAreNew: true });
});

test("what did not change is not written again, and nobody is told", async () => {
  await using here = await scene(() => found(CHANGES));
  const chat = await here.newChat();
  here.looks.connected(chat, here.workspace);
  await here.until(() => here.told.includes(newsOf(chat)));
  const first = await here.statusOf(chat);
  await here.clock.advance(10_000);
  for (const look of [2, 3]) {
    here.looks.turnEnded(chat.id);
    await here.until(() => here.asked.length === look);
  }
  assert.deepEqual(await here.statusOf(chat), first);
  const other = await here.newChat();
  here.looks.connected(other, here.workspace);
  await here.until(() => here.told.includes(newsOf(other)));
  assert.equal(here.told.filter((payload) => payload === newsOf(chat)).length, 1);
});

test("a server that takes a chat over goes on comparing with what the first look found", async () => {
  await using here = await scene(() => found(CHANGES));
  const chat = await here.newChat();
  here.looks.connected(chat, here.workspace);
  await here.until(async () => (await here.statusOf(chat)) !== null);
  const { database } = here.world;
  await using successor = new DiffLooks({ database, clock: here.clock, log: silentLogger });
  successor.connected(chat, here.workspace);
  await here.until(() => here.asked.length === 2);
  assert.deepEqual(here.asked[1], { since: { "/w": CHANGES.since }, othersAreNew: true });
});

test("what children change is their root chat's, and they show nothing of their own", async () => {
  await using here = await scene(() => found(CHANGES));
  const root = await here.newChat();
  const ids = { parentChatId: root.id, rootChatId: root.id };
  const child = await here.newChat(ids);
  here.looks.connected(child, here.workspace);
  await here.until(async () => (await here.statusOf(root)) !== null);
  assert.equal(await here.statusOf(child), null);
});

test("a machine that is away, refuses, or never answers has no numbers and fails nothing", async () => {
  const answers: (() => Answer | Promise<Answer>)[] = [
    () => fail({ code: "disconnected", message: "away" }),
    () => fail({ code: "unsupported", message: "too old" }),
    () => Promise.reject(new Error("a bug")),
    () => new Promise<Answer>(() => {}),
    () => found(CHANGES),
  ];
  let place = 0;
  await using here = await scene(() => {
    const answer = answers[place];
    place += 1;
    assert.ok(answer !== undefined);
    return answer();
  });
  const chat = await here.newChat();
  here.looks.connected(chat, here.workspace);
  for (let look = 1; look <= 3; look += 1) {
    await here.until(() => here.asked.length === look);
    assert.equal(await here.statusOf(chat), null);
    here.looks.toolsRan(chat);
    // Of a failed look the next is further away.
    await here.clock.untilSleeping();
    await here.clock.advance(29_999);
    assert.equal(here.asked.length, look);
    await here.clock.advance(1);
  }
  await here.until(() => here.asked.length === 4);
  await here.clock.untilSleeping();
  await here.clock.advance(15_000);
  here.looks.turnEnded(chat.id);
  await here.until(async () => (await here.statusOf(chat))?.additions === 3);
});

test("without a repository, in another workspace, or once it is deleted, nothing is shown", async () => {
  let repositories: readonly GitChanges[] = [];
  await using here = await scene(() => found(...repositories));
  const chat = await here.newChat();
  const { database } = here.world;
  here.looks.connected(chat, here.workspace);
  const isKept = async () =>
    (await database.pool.query("select from chat_diff_statuses")).rowCount === 1;
  await here.until(isKept);
  assert.equal(await here.statusOf(chat), null);
  repositories = [CHANGES];
  here.looks.turnEnded(chat.id);
  await here.until(async () => (await here.statusOf(chat)) !== null);

  const other = await addWorkspace(here.world);
  const move = (id: string) =>
    database.pool.query("update chats set workspace_id = $2 where id = $1", [chat.id, id]);
  await move(other);
  assert.equal(await here.statusOf(chat), null);
  await move(here.workspace.workspaceId);
  assert.notEqual(await here.statusOf(chat), null);
  await database.pool.query("update workspaces set deleted_at = now() where id = $1", [
    here.workspace.workspaceId,
  ]);
  assert.equal(await here.statusOf(chat), null);
});

test("as many looks as may are under way, and the others follow", async () => {
  const release = Promise.withResolvers<void>();
  let [now, most] = [0, 0];
  await using here = await scene(async () => {
    now += 1;
    most = Math.max(most, now);
    await release.promise;
    now -= 1;
    return found(CHANGES);
  });
  const chats: LookedAtChat[] = [];
  for (let each = 0; each < 12; each += 1) chats.push(await here.newChat());
  for (const chat of chats) here.looks.connected(chat, here.workspace);
  await here.until(() => here.asked.length >= 8);
  // Time for others to come, if they may.
  for (const chat of chats) await here.statusOf(chat);
  release.resolve();
  await here.until(() => chats.every((chat) => here.told.includes(newsOf(chat))));
  assert.equal(most, 8);
});
