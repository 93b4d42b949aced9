/** Makes titles and labels beside turns: nobody waits for them, and they end when the server does. */
import { Tasks } from "@atelier/host/tasks";
import { labelTurn, nameChat, type QuickgenDeps } from "./quickgen-actions.ts";

/** Chats whose beginning was seen here: attempts are repeated, titles are not. */
const REMEMBERED_MAX = 10_000;
/**
 * What a finished turn came to is asked for when its chat has rested this long. Where the next turn begins
 * before, its label is the one that counts: a call of a model less, and nothing beside the first word.
 */
const LABEL_AFTER_MS = 1_000;

/** Made once: with each comes a trace of the stack. */
const MOVED_ON = new Error("the chat has moved on");

/** The label of a chat's last turn, on its way. */
type Label = { readonly stop: AbortController; isWaiting: boolean };

type TurnEnd = Parameters<typeof labelTurn>[2];

export class ShortTexts implements AsyncDisposable {
  readonly #deps: QuickgenDeps;
  readonly #tasks: Tasks;
  readonly #begun = new Set<string>();
  readonly #labels = new Map<string, Label>();
  #isStopping = false;

  constructor(deps: QuickgenDeps) {
    this.#deps = deps;
    this.#tasks = new Tasks(deps.log);
  }

  chatBegan(chatId: string): void {
    if (this.#begun.has(chatId)) return;
    if (this.#begun.size >= REMEMBERED_MAX) this.#begun.clear();
    this.#begun.add(chatId);
    this.#run("title of a chat", (signal) => nameChat(this.#deps, chatId, signal));
  }

  /** The chat works: a label that was not asked for yet is not needed any more. */
  moved(chatId: string): void {
    const label = this.#labels.get(chatId);
    if (label?.isWaiting === true) label.stop.abort(MOVED_ON);
  }

  turnEnded(chatId: string, end: TurnEnd): void {
    // An older one that is late would replace this one's.
    this.#labels.get(chatId)?.stop.abort(MOVED_ON);
    const label = { stop: new AbortController(), isWaiting: true };
    this.#labels.set(chatId, label);
    this.#run("label of a chat", async (stopped) => {
      const signal = AbortSignal.any([stopped, label.stop.signal]);
      try {
        if (end === "finished") await this.#deps.clock.sleep(LABEL_AFTER_MS, signal);
        label.isWaiting = false;
        await labelTurn(this.#deps, chatId, end, signal);
      } catch (error) {
        if (error !== MOVED_ON) throw error;
      } finally {
        if (this.#labels.get(chatId) === label) this.#labels.delete(chatId);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** A chat whose server stops has no label of that turn: the next one has. */
  #run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (!this.#isStopping) this.#tasks.run(name, work);
  }
}
