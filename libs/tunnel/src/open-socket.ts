/**
 * Opens a WebSocket for a link. It is handed over paused, so that nothing of a peer that speaks at
 * once is lost before the link reads; a refusal is a value, with what the peer said.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { WebSocket } from "ws";

export type OpenSocketOptions = {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Of one message; 0: any. */
  readonly payloadBytesMax: number;
  readonly followsRedirects: boolean;
};

export type OpenSocketFailure =
  /** The peer said no; `body` is what it said. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** An error of Node's network, or the signal aborted. */
  | { readonly kind: "unreachable"; readonly error: Error };

const BODY_LENGTH_MAX = 64 * 1024;

/** A signal that aborts later than the answer does nothing to the socket. */
export async function openSocket(
  options: OpenSocketOptions,
  signal: AbortSignal | null,
): Promise<Result<WebSocket, OpenSocketFailure>> {
  const { url, headers, timeoutMs, payloadBytesMax, followsRedirects } = options;
  const socket = new WebSocket(url, {
    headers,
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
    followRedirects: followsRedirects,
    maxPayload: payloadBytesMax,
  });
  const stop = (): void => socket.terminate();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<Result<WebSocket, OpenSocketFailure>>((resolve) => {
      socket.once("open", () => {
        socket.pause();
        resolve(ok(socket));
      });
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
      if (signal?.aborted === true) stop();
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
