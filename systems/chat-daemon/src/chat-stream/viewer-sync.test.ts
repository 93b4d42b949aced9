/** What a viewer is told: rules one by one, and that it always ends up holding what the database holds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ChatStatus } from "@atelier/contract/chat/chat-words";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { ChatMessage } from "@atelier/contract/http/chats";
import fc from "fast-check";
import { NO_USAGE, type ChatRow, type StoredMessage } from "../state/chat-row.ts";
import {
  firstSync,
  partEvents,
  PartGap,
  sync,
  viewOfChange,
  viewOfUpdate,
  type ChatView,
  type ViewerState,
} from "./viewer-sync.ts";

const CHAT = "11111111-1111-4111-8111-111111111111";
const WORKER = "22222222-2222-4222-8222-222222222222";

function message(id: number, text = String(id)): ChatMessage {
  return {
    id,
    chat_id: CHAT,
    created_at: "2026-01-01T00:00:00.000Z",
    role: "user",
    content: [{ type: "text", text }],
  };
}

function view(change: Partial<ChatView>): ChatView {
  return {
    chatId: CHAT,
    snapshotVersion: 5,
    historyVersion: 4,
    queueVersion: 0,
    retryStateVersion: 0,
    generationAttempt: 1,
    status: "running",
    workerId: WORKER,
    lastError: null,
    retryState: null,
    awaitedCalls: [],
    isHistoryCut: false,
    messages: [],
    queue: null,
    ...change,
  };
}

function typesOf(events: readonly ChatStreamEvent[] | undefined): string[] {
  return (events ?? []).map(({ type }) => type);
}

function held(change: Partial<ChatView> = {}): ViewerState {
  return firstSync(view(change), null).state;
}

describe("the first sync", () => {
  test("tells everything, then follows the episode", () => {
    const synced = firstSync(
      view({ messages: [message(1), message(2)], queue: [], status: "running" }),
      null,
    );
    assert.deepEqual(typesOf(synced.events), [
      "message",
      "message",
      "queue_update",
      "status",
      "preview_reset",
    ]);
    assert.deepEqual(synced.target, {
      workerId: WORKER,
      episode: { chatId: CHAT, historyVersion: 4, generationAttempt: 1 },
    });
  });

  test("tells of an error, of a wait and of the client's calls that were there before", () => {
    const error = { message: "no", retryable: false };
    const failed = firstSync(view({ status: "error", lastError: error, queue: [] }), null);
    assert.deepEqual(typesOf(failed.events), ["queue_update", "status", "error", "preview_reset"]);
    const retryState = {
      ...{ attempt: 1, delay_ms: 1_000, error: "busy" },
      retrying_at: "2026-01-01T00:00:01.000Z",
    };
    const waits = firstSync(view({ retryState, retryStateVersion: 3 }), null);
    assert.deepEqual(typesOf(waits.events), ["status", "retry", "preview_reset"]);
    const awaitedCalls = [{ tool_call_id: "a", tool_name: "ask", args: { n: 1 } }];
    const asked = firstSync(view({ status: "requires_action", awaitedCalls }), null);
    assert.deepEqual(asked.events.slice(1, 2), [
      { type: "action_required", chat_id: CHAT, action_required: { tool_calls: awaitedCalls } },
    ]);
    // An error of long ago is none of a chat that works again.
    const works = firstSync(view({ lastError: error }), null);
    assert.deepEqual(typesOf(works.events), ["status", "preview_reset"]);
  });

  test("goes on behind the parts that the viewer kept, of the same episode only", () => {
    const same = firstSync(view({}), { historyVersion: 4, generationAttempt: 1, seq: 7 });
    assert.deepEqual(typesOf(same.events), ["status"]);
    assert.equal(same.state.seq, 7);
    const other = firstSync(view({}), { historyVersion: 4, generationAttempt: 2, seq: 7 });
    assert.deepEqual(typesOf(other.events), ["status", "preview_reset"]);
    assert.equal(other.state.seq, 0);
  });

  test("follows nothing where nobody works, or no attempt was made", () => {
    assert.equal(firstSync(view({ workerId: null }), null).target, null);
    assert.equal(firstSync(view({ generationAttempt: 0 }), null).target, null);
  });
});

describe("what was announced", () => {
  const announced = (change: Partial<ChatView> = {}) => {
    const chat = view({ snapshotVersion: 6, generationAttempt: 2, ...change });
    return {
      chat_id: CHAT,
      snapshot_version: chat.snapshotVersion,
      worker_id: chat.workerId,
      runner_id: null,
      history_version: chat.historyVersion,
      queue_version: chat.queueVersion,
      retry_state_version: chat.retryStateVersion,
      generation_attempt: chat.generationAttempt,
      status: chat.status,
      archived: false,
    };
  };

  test("is all where only the attempt or the worker is another: it tells what a reading would", () => {
    for (const change of [{}, { generationAttempt: 1, workerId: null }]) {
      const told = viewOfUpdate(held(), announced(change));
      assert.ok(told !== null);
      const read = view({ snapshotVersion: 6, generationAttempt: 2, ...change });
      assert.deepEqual(sync(held(), told), sync(held(), read));
    }
  });

  test("is not all where history, queue, retry or status are others", () => {
    const others = [
      { historyVersion: 6 },
      { queueVersion: 6 },
      { retryStateVersion: 6 },
      { status: "waiting" as const },
    ];
    for (const change of others) assert.equal(viewOfUpdate(held(), announced(change)), null);
  });
});

describe("later syncs", () => {
  test("behind one change of this server are its row and what it added, where the viewer lacks no more", () => {
    const { chatId: id, ...row } = view({
      snapshotVersion: 6,
      historyVersion: 6,
      status: "waiting",
    });
    const chat = { ...row, id, workerId: null, generationAttempt: 0 } as unknown as ChatRow;
    const said = { id: 9, chatId: CHAT, createdBy: null, modelConfigId: null, role: "assistant" };
    const added = [
      { ...said, createdAt: new Date(0), content: [], visibility: "both", usage: NO_USAGE },
      { ...said, id: 8, visibility: "model" },
    ] as unknown as StoredMessage[];
    const behind = viewOfChange(held(), chat, added);
    assert.ok(behind !== null);
    assert.deepEqual(
      behind.messages.map((each) => each.id),
      [9],
    );
    assert.deepEqual(typesOf(sync(held(), behind)?.events), ["message", "status", "preview_reset"]);
    for (const state of [
      held({ snapshotVersion: 4 }),
      held({ snapshotVersion: 6 }),
      held({ queueVersion: 1 }),
    ]) {
      assert.equal(viewOfChange(state, chat, added), null);
    }
    assert.equal(viewOfChange(held(), { ...chat, status: "requires_action" }, added), null);
  });

  test("of something known or older are nothing", () => {
    assert.equal(sync(held(), view({})), null);
    assert.equal(sync(held(), view({ snapshotVersion: 4, status: "waiting" })), null);
  });

  test("a cut history is told anew", () => {
    const synced = sync(
      held(),
      view({ snapshotVersion: 6, historyVersion: 6, isHistoryCut: true, messages: [message(1)] }),
    );
    assert.deepEqual(typesOf(synced?.events), ["history_reset", "message", "preview_reset"]);
  });

  test("an error is told once for each history version", () => {
    const error = { message: "no", retryable: false };
    const first = sync(held(), view({ snapshotVersion: 6, status: "error", lastError: error }));
    assert.deepEqual(typesOf(first?.events), ["status", "error"]);
    const state = first?.state ?? held();
    const again = sync(state, view({ snapshotVersion: 7, status: "error", lastError: error }));
    assert.deepEqual(typesOf(again?.events), []);
    const later = sync(
      state,
      view({ snapshotVersion: 8, historyVersion: 8, status: "error", lastError: error }),
    );
    assert.deepEqual(typesOf(later?.events), ["error", "preview_reset"]);
  });

  test("the client's tools are asked for once for each history version", () => {
    const waits = { status: "requires_action" as const };
    const first = sync(held(), view({ snapshotVersion: 6, ...waits }));
    assert.deepEqual(typesOf(first?.events), ["status", "action_required"]);
    const again = sync(first?.state ?? held(), view({ snapshotVersion: 7, ...waits }));
    assert.deepEqual(typesOf(again?.events), []);
  });

  test("live parts are dropped with a history or an attempt that is another, and else kept", () => {
    for (const [change, isDropped] of [
      [{ historyVersion: 6, generationAttempt: 0 }, true],
      [{ historyVersion: 6 }, true],
      [{ generationAttempt: 2 }, true],
      // Nobody writes: what was shown last stands until something takes its place.
      [{ generationAttempt: 0 }, false],
      [{ status: "interrupting" }, false],
      [{ queueVersion: 6, queue: [] }, false],
      [{ workerId: null }, false],
    ] as const) {
      const state = { ...held(), seq: 3 };
      const synced = sync(state, view({ snapshotVersion: 6, ...change }));
      assert.deepEqual(
        [typesOf(synced?.events).includes("preview_reset"), synced?.state.seq],
        [isDropped, isDropped ? 0 : 3],
        JSON.stringify(change),
      );
    }
  });

  test("a wait before the next attempt is told, and that attempt drops the preview", () => {
    const retryState = {
      attempt: 1,
      delay_ms: 1_000,
      error: "busy",
      retrying_at: "2026-01-01T00:00:01.000Z",
    };
    const waits = sync(held(), view({ snapshotVersion: 6, retryStateVersion: 6, retryState }));
    assert.deepEqual(typesOf(waits?.events), ["retry"]);
    const next = sync(
      waits?.state ?? held(),
      view({ snapshotVersion: 7, retryStateVersion: 7, generationAttempt: 2 }),
    );
    assert.deepEqual(typesOf(next?.events), ["preview_reset"]);
    assert.equal(next?.target?.episode.generationAttempt, 2);
  });
});

describe("parts", () => {
  const episode = { chatId: CHAT, historyVersion: 4, generationAttempt: 1 };
  const part = (seq: number) => ({
    seq,
    role: "assistant" as const,
    part: { type: "text" as const, text: String(seq) },
  });

  test("follow each other; known ones are left out", () => {
    const first = partEvents(held(), episode, [part(1), part(2)]);
    assert.equal(first.events.length, 2);
    const second = partEvents(first.state, episode, [part(1), part(2), part(3)]);
    assert.equal(second.events.length, 1);
    assert.equal(second.state.seq, 3);
  });

  test("of another episode are nothing", () => {
    const other = { ...episode, generationAttempt: 2 };
    assert.deepEqual(partEvents(held(), other, [part(1)]).events, []);
  });

  test("a gap breaks the stream off", () => {
    assert.throws(() => partEvents(held(), episode, [part(2)]), PartGap);
  });
});

test("whatever happens between syncs, the viewer holds what the database holds", () => {
  const step = fc.record({
    kind: fc.constantFrom("append", "cut", "status", "attempt", "queue"),
    isSeen: fc.boolean(),
    status: fc.constantFrom<ChatStatus>("waiting", "running", "error", "interrupting"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      // A tiny database: messages with the version of their last change, deleted ones included.
      let rows: { id: number; revision: number; deleted: boolean }[] = [];
      let queue = 0;
      const now = {
        snapshot: 1,
        history: 0,
        queue: 0,
        attempt: 0,
        status: "running" as ChatStatus,
      };
      let state: ViewerState | null = null;
      let messages = new Map<number, ChatMessage>();
      const told = { queue: -1, status: "" };
      const look = (): void => {
        const since: number = state?.historyVersion ?? -1;
        const changed = rows.filter(({ revision }) => revision > since);
        const isHistoryCut = since >= 0 && changed.some(({ deleted }) => deleted);
        const shown = (isHistoryCut ? rows : changed).filter(({ deleted }) => !deleted);
        const at = view({
          snapshotVersion: now.snapshot,
          historyVersion: now.history,
          queueVersion: now.queue,
          generationAttempt: now.attempt,
          status: now.status,
          isHistoryCut,
          messages: shown.map(({ id }) => message(id)),
          queue:
            now.queue > (state?.queueVersion ?? -1)
              ? Array.from({ length: queue }, (_, index) => message(index + 1))
              : null,
        });
        const synced = state === null ? firstSync(at, null) : sync(state, at);
        if (synced === null) return;
        state = synced.state;
        for (const event of synced.events) {
          if (event.type === "history_reset") messages = new Map();
          if (event.type === "message") messages.set(event.message.id, event.message);
          if (event.type === "queue_update") told.queue = event.queued_messages.length;
          if (event.type === "status") told.status = event.status.status;
        }
      };
      look();
      for (const { kind, isSeen, status } of steps) {
        const snapshot = now.snapshot + 1;
        now.snapshot = snapshot;
        if (kind === "append") {
          rows.push({ id: rows.length + 1, revision: snapshot, deleted: false });
          Object.assign(now, { history: snapshot, attempt: 0 });
        } else if (kind === "cut") {
          const from = Math.floor(rows.length / 2);
          rows = rows.map((row) =>
            row.id > from && !row.deleted ? { ...row, deleted: true, revision: snapshot } : row,
          );
          Object.assign(now, { history: snapshot, attempt: 0 });
        } else if (kind === "status") now.status = status;
        else if (kind === "attempt") now.attempt += 1;
        else {
          queue = (queue + 1) % 4;
          now.queue = snapshot;
        }
        if (isSeen) look();
      }
      look();
      const expected = rows.filter(({ deleted }) => !deleted).map(({ id }) => id);
      assert.deepEqual(
        [...messages.keys()].toSorted((a, b) => a - b),
        expected,
      );
      assert.deepEqual(told, { queue, status: now.status });
    }),
    { numRuns: 500 },
  );
});
