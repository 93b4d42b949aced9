/**
 * Sends a chat's messages: each is shown at once, is kept when it cannot be delivered, also through a
 * reload, and goes away when the stream tells of it.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import {
  newestOf,
  outboxOf,
  outboxText,
  unseen,
  withState,
  without,
  type Newest,
  type Outgoing,
  type Told,
} from "./outbox.ts";
import type { SendInput } from "./send-input.ts";

export type Delivered = { readonly messageId: number | null; readonly queuedId: number | null };

export type ChatOutboxDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly deliver: (input: SendInput, key: string) => Promise<Result<Delivered, ApiProblem>>;
  /** What stays when the page goes. */
  readonly store: { read(): string | null; write(text: string | null): void };
};

/** The stream tells of a delivered message sooner; a queued one may have become a message meanwhile. */
const TOLD_MS_MAX = 3_000;

export class ChatOutbox {
  readonly #deps: ChatOutboxDeps;
  readonly #listeners = new Set<() => void>();
  #outbox: readonly Outgoing[];
  #newest: Newest = { messageId: 0, queuedId: 0 };

  constructor(deps: ChatOutboxDeps) {
    this.#deps = deps;
    this.#outbox = outboxOf(deps.store.read());
  }

  get outgoing(): readonly Outgoing[] {
    return this.#outbox;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  send(input: SendInput): void {
    const key = this.#deps.random.uuid();
    this.#change([...this.#outbox, { key, input, state: this.#sending() }]);
    this.#deliver(input, key);
  }

  retry(key: string): void {
    const found = this.#outbox.find((each) => each.key === key);
    if (found?.state.kind !== "failed") return;
    this.#change(withState(this.#outbox, key, this.#sending()));
    this.#deliver(found.input, key);
  }

  drop(key: string): void {
    this.#change(without(this.#outbox, key));
  }

  /** What the stream tells of is shown from there. */
  look(told: Told): void {
    this.#newest = newestOf(told);
    if (this.#outbox.every(({ state }) => state.kind === "failed")) return;
    const left = unseen(this.#outbox, told);
    if (left !== this.#outbox) this.#change(left);
  }

  #sending(): Outgoing["state"] {
    return { kind: "sending", since: this.#newest, toldAs: null };
  }

  #deliver(input: SendInput, key: string): void {
    const fail = (reason: string): void =>
      this.#change(withState(this.#outbox, key, { kind: "failed", reason }));
    this.#deps.deliver(input, key).then(
      (outcome) => {
        if (!outcome.ok) {
          fail(outcome.failure.detail ?? outcome.failure.message);
          return;
        }
        this.#change(withState(this.#outbox, key, { kind: "arrived", ...outcome.value }));
        if (outcome.value.messageId === null) this.#dropSoon(key);
      },
      (error: unknown) => fail(String(error)),
    );
  }

  #dropSoon(key: string): void {
    this.#deps.clock.sleep(TOLD_MS_MAX, new AbortController().signal).then(
      () => this.drop(key),
      () => {}, // Nobody stops it.
    );
  }

  #change(next: readonly Outgoing[]): void {
    this.#outbox = next;
    this.#deps.store.write(outboxText(next));
    for (const listener of this.#listeners) listener();
  }
}
