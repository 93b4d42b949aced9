/**
 * One request of a preview from the browser's socket to the program's, and what comes back: by Node's own
 * HTTP client over a channel of the workspace's link, wherever that is connected. Bodies stream in both
 * directions, no faster than they are read; whoever leaves ends both sides.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { PreviewTarget } from "@atelier/contract/preview-address";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import {
  request as httpRequest,
  STATUS_CODES,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { channelStream } from "./channel-stream-io.ts";
import { fromWorkspace, toWorkspace, type PreviewPlace } from "./preview-headers.ts";
import type { PreviewTrouble } from "./preview-page.ts";
import type { PreviewVisit } from "./preview-sessions.ts";

export type PreviewRelayDeps = { readonly clock: Clock; readonly links: WorkspaceLinks };

/** One request, and who asks whom. */
export type PreviewAsk = {
  readonly visit: PreviewVisit;
  readonly target: PreviewTarget;
  readonly place: PreviewPlace;
  readonly ip: string;
  /** The workspace's page. */
  readonly workspaceUrl: string;
  /** The same port with HTTPS instead of HTTP, or the other way round. */
  readonly otherSchemeUrl: string;
};

/** Development servers may build for a while before they say anything. */
const HEAD_MS_MAX = 120_000;

/** Resolves when it is over. Null: it was answered, or nobody is there any more. */
export async function relayRequest(
  deps: PreviewRelayDeps,
  ask: PreviewAsk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<PreviewTrouble | null> {
  const signal = untilLeft(response, ask);
  const dialled = await dial(deps, ask, signal);
  // The session may have ended meanwhile: nobody else would.
  if (signal.aborted) response.destroy();
  if (!dialled.ok) return dialled.failure;
  const stream = dialled.value;
  return new Promise((resolve) => {
    const finish = (trouble: PreviewTrouble | null): void => {
      waiting.abort(OVER);
      request.unpipe(sent);
      stream.destroy();
      resolve(trouble);
    };
    const sent = send(stream, ask, request, null);
    const waiting = limitHead(deps.clock, () => finish(noAnswer(ask)));
    whenAborted(signal, () => {
      response.destroy();
      finish(null);
    });
    sent.on("response", (answer) => {
      waiting.abort(OVER);
      // It ends early what breaks on its way.
      answer.on("error", () => response.destroy());
      const headers = fromWorkspace(answer.rawHeaders, ask.place);
      if (!begins(() => response.writeHead(answer.statusCode ?? 502, headers))) {
        return finish(brokeOff(ask));
      }
      answer.pipe(response);
    });
    // Once it answers, its answer is what counts: it may want no more of the request.
    sent.on("error", () => {
      if (!response.headersSent) finish(brokeOff(ask));
    });
    request.pipe(sent);
  });
}

/** For a connection that is to change its protocol, such as a WebSocket. Null: as above. */
export async function relayUpgrade(
  deps: PreviewRelayDeps,
  ask: PreviewAsk,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<PreviewTrouble | null> {
  const signal = untilLeft(socket, ask);
  const dialled = await dial(deps, ask, signal);
  if (signal.aborted) socket.destroy();
  if (!dialled.ok) return dialled.failure;
  const stream = dialled.value;
  return new Promise((resolve) => {
    const finish = (trouble: PreviewTrouble | null): void => {
      waiting.abort(OVER);
      stream.destroy();
      resolve(trouble);
    };
    const sent = send(stream, ask, request, request.headers.upgrade ?? "websocket");
    const waiting = limitHead(deps.clock, () => finish(noAnswer(ask)));
    whenAborted(signal, () => {
      socket.destroy();
      finish(null);
    });
    let isAnswered = false;
    const answered = (answer: IncomingMessage, own: readonly string[]): void => {
      isAnswered = true;
      waiting.abort(OVER);
      socket.write(headText(answer, [...own, ...fromWorkspace(answer.rawHeaders, ask.place)]));
    };
    sent.on("upgrade", (answer, upstream, early) => {
      answered(answer, ["Connection", "Upgrade", "Upgrade", answer.headers.upgrade ?? ""]);
      socket.write(early);
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
      upstream.on("error", () => {}); // `close` follows.
      upstream.on("close", () => socket.destroy());
    });
    sent.on("response", (answer) => {
      answered(answer, ["Connection", "close"]);
      answer.on("error", () => socket.destroy());
      answer.pipe(socket);
    });
    sent.on("error", () => {
      if (isAnswered) socket.destroy();
      else finish(brokeOff(ask));
    });
    sent.end();
  });
}

const OVER = new Error("it is decided");

/** Aborts when the browser closes its side, or its person may not look any more. */
function untilLeft(client: ServerResponse | Duplex, { visit }: PreviewAsk): AbortSignal {
  const left = new AbortController();
  const leave = (): void => left.abort(new Error("the browser left"));
  if (client.destroyed) leave();
  else client.once("close", leave);
  return AbortSignal.any([left.signal, visit.signal]);
}

/** Once, and at once if it is too late to wait for it. */
function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

function send(
  stream: Duplex,
  { target, place, ip }: PreviewAsk,
  { method, url, rawHeaders }: IncomingMessage,
  upgrade: string | null,
): ClientRequest {
  const connection = target.isHttps
    ? // The link has brought us to the machine itself; certificates of development servers are signed by nobody.
      connectTls({ socket: stream, rejectUnauthorized: false, servername: "localhost" })
    : stream;
  // Whoever uses it hears of it, too.
  connection.on("error", () => stream.destroy());
  const headers = toWorkspace(rawHeaders, place, { ip, upgrade });
  const path = url ?? "/";
  return httpRequest({
    ...{ method, path, headers },
    setHost: false,
    createConnection: () => connection,
  });
}

async function dial(
  { links }: PreviewRelayDeps,
  ask: PreviewAsk,
  signal: AbortSignal,
): Promise<Result<Duplex, PreviewTrouble | null>> {
  const { port } = ask.target;
  try {
    const services = await links.servicesOf(ask.visit.agent.agentId);
    if (!services.ok) return fail({ kind: "not_found" });
    const dialled = await services.value.ports.dial({ port }, { signal });
    if (!dialled.ok) return fail(troubleOf(dialled.failure, ask));
    const stream = channelStream(dialled.value.channel);
    stream.on("error", () => {}); // Whoever reads it hears of it, too.
    if (!signal.aborted) return ok(stream);
    stream.destroy();
    return fail(null);
  } catch (error) {
    if (signal.aborted) return fail(null);
    throw error;
  }
}

function troubleOf({ code, message }: WorkspaceFailure, ask: PreviewAsk): PreviewTrouble {
  const { visit, target, workspaceUrl } = ask;
  const workspace = visit.agent.workspaceName;
  if (code === "not_found") return { kind: "nobody_listens", port: target.port, workspace };
  if (code === "disconnected") return { kind: "disconnected", workspace, workspaceUrl };
  return code === "timed_out" ? noAnswer(ask) : { kind: "busy", message };
}

function noAnswer({ visit, target }: PreviewAsk): PreviewTrouble {
  return { kind: "no_answer", port: target.port, workspace: visit.agent.workspaceName };
}

function brokeOff({ target, otherSchemeUrl }: PreviewAsk): PreviewTrouble {
  return { kind: "broke_off", port: target.port, otherSchemeUrl };
}

/** Aborting what it returns keeps it from being late. */
function limitHead(clock: Clock, onLate: () => void): AbortController {
  const waiting = new AbortController();
  clock.sleep(HEAD_MS_MAX, waiting.signal).then(onLate, () => {}); // It came in time.
  return waiting;
}

/** Whether an answer's head can be passed on: a program may say what HTTP does not know. */
function begins(write: () => void): boolean {
  try {
    write();
    return true;
  } catch {
    return false;
  }
}

function headText({ statusCode = 502 }: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ""}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
