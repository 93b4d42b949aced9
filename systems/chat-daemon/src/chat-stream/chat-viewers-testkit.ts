/** For tests: servers with viewers, and screens that show what these are told. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { SharedText } from "@atelier/contract/rpc/socket-service";
import { startPubSub } from "@atelier/database/pub-sub";
import { PartBuffer } from "../live-parts/part-buffer.ts";
import { PartJournal } from "../live-parts/part-journal-actions.ts";
import type { ChatWorld } from "../state/chat-world-testkit.ts";
import { ChatViewers } from "./chat-viewers-actions.ts";
import { partLineService } from "./part-line-service-actions.ts";
import { DialledLines } from "./part-lines-actions.ts";
import { MemoryLines } from "./part-lines-testkit.ts";
import { PartSources } from "./part-sources-actions.ts";

const LOG = silentLogger;

/** A server: its viewers, its buffer, and what it keeps. */
export async function server(world: ChatWorld, lines = new MemoryLines()) {
  const { database } = world;
  const workerId = randomUUID();
  const resources = new AsyncDisposableStack();
  const pubSub = resources.use(
    startPubSub(
      { connection: database.connection, applicationName: "viewers" },
      { clock: systemClock, random: systemRandom, log: LOG },
    ),
  );
  const journal = new PartJournal({
    ...{ database, clock: systemClock, log: LOG, workerId: () => workerId },
    kept: (id, range) => buffer.kept(id, range),
  });
  const buffer = new PartBuffer(systemClock, (id, part) => journal.add(id, part));
  const stop = new AbortController();
  const writing = journal.keepWriting(stop.signal).catch(() => {});
  resources.defer(async () => {
    stop.abort();
    await writing;
  });
  lines.serve(workerId, partLineService(buffer));
  const dialled = resources.use(new DialledLines({ lines, clock: systemClock, log: LOG }));
  const sources = new PartSources({
    ...{ clock: systemClock, log: LOG, workerId, buffer, lines: dialled },
    readKept: (id, fromSeq) => journal.read(id, fromSeq),
  });
  const viewersOf = (parts: Pick<PartSources, "follow">): ChatViewers =>
    new ChatViewers({ database, pubSub, clock: systemClock, log: LOG, sources: parts });
  const viewers = viewersOf(sources);
  return {
    ...{ workerId, pubSub },
    buffer,
    viewers,
    viewersOf,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What a client does with events. */
export class Screen {
  messages = new Map<number, string>();
  parts = "";
  status = "";
  queue = -1;
  readonly types: string[] = [];
  readonly events: ChatStreamEvent[] = [];
  #waiting: { isDone: () => boolean; resolve: () => void }[] = [];

  async take(events: readonly ChatStreamEvent[]): Promise<void> {
    for (const event of events) {
      this.types.push(event.type);
      this.events.push(event);
      if (event.type === "history_reset") this.messages = new Map();
      if (event.type === "message") {
        const [part] = event.message.content;
        this.messages.set(event.message.id, part?.type === "text" ? part.text : "?");
      }
      if (event.type === "preview_reset") this.parts = "";
      if (event.type === "message_part" && event.message_part.part.type === "text") {
        this.parts += event.message_part.part.text;
      }
      if (event.type === "status") this.status = event.status.status;
      if (event.type === "queue_update") this.queue = event.queued_messages.length;
    }
    this.#waiting = this.#waiting.filter(({ isDone, resolve }) => {
      if (!isDone()) return true;
      resolve();
      return false;
    });
  }

  async until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ isDone, resolve }));
  }
}

export async function pass(
  take: Screen["take"],
  events: string | SharedText,
  done: () => void,
): Promise<void> {
  await take(JSON.parse(typeof events === "string" ? events : events.text) as ChatStreamEvent[]);
  done();
}

export function watch(
  viewers: ChatViewers,
  chatId: string,
  more: { readonly afterId?: number; readonly send?: Screen["take"] } = {},
) {
  const screen = new Screen();
  const stop = new AbortController();
  const take = more.send ?? ((events) => screen.take(events));
  const ended = viewers.view(
    { chatId, afterId: more.afterId ?? 0, cursor: null },
    (events, done) => {
      pass(take, events, done).catch(assert.fail);
    },
    stop.signal,
  );
  return { screen, ended, stop: () => stop.abort() };
}
