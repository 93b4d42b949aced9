/**
 * Messages between the main thread and one gateway worker: requests that are answered, in order. Both
 * ends are alike. When the other end is gone, whatever still waits for it is refused.
 */
/** What one end asks and what it is answered. Values must survive a structured clone. */
export type Questions = Readonly<
  Record<string, { readonly ask: unknown; readonly answer: unknown }>
>;

type Answers<Asked extends Questions> = {
  readonly [Kind in keyof Asked]: (
    ask: Asked[Kind]["ask"],
  ) => Promise<Asked[Kind]["answer"]> | Asked[Kind]["answer"];
};

type Message =
  | { readonly type: "ask"; readonly id: number; readonly kind: string; readonly ask: unknown }
  | { readonly type: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly type: "failure"; readonly id: number; readonly message: string };

type Waiting = {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
};

/** The part of a Worker or a MessagePort that is used here. */
type Port = {
  postMessage(message: Message): void;
  on(event: "message", listener: (message: Message) => void): unknown;
};

export class ThreadChannel<Asks extends Questions, Answered extends Questions> {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #closed: Error | null = null;

  constructor(port: Port, answers: Answers<Answered>) {
    this.#port = port;
    port.on("message", (message) => {
      if (message.type === "ask") this.#answer(message, answers);
      else this.#settle(message);
    });
  }

  /** Rejects when the other end fails or is gone. */
  ask<Kind extends keyof Asks & string>(
    kind: Kind,
    ask: Asks[Kind]["ask"],
  ): Promise<Asks[Kind]["answer"]> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    this.#asked += 1;
    const id = this.#asked;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#port.postMessage({ type: "ask", id, kind, ask } satisfies Message);
    // The other end answers each kind with its own answer: both are compiled against one table.
    return promise;
  }

  /** The other end is gone. */
  close(reason: string): void {
    this.#closed = new Error(reason);
    for (const { reject } of this.#waiting.values()) reject(this.#closed);
    this.#waiting.clear();
  }

  #answer(message: Extract<Message, { type: "ask" }>, answers: Answers<Answered>): void {
    const { id, kind, ask } = message;
    const answering = answers[kind];
    const answered =
      answering === undefined
        ? Promise.reject(new Error(`nobody answers ${kind}`))
        : Promise.resolve().then(() => answering(ask));
    answered.then(
      (answer) => this.#post({ type: "answer", id, answer }),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        this.#post({ type: "failure", id, message: text });
      },
    );
  }

  #post(message: Message): void {
    if (this.#closed === null) this.#port.postMessage(message);
  }

  #settle(message: Exclude<Message, { type: "ask" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(new Error(message.message));
  }
}
