/**
 * The services of a workspace agent for a program that is not the server: a link of its own to the
 * server, which passes its streams on. Who may is the server's decision.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { WebSocket } from "ws";
import { askOverSocket, type Link, type LinkDeps } from "./link.ts";

export type DialOptions = {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly token: Secret | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
};

export type DialFailure =
  /** The server said no; `body` is what it said. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** An error of Node's network. */
  | { readonly kind: "unreachable"; readonly error: Error };

const BODY_LENGTH_MAX = 64 * 1024;

/** Rejects with the signal's reason. */
export async function dialServices(
  { url, token, userAgent, timeoutMs }: DialOptions,
  deps: LinkDeps,
  signal: AbortSignal,
): Promise<Result<Link, DialFailure>> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, {
    headers: {
      "user-agent": userAgent,
      ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
    maxPayload: 0,
  });
  const stop = (): void => socket.terminate();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const opened = await new Promise<Result<Link, DialFailure>>((resolve) => {
      // At once: the server's first bytes may have come with its answer to the handshake.
      socket.once("open", () => resolve(ok(askOverSocket(socket, deps))));
      socket.on("error", (error) => resolve(fail({ kind: "unreachable", error })));
      socket.once("unexpected-response", (request, response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          if (body.length < BODY_LENGTH_MAX) body += text;
        });
        response.once("close", () => {
          request.destroy();
          resolve(fail({ kind: "refused", status: response.statusCode ?? 0, body }));
        });
      });
    });
    signal.throwIfAborted();
    return opened;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
