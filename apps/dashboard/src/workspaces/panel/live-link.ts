/**
 * What the server tells over a socket as it happens: the newest of it, and how the connection is. One
 * that breaks is dialled again, later each time; one that is refused for good is not.
 */
import type { Clock } from "@atelier/base/clock";
import { Redial } from "../../browser/redial.ts";

export type LiveProblem = { readonly code: string; readonly message: string };

export type LiveState =
  | { readonly kind: "connecting" | "live" | "ended" }
  /** `problem` is null where only the connection broke. */
  | {
      readonly kind: "waiting";
      readonly retryInMs: number;
      readonly problem: LiveProblem | null;
    }
  | { readonly kind: "refused"; readonly problem: LiveProblem };

/** What of a browser's WebSocket is used. */
export type LiveSocket = Pick<WebSocket, "close"> & {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number }) => void) | null;
};

export type LiveLinkDeps = {
  readonly clock: Clock;
  /** Called for each connection: what is asked for may change between them. */
  readonly open: () => LiveSocket;
  readonly onData: (data: unknown) => void;
  readonly onState: (state: LiveState) => void;
};

const CLOSE_ENDED = 1_000;

/** Asking again changes nothing. */
const FINAL_CODES: readonly string[] = [
  "resource.not_found",
  "request.invalid",
  "workspace_agent.refused",
];

export class LiveLink {
  readonly #deps: LiveLinkDeps;
  readonly #redial: Redial;
  #socket: LiveSocket | null = null;

  constructor(deps: LiveLinkDeps) {
    this.#deps = deps;
    this.#redial = new Redial(deps.clock, () => this.#dial());
    this.#dial();
  }

  close(): void {
    this.#redial.stop();
    this.#socket?.close();
  }

  #dial(): void {
    const { open, onData, onState } = this.#deps;
    onState({ kind: "connecting" });
    const socket = open();
    let problem: LiveProblem | null = null;
    socket.onmessage = ({ data }) => {
      if (this.#redial.isStopped) return;
      const message = messageOf(data);
      if (message?.type === "error") problem = problemOf(message.data);
      if (message?.type !== "data") return;
      this.#redial.reached();
      onData(message.data);
      onState({ kind: "live" });
    };
    socket.onclose = ({ code }) => {
      if (this.#redial.isStopped) return;
      if (problem !== null && FINAL_CODES.includes(problem.code)) {
        onState({ kind: "refused", problem });
      } else if (problem === null && code === CLOSE_ENDED) onState({ kind: "ended" });
      else onState({ kind: "waiting", retryInMs: this.#redial.again(), problem });
    };
    this.#socket = socket;
  }
}

function messageOf(text: unknown): { readonly type: unknown; readonly data: unknown } | null {
  const message: unknown = JSON.parse(String(text));
  return typeof message === "object" && message !== null && "type" in message && "data" in message
    ? message
    : null; // Of a newer server.
}

function problemOf(data: unknown): LiveProblem {
  const { code, message } = data as Partial<LiveProblem>;
  return { code: String(code ?? ""), message: String(message ?? "It is not told why.") };
}
