/** The server's few answers in plain text: front page, health, metrics, refused upgrades. */
import type { Clock } from "@atelier/base/clock";
import type { Metrics } from "@atelier/host/metrics";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A probe that gets no answer for longer than this takes the server for dead anyway. */
const READINESS_MS_MAX = 2_000;

export function answerText(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, text }: { readonly status: number; readonly text: string },
): void {
  const isRead = method === "GET" || method === "HEAD";
  const body = isRead ? text : "Method not allowed\n";
  response.writeHead(isRead ? status : 405, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(isRead ? {} : { allow: "GET, HEAD" }),
  });
  response.end(method === "HEAD" ? undefined : body);
}

export async function answerMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  const text = await metrics.render();
  response.writeHead(200, { "content-type": metrics.contentType });
  response.end(text);
}

/** Asks at most one question at a time, however many probes there are. */
export class Readiness {
  readonly #clock: Clock;
  readonly #probe: () => Promise<unknown>;
  #asked: Promise<boolean> | null = null;

  /** `probe` rejects when the server cannot serve. */
  constructor(clock: Clock, probe: () => Promise<unknown>) {
    this.#clock = clock;
    this.#probe = probe;
  }

  isReady(): Promise<boolean> {
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }

  async #ask(): Promise<boolean> {
    const timer = new AbortController();
    const answered = this.#probe().then(
      () => true,
      () => false,
    );
    const late = this.#clock.sleep(READINESS_MS_MAX, timer.signal).then(
      () => false,
      () => false,
    );
    const isReady = await Promise.race([answered, late]);
    timer.abort(new Error("answered"));
    return isReady;
  }
}

/**
 * The gateway speaks no WebSocket. The answer is 426, on which clients that prefer WebSockets fall
 * back to plain HTTP (spec gateway 7.10).
 */
export function refuseUpgrade(socket: Duplex): void {
  const status = "426 Upgrade Required";
  const text = "WebSocket is not served here: use HTTP.\n";
  socket.on("error", () => {}); // The client is gone: there is nobody to tell.
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${text.length}\r\n\r\n${text}`,
  );
}
