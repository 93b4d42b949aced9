/**
 * Where servers dial each other for the live parts of a chat (spec agents 4.4), and how. Who holds a pass is let
 * in. A line whose other end is silent is ended by pings.
 */
import type { Logger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import type {
  HearText,
  PartLine,
  PartLines,
  PartLineService,
} from "@atelier/contract/rpc/chat-part-lines";
import { openSocket } from "@atelier/tunnel/open-socket";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { RELAY_PASS_HEADER, type RelayPasses } from "../deployment/relay-pass.ts";
import type { SocketPulse } from "../http/socket-pulse-io.ts";
import type { UpgradeRoute } from "../http/upgrades-io.ts";
import { textFrame } from "../http/websocket-frame.ts";

const PATH = "/internal/chats/:chat/stream/parts";
/** Names of episodes. */
const ASKED_BYTES_MAX = 1024;
/** All parts of an episode at once: these are up to 1 MiB, and much more with all their numbers. */
const TOLD_BYTES_MAX = 32 * 1024 * 1024;
const DIAL_MS_MAX = 5_000;

export type ChatRelayDeps = {
  readonly log: Logger;
  /** Of this server. */
  readonly replicaId: string;
  readonly passes: RelayPasses;
  readonly pulse: SocketPulse;
  /** Null: that server is not alive, or does not say where it is. */
  readonly findUrl: (replicaId: string) => Promise<string | null>;
};

export type ChatRelay = {
  readonly route: UpgradeRoute;
  readonly lines: PartLines;
  /** Serves from now on, until the result is disposed. */
  serveWith(service: PartLineService): Disposable;
  /** Ends what other servers have opened. They look elsewhere. */
  drain(): void;
};

export function chatRelay(deps: ChatRelayDeps): ChatRelay {
  let service: PartLineService | null = null;
  const served = new Set<PartLine>();
  const unreached = new Set<string>();
  const drain = (): void => {
    for (const line of served) line.end();
  };
  const accept = (serve: PartLineService, chatId: string, socket: WebSocket, wire: Duplex) => {
    // It left while the handshake was made.
    if (serve !== service) return socket.terminate();
    const line = new SocketLine(socket, { wire, pulse: deps.pulse });
    served.add(line);
    line.signal.addEventListener("abort", () => served.delete(line));
    line.listen(serve(chatId, line));
  };
  return {
    route: {
      path: PATH,
      payloadBytesMax: ASKED_BYTES_MAX,
      prepare: async ({ headers, params }) => {
        const chatId = params["chat"] ?? "";
        const pass = headers[RELAY_PASS_HEADER];
        const wanted = { thingId: chatId, replicaId: deps.replicaId };
        // To anybody else it looks as if there were nothing.
        const isGood = typeof pass === "string" && deps.passes.isGood(pass, wanted);
        if (!isGood) return fail({ code: "request.route_unknown" });
        const serve = service;
        if (serve === null) return fail({ code: "server.stopping", retryAfterSeconds: 1 });
        return ok((socket, wire) => accept(serve, chatId, socket, wire));
      },
    },
    lines: {
      dial: (wanted, hear, signal) => dial({ ...deps, unreached }, wanted, hear, signal),
    },
    serveWith: (mounted) => {
      service = mounted;
      return {
        [Symbol.dispose]: () => {
          if (service === mounted) service = null;
          drain();
        },
      };
    },
    drain,
  };
}

async function dial(
  { findUrl, passes, pulse, log, unreached }: ChatRelayDeps & { readonly unreached: Set<string> },
  { serverId: replicaId, chatId }: Parameters<PartLines["dial"]>[0],
  hear: HearText,
  signal: AbortSignal,
): Promise<PartLine | null> {
  const relayUrl = await findUrl(replicaId);
  if (relayUrl === null) return null;
  const url = new URL(PATH.replace(":chat", chatId), relayUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const opened = await openSocket(
    {
      url,
      headers: { [RELAY_PASS_HEADER]: passes.issue({ thingId: chatId, replicaId }) },
      timeoutMs: DIAL_MS_MAX,
      payloadBytesMax: TOLD_BYTES_MAX,
      followsRedirects: false,
    },
    signal,
  );
  if (opened.ok) {
    const line = new SocketLine(opened.value, { wire: null, pulse });
    line.listen(hear);
    unreached.delete(replicaId);
    return line;
  }
  if (signal.aborted) return null;
  const { failure } = opened;
  const why = failure.kind === "refused" ? { status: failure.status } : { error: failure.error };
  // Each chat dials, again and again: once says it.
  const level = unreached.has(replicaId) ? "debug" : "warn";
  unreached.add(replicaId);
  log[level]({ ...why, server: url.host }, "another server is not reached: its chats are read");
  return null;
}

class SocketLine implements PartLine {
  readonly signal: AbortSignal;
  readonly #socket: WebSocket;
  readonly #wire: Duplex | null;

  /** `wire`: the connection below it, where frames are sent as they are, which is a server's side. */
  constructor(
    socket: WebSocket,
    { wire, pulse }: { readonly wire: Duplex | null; readonly pulse: SocketPulse },
  ) {
    this.#socket = socket;
    this.#wire = wire;
    const over = new AbortController();
    this.signal = over.signal;
    const kept = pulse.keep(socket);
    socket.once("close", () => {
      kept[Symbol.dispose]();
      over.abort(new Error("the line is over"));
    });
  }

  listen(hear: HearText): void {
    this.#socket.on("message", (data: Buffer) => hear(data.toString("utf8")));
    this.#socket.resume();
  }

  pass(text: Parameters<PartLine["pass"]>[0], done: Parameters<PartLine["pass"]>[1]): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return done(new Error("the line is over"));
    if (typeof text === "string") return this.#socket.send(text, done);
    if (this.#wire === null) return this.#socket.send(text.text, done);
    // The library writes each message whole and at once, so one may stand between two of its own.
    text.framed ??= textFrame(text.text);
    this.#wire.write(text.framed, done);
  }

  end(): void {
    this.#socket.terminate();
  }
}
