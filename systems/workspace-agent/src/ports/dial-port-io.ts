/** Connects to a port of this machine, as a channel of bytes: each half ends for itself. */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ByteChannel, WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { chunksOf, writeTo } from "@atelier/tunnel/stream-bytes";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { errorCode, systemFailure } from "../paths/system-failure.ts";

const CONNECT_MS_MAX = 5_000;
/** Programs listen on one of them, or on both. */
const LOOPBACK = ["127.0.0.1", "::1"];

export type DialledPort = {
  readonly channel: ByteChannel;
  /** Resolves when both halves are over. */
  readonly closed: Promise<void>;
};

/** The channel breaks when the signal aborts. */
export async function dialPort(
  port: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<DialledPort, WorkspaceFailure>> {
  const late = new AbortController();
  const over = new AbortController();
  const limit = clock.sleep(CONNECT_MS_MAX, over.signal).then(
    () => late.abort(new Error("it took too long to connect")),
    () => {}, // It is connected, or refused.
  );
  try {
    for (const host of LOOPBACK) {
      try {
        const either = AbortSignal.any([late.signal, signal]);
        const socket = await connectTo({ host, port }, either);
        return ok(channelOver(socket, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (late.signal.aborted) return timedOut(port);
        const isElsewhere = ["ECONNREFUSED", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH"];
        if (isElsewhere.includes(errorCode(error) ?? "")) continue;
        const failure = systemFailure(error, `Port ${port}`);
        if (failure === null) throw error;
        return fail(failure);
      }
    }
    return fail({ code: "not_found", message: `Nothing listens on port ${port}.` });
  } finally {
    over.abort(new Error("it is decided"));
    await limit;
  }
}

function timedOut(port: number): Result<never, WorkspaceFailure> {
  const seconds = CONNECT_MS_MAX / 1_000;
  return fail({ code: "timed_out", message: `Port ${port} did not answer within ${seconds} s.` });
}

async function connectTo(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function channelOver(socket: Socket, signal: AbortSignal): DialledPort {
  socket.on("error", () => {}); // Its reader throws too.
  const destroy = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", destroy, { once: true });
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      signal.removeEventListener("abort", destroy);
      resolve();
    });
  });
  if (signal.aborted) destroy();
  const channel: ByteChannel = {
    incoming: incomingOf(socket, signal),
    write: (bytes) => writeTo(socket, bytes),
    end: () => endHalf(socket),
    destroy,
  };
  return { channel, closed };
}

async function* incomingOf(socket: Socket, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(socket);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  signal.throwIfAborted();
}

async function endHalf(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.writableEnded) return;
  await new Promise<void>((resolve) => {
    socket.once("close", resolve);
    socket.end(() => {
      socket.off("close", resolve);
      resolve();
    });
  });
}
