/**
 * One viewer of a terminal: what it has yet to get. A viewer that reads too slowly holds nobody up and
 * keeps little: what it missed is dropped, and it gets the screen as it is when it reads again.
 */
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";

/** Live output that a viewer may be behind. */
export const BEHIND_BYTES_MAX = 1024 * 1024;

export type ViewerHost = {
  snapshot(): Uint8Array;
  type(bytes: Uint8Array): Promise<void>;
  onGone(viewer: Viewer): void;
};

export class Viewer {
  readonly #host: ViewerHost;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** It gets a snapshot next, and what is queued comes after that. */
  #needsSnapshot = true;
  #state: "open" | "ended" | "broken" = "open";
  #reason: unknown = null;
  #wake: (() => void) | null = null;

  constructor(host: ViewerHost) {
    this.#host = host;
  }

  /** Output that is on the screen already. */
  offer(bytes: Uint8Array): void {
    // The snapshot to come will hold it.
    if (this.#needsSnapshot || this.#state !== "open") return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.byteLength;
    if (this.#queuedBytes > BEHIND_BYTES_MAX) this.resynchronize();
    this.#wake?.();
  }

  /** What it has not read is replaced by the screen as it is when it reads again. */
  resynchronize(): void {
    this.#drop();
    this.#needsSnapshot = this.#state !== "broken";
    this.#wake?.();
  }

  /** It gets what is left, and then its end. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#host.onGone(this);
    this.#wake?.();
  }

  break(reason: unknown): void {
    if (this.#state === "broken") return;
    const wasOpen = this.#state === "open";
    this.#state = "broken";
    this.#reason = reason;
    this.#drop();
    this.#needsSnapshot = false;
    if (wasOpen) this.#host.onGone(this);
    this.#wake?.();
  }

  channel(): ByteChannel {
    return {
      incoming: this.#read(),
      write: async (bytes) => {
        if (this.#state === "broken") throw new Error("the terminal is no longer viewed");
        if (this.#state === "open") await this.#host.type(bytes);
      },
      end: async () => this.end(),
      destroy: () => this.break(new Error("the channel was destroyed")),
    };
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#state === "broken") throw this.#reason;
        if (this.#needsSnapshot) {
          this.#needsSnapshot = false;
          yield this.#host.snapshot();
        } else if (this.#queue.length > 0) {
          const bytes = Buffer.concat(this.#queue);
          this.#drop();
          yield bytes;
        } else if (this.#state === "ended") return;
        else await this.#somethingHappens();
      }
    } finally {
      this.break(new Error("the viewer stopped reading"));
    }
  }

  async #somethingHappens(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  #drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
