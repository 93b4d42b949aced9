/**
 * A terminal for a browser: keys and sizes as JSON one way, the terminal's bytes the other way. When
 * the browser leaves, the terminal in the workspace goes on, and is found again by its id.
 */
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import type { openWorkspaceTerminal } from "@atelier/contract/http/workspace-sockets";
import { WebSocket, type RawData } from "ws";
import { z } from "zod";
import type { SocketRequest } from "../http/socket-route.ts";

export type TerminalRequest = SocketRequest<typeof openWorkspaceTerminal>;

/** Of one message: what somebody pastes. */
export const TERMINAL_PAYLOAD_BYTES_MAX = 1024 * 1024;

const CLOSE_ENDED = 1000;
const CLOSE_NOT_UNDERSTOOD = 1007;
const CLOSE_FAILED = 1011;
/** Of a close frame, in bytes. */
const REASON_BYTES_MAX = 123;
/** Keys that wait to be taken, in messages; then the browser is not read for a while. */
const WAITING_MAX = 32;

const Size = z.number().int().min(1).max(1_000);
const Message = z.object({
  data: z.string().optional(),
  height: Size.optional(),
  width: Size.optional(),
});

/** Resolves when the terminal ended, the browser left, or the signal aborted. */
export async function serveTerminal(
  services: WorkspaceServices,
  { reconnect: id, width, height, command }: TerminalRequest["query"],
  socket: WebSocket,
  signal: AbortSignal,
): Promise<void> {
  const { terminals } = services;
  const attached = await terminals
    .attach({ id, columns: width, rows: height, command }, { signal })
    .catch(() => null); // Aborted: nobody waits.
  if (attached === null) return;
  if (!attached.ok) return closeWith(socket, CLOSE_FAILED, attached.failure.message);
  const { channel } = attached.value;
  const left = (): void => {
    // Ending detaches: the terminal goes on.
    channel.end().then(
      () => channel.destroy(),
      () => channel.destroy(),
    );
  };
  signal.addEventListener("abort", left, { once: true });
  if (signal.aborted) left();
  const resize = async (columns: number, rows: number): Promise<void> => {
    await terminals.resize({ id, columns, rows });
  };
  readKeys(socket, channel, resize);
  try {
    for await (const bytes of channel.incoming) await send(socket, bytes);
    closeWith(socket, CLOSE_ENDED, "the program ended");
  } catch {
    if (!signal.aborted) {
      closeWith(socket, CLOSE_FAILED, "The connection to the workspace broke.");
    }
  } finally {
    signal.removeEventListener("abort", left);
    channel.destroy();
  }
}

/** In order: a size that comes after a key applies after it. */
function readKeys(
  socket: WebSocket,
  channel: ByteChannel,
  resize: (columns: number, rows: number) => Promise<void>,
): void {
  let waiting = 0;
  let last = Promise.resolve();
  const take = async (raw: RawData): Promise<void> => {
    const message = parse(raw);
    if (message === null) return closeWith(socket, CLOSE_NOT_UNDERSTOOD, "not a terminal message");
    const { data, height, width } = message;
    if (data !== undefined && data !== "") await channel.write(Buffer.from(data));
    if (height !== undefined && width !== undefined) await resize(width, height);
  };
  socket.on("message", (raw) => {
    waiting += 1;
    if (waiting >= WAITING_MAX) socket.pause();
    last = last
      .then(() => take(raw))
      .catch(() => {}) // The channel broke, and its reader says so.
      .then(() => {
        waiting -= 1;
        if (waiting < WAITING_MAX && socket.isPaused) socket.resume();
      });
  });
  socket.resume();
}

function parse(raw: RawData): z.output<typeof Message> | null {
  const text = (Array.isArray(raw) ? Buffer.concat(raw) : Buffer.from(raw as Buffer)).toString();
  try {
    const parsed = Message.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // Not JSON.
  }
}

/** Resolves when the bytes are on their way: the back-pressure of slow browsers. */
async function send(socket: WebSocket, bytes: Uint8Array): Promise<void> {
  if (socket.readyState !== WebSocket.OPEN) throw new Error("the browser left");
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, { binary: true }, (error) => (error ? reject(error) : resolve()));
  });
}

function closeWith(socket: WebSocket, code: number, reason: string): void {
  socket.close(
    code,
    Buffer.from(reason)
      .subarray(0, REASON_BYTES_MAX)
      .toString()
      .replace(/\uFFFD+$/, ""),
  );
}
