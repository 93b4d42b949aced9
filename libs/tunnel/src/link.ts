/**
 * A link over one WebSocket: HTTP/2 inside it, and a heartbeat beside it. The workspace agent answers
 * (it is the HTTP/2 server, though it dialled), the server asks.
 *
 * A peer that says nothing for `SILENCE_MS_MAX` is gone: half-open sockets are noticed within 10 s on both sides,
 * because both send pings.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import {
  connect,
  constants,
  performServerHandshake,
  type ClientHttp2Session,
  type Http2Session,
} from "node:http2";
import { createWebSocketStream, WebSocket } from "ws";
import { relayStreams, type RelayOptions } from "./relay-streams.ts";
import { remoteServices } from "./remote-services.ts";
import { serveServices } from "./serve-services.ts";

export const PING_EVERY_MS = 2_000;
export const SILENCE_MS_MAX = 7_000;

/** Bytes that may be on their way before the reader confirms them: of one stream, and of the link. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const LINK_WINDOW_BYTES = 16 * 1024 * 1024;
const STREAMS_MAX = 4_096;

export type LinkDeps = { readonly clock: Clock; readonly log: Logger };

/** A link as its asking end holds it. */
export interface Link {
  readonly services: WorkspaceServices;
  /** The session itself, for relaying streams as they are. */
  readonly session: ClientHttp2Session;
  /** Resolves when the link is over, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** The end that asks: of a server that a workspace agent has dialled. */
export function askOverSocket(socket: WebSocket, deps: LinkDeps): Link {
  const transport = transportOf(socket);
  const session = connect("http://workspace-agent", {
    createConnection: () => transport,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
    maxSessionMemory: 256,
  });
  session.on("error", () => {}); // `close` follows.
  session.on("connect", () => session.setLocalWindowSize(LINK_WINDOW_BYTES));
  const closed = superviseLink(socket, session, deps);
  return {
    session,
    services: remoteServices((path) =>
      session.closed || session.destroyed
        ? null
        : session.request({ ":method": "POST", ":path": path }, { endStream: false }),
    ),
    closed,
    close: () => closeLink(socket, session),
  };
}

/** The end that answers. Resolves when the link is over. */
export function answerOverSocket(
  socket: WebSocket,
  services: WorkspaceServices,
  deps: LinkDeps,
): { readonly closed: Promise<void>; close(): void } {
  return answer(socket, deps, (session) => serveServices(session, services, deps.log));
}

/** The end that answers for somebody else: each stream goes on to where `options` say. */
export function relayOverSocket(
  socket: WebSocket,
  options: RelayOptions,
  deps: LinkDeps,
): { readonly closed: Promise<void>; close(): void } {
  return answer(socket, deps, (session) => relayStreams(session, options));
}

function answer(
  socket: WebSocket,
  deps: LinkDeps,
  serve: (session: Http2Session) => void,
): { readonly closed: Promise<void>; close(): void } {
  const session = performServerHandshake(transportOf(socket), {
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: STREAMS_MAX,
      enablePush: false,
    },
    maxSessionMemory: 256,
  });
  session.setLocalWindowSize(LINK_WINDOW_BYTES);
  session.on("error", () => {}); // `close` follows.
  serve(session);
  const closed = superviseLink(socket, session, deps);
  return { closed, close: () => closeLink(socket, session) };
}

function transportOf(socket: WebSocket): ReturnType<typeof createWebSocketStream> {
  const transport = createWebSocketStream(socket, { highWaterMark: STREAM_WINDOW_BYTES });
  // To fail then would end the socket at once, and its code might not reach the other side.
  const isClosing = (): boolean => socket.readyState === WebSocket.CLOSING;
  const write = transport._write.bind(transport);
  transport._write = (chunk, encoding, done) => {
    if (isClosing()) done();
    else write(chunk, encoding, done);
  };
  // HTTP/2 writes a batch of frames in many pieces: as one message they cost one write to the system.
  transport._writev = (pieces, done) => {
    if (isClosing()) return done();
    socket.send(Buffer.concat(pieces.map(({ chunk }) => chunk as Buffer)), done);
  };
  transport.on("error", () => {}); // The socket's `close` follows.
  return transport;
}

function closeLink(socket: WebSocket, session: Http2Session): void {
  session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
  socket.terminate();
}

/** Pings, and ends both when either ended or the peer fell silent. */
function superviseLink(socket: WebSocket, session: Http2Session, deps: LinkDeps): Promise<void> {
  const { clock, log } = deps;
  const over = new AbortController();
  let heardAtMs = clock.monotonicMs();
  const hear = (): void => {
    heardAtMs = clock.monotonicMs();
  };
  socket.on("message", hear).on("ping", hear).on("pong", hear);
  const beat = async (): Promise<void> => {
    for (;;) {
      const dueMs = clock.monotonicMs() + PING_EVERY_MS;
      await clock.sleep(PING_EVERY_MS, over.signal);
      // While this process itself was held up it heard nobody: that says nothing of the peer.
      heardAtMs += Math.max(0, clock.monotonicMs() - dueMs);
      const silentMs = clock.monotonicMs() - heardAtMs;
      if (silentMs >= SILENCE_MS_MAX) {
        log.warn({ silentMs: Math.round(silentMs) }, "a workspace link fell silent");
        closeLink(socket, session);
        return;
      }
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  };
  beat().catch(() => {}); // The link is over.
  return new Promise((resolve) => {
    const finish = (): void => {
      if (over.signal.aborted) return;
      over.abort(new Error("the link is over"));
      closeLink(socket, session);
      resolve();
    };
    socket.once("close", finish);
    socket.on("error", finish);
    session.once("close", finish);
    if (socket.readyState === WebSocket.CLOSED) finish();
  });
}
