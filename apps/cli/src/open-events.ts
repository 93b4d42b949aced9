/**
 * A WebSocket on which the server tells and we listen. It is cut off when the server is silent for
 * longer than its pings allow: a connection that a network dropped would else look alive for hours.
 */
import type { Clock } from "@atelier/base/clock";
import { ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { openSocket, type OpenSocketFailure } from "@atelier/tunnel/open-socket";

export type EventAddress = {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly token: Secret | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
};

export type EventSocket = {
  /** Ends when the socket does, however that comes. Read by one reader, once. */
  readonly messages: AsyncIterable<string>;
  /** Of a socket that was closed; 1006 when it broke. */
  closeCode(): number | null;
  close(): void;
};

type Socket = Extract<Awaited<ReturnType<typeof openSocket>>, { readonly ok: true }>["value"];

/** The server pings each 15 seconds. */
const SILENCE_MS = 45_000;
/** Messages that nobody has read yet; then the server waits. */
const UNREAD_MAX = 64;
const MESSAGE_BYTES_MAX = 256 * 1_024 * 1_024;

export async function openEvents(
  { url, token, userAgent, timeoutMs }: EventAddress,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<EventSocket, OpenSocketFailure>> {
  const headers = {
    "user-agent": userAgent,
    ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
  };
  const opened = await openSocket(
    { url, headers, timeoutMs, payloadBytesMax: MESSAGE_BYTES_MAX, followsRedirects: false },
    signal,
  );
  if (!opened.ok) return opened;
  const socket = opened.value;
  const unread: string[] = [];
  let code: number | null = null;
  let wake: () => void = () => {};
  let heardAtMs = clock.monotonicMs();
  const over = new AbortController();
  const heard = (): void => {
    heardAtMs = clock.monotonicMs();
  };
  const stop = (): void => socket.terminate();
  signal.addEventListener("abort", stop, { once: true });
  socket.on("ping", heard);
  socket.on("message", (data: Buffer) => {
    heard();
    unread.push(data.toString("utf8"));
    if (unread.length >= UNREAD_MAX) socket.pause();
    wake();
  });
  socket.on("close", (closeCode: number) => {
    code = closeCode;
    signal.removeEventListener("abort", stop);
    over.abort();
    wake();
  });
  socket.on("error", () => {}); // The close that follows says enough.
  const silent = { heardAtMs: () => heardAtMs, signal: over.signal };
  cutWhenSilent(socket, clock, silent).catch(() => {}); // It is closed.
  if (signal.aborted) stop();
  socket.resume();
  const messages = async function* (): AsyncGenerator<string> {
    for (;;) {
      const next = unread.shift();
      if (next !== undefined) {
        if (unread.length < UNREAD_MAX / 2 && socket.isPaused) {
          heard();
          socket.resume();
        }
        yield next;
      } else if (code !== null) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };
  return ok({
    messages: messages(),
    closeCode: () => code,
    close: () => socket.close(1000),
  });
}

async function cutWhenSilent(
  socket: Socket,
  clock: Clock,
  { heardAtMs, signal }: { heardAtMs: () => number; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    await clock.sleep(SILENCE_MS / 3, signal);
    // A reader that is slow keeps the socket paused: that is no silence of the server.
    if (!socket.isPaused && clock.monotonicMs() - heardAtMs() > SILENCE_MS) socket.terminate();
  }
}
