/**
 * A call of a turn's model, made ready while the message or the results that it answers are on their way to the
 * disk: from what the chat will most likely be, as far as the request to the provider, which is held back until
 * they are there and all is as foreseen.
 *
 * Nobody but the provider's request waits for it, and whatever stands in its way is left to the turn itself,
 * which then prepares as it always does.
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamResult,
} from "@ai-sdk/provider";
import type { HeadStart, ReadChat } from "../state/chat-machine.ts";
import { answerOptions } from "./generate-actions.ts";
import { decideNext, prepareTurn, type PreparedTurn } from "./prepare-turn-actions.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { workspaceToPin } from "./workspace-context-actions.ts";

/** Its model answers its first call with the one that is under way. */
export type BegunTurn = {
  readonly prepared: PreparedTurn;
  readonly options: LanguageModelV4CallOptions;
};

export class TurnHeadStart implements HeadStart {
  readonly #deps: TurnDeps;
  readonly #confirmed = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  readonly #call = new AbortController();
  readonly #begun: Promise<BegunTurn | null>;
  #isHandedOver = false;

  constructor(deps: TurnDeps, foreseen: ReadChat) {
    this.#deps = deps;
    this.#confirmed.promise.catch(() => {}); // Where nothing is held back.
    this.#begun = this.#begin(foreseen)
      .catch((err: unknown) => {
        if (!this.#call.signal.aborted) {
          deps.log.debug({ err, chatId: foreseen.chat.id }, "a call was not made ready");
        }
        return null;
      })
      .then((begun) => {
        if (begun === null) this.#left.resolve(); // Nothing will.
        return begun;
      });
  }

  /** What else a message or a step brings would be done first, and the provider asked that much later. */
  async confirm(): Promise<void> {
    this.#confirmed.resolve();
    const { clock } = this.#deps;
    const wait = new AbortController();
    // It may wait for the gateway's record still, and somebody waits for what follows this.
    const isEnough = clock.sleep(LEAVES_MS_MAX, wait.signal).catch(() => {});
    await Promise.race([this.#left.promise, isEnough]);
    wait.abort(LEFT);
  }

  drop(): void {
    if (this.#isHandedOver || this.#call.signal.aborted) return;
    this.#confirmed.reject(DROPPED);
    this.#call.abort(DROPPED);
  }

  /** What to go on with: the call is its taker's once its model is asked. Null: there is nothing. */
  async take(): Promise<BegunTurn | null> {
    const begun = await this.#begun;
    return this.#call.signal.aborted ? null : begun;
  }

  async #begin(foreseen: ReadChat): Promise<BegunTurn | null> {
    const { signal } = this.#call;
    await untilLoopTurns();
    if (signal.aborted) return null;
    const hold = { until: this.#confirmed.promise, left: () => this.#left.resolve() };
    const prepared = await prepareTurn(this.#deps, foreseen, hold);
    if (!prepared.ok || !(await this.#isAnsweredNext(prepared.value))) return null;
    const options = await answerOptions(this.#deps, prepared.value, { mayChain: true });
    if (signal.aborted) return null;
    const { model } = prepared.value.model;
    const answer = Promise.resolve(model.doStream({ ...options, abortSignal: signal }));
    answer.catch(() => this.#left.resolve()); // Whoever takes it hears of it.
    const asked = new AskedModel(model, answer, (abortSignal) => this.#handOver(abortSignal));
    return {
      prepared: { ...prepared.value, model: { ...prepared.value.model, model: asked } },
      options,
    };
  }

  #handOver(abortSignal: AbortSignal | undefined): void {
    this.#isHandedOver = true;
    const end = (): void => this.#call.abort(abortSignal?.reason);
    if (abortSignal?.aborted === true) end();
    else abortSignal?.addEventListener("abort", end, { once: true });
  }

  /** A call that is recorded for people names its step, which nobody knows yet. */
  async #isAnsweredNext(prepared: PreparedTurn): Promise<boolean> {
    if (prepared.model.tap !== null || decideNext(prepared).kind !== "generate") return false;
    return (await workspaceToPin(this.#deps, prepared)) === null;
  }
}

const LEAVES_MS_MAX = 2;

/** Made once: with each comes a trace of the stack. */
const LEFT = new Error("the request has left");
const DROPPED = new Error("the turn begins otherwise");

/** The driver of the database sends when all microtasks are done. */
function untilLoopTurns(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A model that was asked already. */
class AskedModel implements LanguageModelV4 {
  readonly specificationVersion = "v4";
  readonly #model: LanguageModelV4;
  readonly #handOver: (abortSignal: AbortSignal | undefined) => void;
  #answer: Promise<LanguageModelV4StreamResult> | null;

  constructor(
    model: LanguageModelV4,
    answer: Promise<LanguageModelV4StreamResult>,
    handOver: (abortSignal: AbortSignal | undefined) => void,
  ) {
    this.#model = model;
    this.#answer = answer;
    this.#handOver = handOver;
  }

  get provider(): string {
    return this.#model.provider;
  }

  get modelId(): string {
    return this.#model.modelId;
  }

  get supportedUrls(): LanguageModelV4["supportedUrls"] {
    return this.#model.supportedUrls;
  }

  doGenerate(options: LanguageModelV4CallOptions): ReturnType<LanguageModelV4["doGenerate"]> {
    return this.#model.doGenerate(options);
  }

  /** The first time, the answer to the call that is under way, which ends with the signal given. */
  doStream(options: LanguageModelV4CallOptions): ReturnType<LanguageModelV4["doStream"]> {
    const answer = this.#answer;
    if (answer === null) return this.#model.doStream(options);
    this.#answer = null;
    this.#handOver(options.abortSignal);
    return answer;
  }
}
