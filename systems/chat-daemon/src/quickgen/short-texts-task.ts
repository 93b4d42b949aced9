/** Makes titles and labels beside turns: nobody waits for them, and they end when the server does. */
import { Tasks } from "@atelier/host/tasks";
import { labelTurn, nameChat, type QuickgenDeps } from "./quickgen-actions.ts";

/** Chats whose beginning was seen here: attempts are repeated, titles are not. */
const REMEMBERED_MAX = 10_000;

export class ShortTexts implements AsyncDisposable {
  readonly #deps: QuickgenDeps;
  readonly #tasks: Tasks;
  readonly #begun = new Set<string>();
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

  turnEnded(chatId: string, end: Parameters<typeof labelTurn>[2]): void {
    this.#run("label of a chat", (signal) => labelTurn(this.#deps, chatId, end, signal));
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
