/**
 * A conversation holds reasoning that the provider signed or sealed. When its provider has been moved since
 * (another address, another model behind it, the key of another account), the new place can refuse what it did
 * not make, and then every further request of that conversation. Such a request is sent once more without the
 * reasoning: a model that cannot remember its thoughts is better than a conversation that cannot go on.
 *
 * Only after the provider's own refusal, once, and the client gets nothing of it: if the second answer is a
 * refusal too, the first one is the client's, because that one is about its own bytes.
 */
import {
  refusesSignedReasoning,
  withoutSignedReasoning,
} from "@atelier/model-wire/signed-reasoning";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { HeadFields } from "../upstream/head-fields.ts";
import {
  wholeBody,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamFailure,
  type UpstreamListener,
} from "../upstream/upstream-client.ts";

export type RepairOptions = {
  readonly format: WireFormat;
  /** Called when the second answer begins, and is no refusal. */
  onRepaired(): void;
};

/** The refusal is some hundred bytes. A longer answer is something else. */
const HELD_BYTES_MAX = 64 * 1024;

/** As `client.send`. */
export function sendRepairing(
  client: UpstreamClient,
  call: UpstreamCall,
  listener: UpstreamListener,
  options: RepairOptions,
): UpstreamExchange {
  const repair = new ForeignReasoningRepair(client, call, listener, options);
  repair.attach(client.send(call, repair));
  return repair;
}

/** A 400 that may be about reasoning. */
type Held = {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly chunks: Uint8Array[];
  bytes: number;
};

class ForeignReasoningRepair implements UpstreamListener, UpstreamExchange {
  readonly #client: UpstreamClient;
  readonly #call: UpstreamCall;
  readonly #listener: UpstreamListener;
  readonly #options: RepairOptions;
  #exchange: UpstreamExchange | null = null;
  #held: Held | null = null;
  /** Whether the second answer is waited for. */
  #isSecond = false;
  #isOver = false;

  constructor(
    client: UpstreamClient,
    call: UpstreamCall,
    listener: UpstreamListener,
    options: RepairOptions,
  ) {
    this.#client = client;
    this.#call = call;
    this.#listener = listener;
    this.#options = options;
  }

  /** Call right after sending. */
  attach(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
    if (this.#isOver) exchange.cancel();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  cancel(): void {
    this.#isOver = true;
    this.#exchange?.cancel();
  }

  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void {
    if (this.#isSecond && status >= 400) {
      this.#exchange?.cancel();
      this.#giveHeld()?.end();
    } else if (status === 400 && this.#call.body !== null) {
      this.#held = { status, rawHeaders, chunks: [], bytes: 0 };
    } else {
      if (this.#isSecond) this.#options.onRepaired();
      this.#isSecond = false;
      this.#held = null;
      this.#listener.head(status, rawHeaders, fields);
    }
  }

  data(chunk: Uint8Array): boolean {
    const held = this.#held;
    if (held === null) return this.#listener.data(chunk);
    held.bytes += chunk.byteLength;
    held.chunks.push(chunk);
    if (held.bytes > HELD_BYTES_MAX) this.#giveHeld();
    return true;
  }

  end(): void {
    if (this.#held === null) return this.#listener.end();
    const repaired = this.#repairedBody(this.#held);
    if (repaired === null) {
      this.#giveHeld()?.end();
      return;
    }
    this.#isSecond = true;
    this.attach(this.#client.send({ ...this.#call, body: repaired }, this));
  }

  failed(failure: UpstreamFailure): void {
    const wasSecond = this.#isSecond;
    const listener = this.#giveHeld() ?? this.#listener;
    // The first answer was whole.
    if (wasSecond) listener.end();
    else listener.failed(failure);
  }

  #repairedBody({ chunks }: Held): Uint8Array | null {
    const { format } = this.#options;
    const { body } = this.#call;
    if (body === null || !refusesSignedReasoning(format, Buffer.concat(chunks))) return null;
    return withoutSignedReasoning(format, wholeBody(body));
  }

  /** The first answer is the client's after all. Null: it is already. */
  #giveHeld(): UpstreamListener | null {
    const held = this.#held;
    if (held === null) return null;
    this.#held = null;
    this.#isSecond = false;
    this.#listener.head(held.status, held.rawHeaders);
    for (const chunk of held.chunks) this.#listener.data(chunk);
    return this.#listener;
  }
}
