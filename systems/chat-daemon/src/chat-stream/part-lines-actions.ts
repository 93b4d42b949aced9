/**
 * Lines to the servers that drive chats which are watched here: one for each chat and server, dialled again
 * when it is over, kept for the next attempt, and given up when nobody has listened for a while.
 *
 * Nothing depends on a line: whoever listens is told when there is none, and looks into the database.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { PartLine, PartLines } from "@atelier/contract/rpc/chat-part-lines";
import { Tasks } from "@atelier/host/tasks";
import type { BufferedPart } from "../live-parts/part-buffer.ts";
import { choiceText, parseGroup } from "./part-line.ts";
import type { PartTarget } from "./viewer-sync.ts";

export type DialledLinesDeps = {
  readonly lines: PartLines;
  readonly clock: Clock;
  readonly log: Logger;
};

export type PartListener = {
  readonly target: NonNullable<PartTarget>;
  /** In order, from the first on; all of them anew after each opening of the line. */
  readonly heard: (parts: readonly BufferedPart[]) => void;
  /** It is heard from now on, or not any more. */
  readonly changed: (isOpen: boolean) => void;
};

/** Disposed, it hears nothing more. */
export interface Listening extends Disposable {
  /** Ends the line, which seems to be dead. It is dialled anew. */
  redial(): void;
}

/** From one attempt to the next, and from one viewer to the next. */
const UNUSED_MS_MAX = 10_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;
/** A line that was open for so long was a good one. */
const STEADY_MS = 10_000;

export class DialledLines implements AsyncDisposable {
  readonly #deps: DialledLinesDeps;
  readonly #dialling: Tasks;
  /** By server and chat. */
  readonly #lines = new Map<string, Line>();
  #isOver = false;

  constructor(deps: DialledLinesDeps) {
    this.#deps = deps;
    this.#dialling = new Tasks(deps.log);
  }

  /** One listener for each chat and server: the one that came last is told. */
  listen(listener: PartListener): Listening {
    // Whoever comes while the server stops does without.
    if (this.#isOver) return { redial: () => {}, [Symbol.dispose]: () => {} };
    const { workerId, episode } = listener.target;
    const key = `${workerId}/${episode.chatId}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      const made = new Line(this.#deps, () => {
        if (this.#lines.get(key) === made) this.#lines.delete(key);
      });
      line = made;
      this.#lines.set(key, made);
      const server = { serverId: workerId, chatId: episode.chatId };
      this.#dialling.run("chat part line", (signal) => made.keep(server, signal));
    }
    line.choose(listener);
    return {
      redial: () => line.redial(listener),
      [Symbol.dispose]: () => line.leave(listener),
    };
  }

  get count(): number {
    return this.#lines.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#dialling[Symbol.asyncDispose]();
  }
}

class Line {
  readonly #deps: DialledLinesDeps;
  readonly #ended: () => void;
  readonly #stop = new AbortController();
  #listener: PartListener | null = null;
  #open: PartLine | null = null;
  #unused: AbortController | null = null;

  constructor(deps: DialledLinesDeps, ended: () => void) {
    this.#deps = deps;
    this.#ended = ended;
  }

  choose(listener: PartListener): void {
    const before = this.#listener;
    this.#unused?.abort();
    this.#unused = null;
    this.#listener = listener;
    before?.changed(false);
    if (this.#open !== null) this.#tellChoice(this.#open, listener);
  }

  leave(listener: PartListener): void {
    if (this.#listener !== listener) return;
    this.#listener = null;
    const unused = new AbortController();
    this.#unused = unused;
    this.#deps.clock.sleep(UNUSED_MS_MAX, unused.signal).then(
      () => this.#end(),
      () => {}, // Somebody listens again, or all is over.
    );
  }

  redial(listener: PartListener): void {
    if (this.#listener === listener) this.#open?.end();
  }

  /** Until nobody listens any more, or aborted. */
  async keep(server: Parameters<PartLines["dial"]>[0], aborted: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([aborted, this.#stop.signal]);
    const { clock } = this.#deps;
    let retryMs = RETRY_MS_MIN;
    try {
      while (!signal.aborted) {
        const line = await this.#dial(server, signal);
        const openedMs = clock.monotonicMs();
        if (line !== null) await this.#use(line, signal);
        if (line !== null && clock.monotonicMs() - openedMs >= STEADY_MS) retryMs = RETRY_MS_MIN;
        if (signal.aborted) break;
        await clock.sleep(retryMs, signal).catch(() => {}); // The loop ends.
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    } finally {
      this.#unused?.abort();
      this.#end();
    }
  }

  async #dial(
    server: Parameters<PartLines["dial"]>[0],
    signal: AbortSignal,
  ): Promise<PartLine | null> {
    try {
      return await this.#deps.lines.dial(server, (text) => this.#hear(text), signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.log.debug({ error }, "a line for parts was not dialled");
      return null;
    }
  }

  async #use(line: PartLine, signal: AbortSignal): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = (): void => line.end();
    line.signal.addEventListener("abort", () => resolve(), { once: true });
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    if (line.signal.aborted) resolve();
    this.#open = line;
    if (this.#listener !== null) this.#tellChoice(line, this.#listener);
    await over;
    signal.removeEventListener("abort", end);
    this.#open = null;
    this.#listener?.changed(false);
  }

  #tellChoice(line: PartLine, listener: PartListener): void {
    listener.changed(true);
    line.pass(choiceText(listener.target.episode), () => {}); // An error is the end of the line.
  }

  #hear(text: string): void {
    const listener = this.#listener;
    if (listener === null) return;
    const parts = parseGroup(text, listener.target.episode);
    // Of another version, perhaps: then the database is what both understand.
    if (parts === null) this.#open?.end();
    else if (parts.length > 0) listener.heard(parts);
  }

  #end(): void {
    this.#stop.abort();
    this.#ended();
  }
}
