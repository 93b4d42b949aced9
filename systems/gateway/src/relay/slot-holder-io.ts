/**
 * Holds a key's slot while one attempt with that key is under way, and lets go of it at the first sign that
 * the provider has done its work: the format's last event, the end, a failure, or that nobody wants the
 * answer any more. What comes after that, such as recording, keeps no other call waiting.
 */
import type { KeySlot } from "../keys/key-slots.ts";
import type { HeadFields } from "../upstream/head-fields.ts";
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "../upstream/upstream-client.ts";
import type { AnswerRelay } from "./answer-relay-io.ts";

export class SlotHolder implements UpstreamListener {
  readonly #slot: KeySlot;
  readonly #listener: UpstreamListener;
  readonly #relay: Pick<AnswerRelay, "hasLastEvent">;

  constructor(slot: KeySlot, listener: UpstreamListener, relay: Pick<AnswerRelay, "hasLastEvent">) {
    this.#slot = slot;
    this.#listener = listener;
    this.#relay = relay;
  }

  /** The exchange as those cancel it who do not know of the slot. */
  around(exchange: UpstreamExchange): UpstreamExchange {
    return {
      resume: () => exchange.resume(),
      cancel: () => {
        this.#slot.release();
        exchange.cancel();
      },
    };
  }

  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void {
    this.#listener.head(status, rawHeaders, fields);
  }

  data(chunk: Uint8Array): boolean {
    const isKeepingUp = this.#listener.data(chunk);
    if (this.#relay.hasLastEvent) this.#slot.release();
    return isKeepingUp;
  }

  end(): void {
    this.#slot.release();
    this.#listener.end();
  }

  failed(failure: UpstreamFailure): void {
    this.#slot.release();
    this.#listener.failed(failure);
  }
}
