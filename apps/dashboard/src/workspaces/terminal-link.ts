/**
 * A terminal in a workspace over its socket: what is typed goes there, its bytes come back. When the
 * connection breaks it is dialled again, and finds the same terminal by its id.
 */
import type { Clock } from "@atelier/base/clock";
import { Redial } from "../browser/redial.ts";

export type TerminalState =
  | { readonly kind: "connecting" | "connected" | "ended" }
  /** `retryInMs` from the moment when this is told. */
  | { readonly kind: "waiting"; readonly retryInMs: number; readonly reason: string };

/** What of a browser's WebSocket is used. */
export type TerminalSocket = Pick<WebSocket, "send" | "close" | "readyState" | "binaryType"> & {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
};

type Size = { readonly width: number; readonly height: number };

export type TerminalLinkDeps = {
  readonly clock: Clock;
  readonly open: (size: Size) => TerminalSocket;
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onState: (state: TerminalState) => void;
  /** A new connection begins with what the terminal shows: what is shown here is old. */
  readonly onFresh: () => void;
};

const CLOSE_ENDED = 1_000;
const OPEN = 1;

export class TerminalLink {
  readonly #deps: TerminalLinkDeps;
  readonly #redial: Redial;
  #socket: TerminalSocket | null = null;
  #size: Size;

  constructor(deps: TerminalLinkDeps, size: Size) {
    this.#deps = deps;
    this.#redial = new Redial(deps.clock, () => this.#dial());
    this.#size = size;
    this.#dial();
  }

  /** What is typed while there is no connection is lost: nobody wants it to arrive minutes later. */
  type(data: string): void {
    this.#send({ data });
  }

  resize(size: Size): void {
    this.#size = size;
    this.#send(size);
  }

  /** Leaves; the terminal goes on without us. */
  close(): void {
    this.#redial.stop();
    this.#socket?.close();
  }

  #send(message: object): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #dial(): void {
    const { open, onBytes, onState, onFresh } = this.#deps;
    onState({ kind: "connecting" });
    const socket = open(this.#size);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#redial.reached();
      onFresh();
      onState({ kind: "connected" });
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) onBytes(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#redial.isStopped) return;
      if (code === CLOSE_ENDED) onState({ kind: "ended" });
      else onState({ kind: "waiting", retryInMs: this.#redial.again(), reason });
    };
    this.#socket = socket;
  }
}
