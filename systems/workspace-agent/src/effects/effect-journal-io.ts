/**
 * The effect journal on disk: makes stamped calls happen once, also over a kill of the agent at any
 * moment (contract, workspace/effect). A stamp is durable before its work begins, and the outcome
 * before the caller hears of it.
 *
 * Work that was interrupted is run again with what it had noted: it must find out what it had done.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, type Result } from "@atelier/base/result";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { mkdir, open, readFile, rename, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { decodeLines, EffectState, encodeLine, type EffectLine } from "./effect-log.ts";

export type EffectAttempt = {
  /** An earlier run of the same work began and did not end. */
  readonly wasInterrupted: boolean;
  /** What that run noted last. Null: nothing. */
  readonly noted: unknown;
  /** Durable when it resolves. */
  readonly note: (value: unknown) => Promise<void>;
};

export interface EffectJournal extends AsyncDisposable {
  /**
   * Runs work under a stamp, or answers from the journal. Null: runs it as it is. Outcomes are kept as
   * JSON. Failures are outcomes too, except those in `UNRECORDED`, which are tried again.
   */
  run<Value extends object>(
    effect: Effect | null,
    work: (attempt: EffectAttempt) => Promise<Result<Value, WorkspaceFailure>>,
  ): Promise<Result<Value & { readonly replayed: boolean }, WorkspaceFailure>>;
  /**
   * What work noted that has begun and not ended. At a start: what was interrupted, for rooms that can
   * finish it without waiting for a repeat.
   */
  openNotes(): readonly unknown[];
}

/** Nothing happened, and a later try may fare better. */
const UNRECORDED: ReadonlySet<string> = new Set(["busy", "invalid", "no_space"]);

/** Chats repeat calls within minutes; a week outlasts every outage that anybody waits for. */
const KEPT_MS = 7 * 24 * 3_600_000;

const FILE = "effects.log";

const UNSTAMPED: EffectAttempt = { wasInterrupted: false, noted: null, note: async () => {} };

type Running = Promise<Result<object, WorkspaceFailure>>;

export async function openEffectJournal(
  directory: string,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<EffectJournal> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, FILE);
  const state = new EffectState();
  const bytes = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return Buffer.alloc(0);
    throw error;
  });
  const { lines, wholeBytes } = decodeLines(bytes, checksum);
  if (wholeBytes < bytes.byteLength) {
    deps.log.warn(
      { cutBytes: bytes.byteLength - wholeBytes },
      "the end of the effect journal was torn",
    );
  }
  for (const line of lines) state.apply(line);
  state.forgetBefore(deps.clock.now().getTime() - KEPT_MS);
  return new Journal(await writeAnew(path, state), state, deps.clock);
}

/** The file as its state says it, whole or not at all. */
async function writeAnew(path: string, state: EffectState): Promise<FileHandle> {
  const next = `${path}.next`;
  const file = await open(next, "w", 0o600);
  let text = "";
  for (const line of state.lines()) text += encodeLine(line, checksum);
  await file.appendFile(text);
  await file.sync();
  await file.close();
  await rename(next, path);
  return open(path, "a", 0o600);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

class Journal implements EffectJournal {
  readonly #file: FileHandle;
  readonly #state: EffectState;
  readonly #clock: Clock;
  readonly #running = new Map<string, { readonly inputHash: string; readonly outcome: Running }>();
  /** Lines that wait for the disk; they go there together. */
  #queue: { readonly text: string; readonly done: (error: Error | null) => void }[] = [];
  #isWriting = false;

  constructor(file: FileHandle, state: EffectState, clock: Clock) {
    this.#file = file;
    this.#state = state;
    this.#clock = clock;
  }

  async run<Value extends object>(
    effect: Effect | null,
    work: (attempt: EffectAttempt) => Promise<Result<Value, WorkspaceFailure>>,
  ): Promise<Result<Value & { readonly replayed: boolean }, WorkspaceFailure>> {
    if (effect === null) return withReplayed(await work(UNSTAMPED), false);
    const admission = this.#state.admit(effect);
    if (admission.kind === "stale_fence") return fail(STALE);
    const key = JSON.stringify([effect.chatId, effect.callId]);
    const running = this.#running.get(key);
    if (admission.kind === "effect_mismatch") return fail(MISMATCH);
    if (running !== undefined) {
      if (this.#state.isNewFence(effect)) await this.#raiseFence(effect);
      return withReplayed((await running.outcome) as Result<Value, WorkspaceFailure>, true);
    }
    if (admission.kind === "recorded") {
      if (this.#state.isNewFence(effect)) await this.#raiseFence(effect);
      return withReplayed(admission.outcome as Result<Value, WorkspaceFailure>, true);
    }
    const wasInterrupted = admission.kind === "interrupted";
    const noted = wasInterrupted ? admission.note : null;
    const outcome = this.#runStamped(effect, { wasInterrupted, noted }, work);
    this.#running.set(key, { inputHash: effect.inputHash, outcome });
    try {
      return withReplayed(await outcome, false);
    } finally {
      this.#running.delete(key);
    }
  }

  openNotes(): readonly unknown[] {
    return [...this.#state.openNotes()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ outcome }) => outcome));
    await this.#file.close();
  }

  async #runStamped<Value extends object>(
    { chatId, callId, inputHash, fence }: Effect,
    prior: Pick<EffectAttempt, "wasInterrupted" | "noted">,
    work: (attempt: EffectAttempt) => Promise<Result<Value, WorkspaceFailure>>,
  ): Promise<Result<Value, WorkspaceFailure>> {
    const atMs = this.#clock.now().getTime();
    await this.#write({ kind: "begun", chatId, callId, inputHash, fence, atMs });
    const outcome = await work({
      ...prior,
      note: (note) => this.#write({ kind: "noted", chatId, callId, note }),
    });
    if (outcome.ok || !UNRECORDED.has(outcome.failure.code)) {
      const endedMs = this.#clock.now().getTime();
      await this.#write({ kind: "ended", chatId, callId, outcome, atMs: endedMs });
    }
    return outcome;
  }

  #raiseFence({ chatId, fence }: Effect): Promise<void> {
    return this.#write({ kind: "fence", chatId, fence });
  }

  /** In memory at once, so that a call that comes now sees it; resolves when it is durable. */
  async #write(line: EffectLine): Promise<void> {
    this.#state.apply(line);
    const written = Promise.withResolvers<void>();
    const done = (error: Error | null): void => {
      if (error === null) written.resolve();
      else written.reject(error);
    };
    this.#queue.push({ text: encodeLine(line, checksum), done });
    if (!this.#isWriting) await this.#flush();
    await written.promise;
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      let error: Error | null = null;
      try {
        await this.#file.appendFile(batch.map(({ text }) => text).join(""));
        await this.#file.datasync();
      } catch (thrown) {
        error = new Error("the effect journal could not be written", { cause: thrown });
      }
      for (const { done } of batch) done(error);
    }
    this.#isWriting = false;
  }
}

const STALE: WorkspaceFailure = {
  code: "stale_fence",
  message: "A newer owner of this chat has taken over; nothing was done.",
};
const MISMATCH: WorkspaceFailure = {
  code: "effect_mismatch",
  message: "This call came before with another input; nothing was done.",
};

function withReplayed<Value extends object>(
  outcome: Result<Value, WorkspaceFailure>,
  replayed: boolean,
): Result<Value & { readonly replayed: boolean }, WorkspaceFailure> {
  return outcome.ok ? { ok: true, value: { ...outcome.value, replayed } } : outcome;
}
