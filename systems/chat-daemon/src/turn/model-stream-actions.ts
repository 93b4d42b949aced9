/**
 * Calls a model and reads its stream. What goes wrong is thrown as it is, for `classifyModelError`; an
 * abort of the caller is thrown with the caller's reason.
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import { messageOf } from "./error-facts.ts";
import type { EpisodePart } from "./live-episode.ts";
import { ClassifiedError } from "./model-error.ts";
import { StepParts, type StepEnd } from "./step-parts.ts";

/** How long a stream may say nothing. */
export const SILENCE_STARTUP_MS = 60_000;
export const SILENCE_BETWEEN_PARTS_MS = 5 * 60_000;

export type ModelStream = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The stream is asked for now. */
  readonly invoked: () => void;
  readonly show: (part: EpisodePart) => void;
  /** Resolves when somebody may read the first words, or soon. Absent: nobody waits for them. */
  readonly beginningShown?: () => Promise<void>;
};

/** Resolves when the answer is whole. */
export async function readModelStream(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  { clock, signal, invoked, show, beginningShown = untilMicrotasksEnd }: ModelStream,
): Promise<StepParts> {
  signal.throwIfAborted();
  const guard = new SilenceGuard(clock, signal);
  const step = new StepParts();
  let hasBegun = false;
  try {
    invoked();
    const { stream } = await guard.orSilence(
      model.doStream({ ...options, abortSignal: guard.signal }),
    );
    const reader = stream.getReader();
    // Some clients do not notice an abort while they wait: then a read ends here all the same.
    guard.signal.addEventListener(
      "abort",
      () => {
        cancel(reader).catch(() => {});
      },
      { once: true },
    );
    try {
      for (;;) {
        const { done, value } = await reader.read();
        guard.signal.throwIfAborted();
        if (done) break;
        guard.heard(value);
        if (value.type === "error") throw asError(value.error);
        const parts = step.add(value, clock.now().toISOString());
        for (const part of parts) show(part);
        if (parts.length === 0 || hasBegun) continue;
        hasBegun = true;
        await (parts.some(isRead) ? beginningShown() : untilMicrotasksEnd());
      }
    } finally {
      await cancel(reader);
    }
  } finally {
    guard.stop();
  }
  if (step.end === null || isCut(model, step.end)) {
    throw new Error("The stream ended before its finish.");
  }
  if (step.end.reason === "error") {
    throw new ClassifiedError({
      ...{ message: "The model broke off its answer.", kind: "generic", retryable: true },
    });
  }
  return step;
}

/** A person looks at an empty answer until there are words: the rest of it, which may all be here, can wait. */
function isRead({ part }: EpisodePart): boolean {
  return part.type === "text" || part.type === "reasoning";
}

/**
 * The driver of the database sends when all microtasks are done, and the rest of what came with the first part
 * would be taken apart in those.
 */
function untilMicrotasksEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/**
 * Where the connection ended without an error and the provider had not said why it stops. Clients report an
 * end all the same: most call it interrupted, those of Bedrock and OpenRouter have no word of their own
 * for it. OpenAI's responses give no reason where all is well.
 */
function isCut({ provider }: LanguageModelV4, { reason, raw }: StepEnd): boolean {
  if (reason === "interrupted") return true;
  if (raw !== undefined) return false;
  return reason === "other" || (reason === "tool-calls" && provider === "openrouter");
}

/** Ends the request where it still runs; what it says to that does not matter any more. */
async function cancel(
  reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>,
): Promise<void> {
  await reader.cancel().catch(() => {});
}

/** Aborts a call when nothing is heard for too long, or when the caller aborts. */
class SilenceGuard {
  readonly #clock: Clock;
  readonly #call = new AbortController();
  readonly #stopped = new AbortController();
  readonly #aborted = Promise.withResolvers<never>();
  #heardMs: number;
  #windowMs = SILENCE_STARTUP_MS;

  constructor(clock: Clock, caller: AbortSignal) {
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
    // Awaited beside each read; where none is under way, nobody misses it.
    this.#aborted.promise.catch(() => {});
    const follow = (): void => this.#abort(caller.reason as Error);
    caller.addEventListener("abort", follow, { once: true });
    this.#stopped.signal.addEventListener("abort", () =>
      caller.removeEventListener("abort", follow),
    );
    this.#watch().catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  heard({ type }: LanguageModelV4StreamPart): void {
    this.#heardMs = this.#clock.monotonicMs();
    // The client itself makes the first one: it says nothing of the model.
    if (type !== "stream-start") this.#windowMs = SILENCE_BETWEEN_PARTS_MS;
  }

  /** For what cannot be cancelled otherwise. */
  async orSilence<Value>(work: PromiseLike<Value>): Promise<Value> {
    return Promise.race([work, this.#aborted.promise]);
  }

  stop(): void {
    this.#stopped.abort(STOPPED);
  }

  /** One timer for the whole stream, however many parts it has. */
  async #watch(): Promise<void> {
    for (;;) {
      const leftMs = this.#heardMs + this.#windowMs - this.#clock.monotonicMs();
      if (leftMs <= 0) break;
      await this.#clock.sleep(leftMs, this.#stopped.signal);
    }
    const seconds = this.#windowMs / 1_000;
    this.#abort(
      new ClassifiedError({
        message: `The model said nothing for ${seconds} seconds.`,
        ...{ kind: "stream_silence_timeout", retryable: true },
      }),
    );
  }

  #abort(reason: Error): void {
    this.#aborted.reject(reason);
    this.#call.abort(reason);
  }
}

/** Made once: an abort without a reason makes one, with a trace of the stack. */
const STOPPED = new Error("the stream is over");

/** Streams report errors as any JSON: people are shown what it says, and its cause is looked at whole. */
function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new Error(messageOf(error) || JSON.stringify(error), { cause: error });
}
