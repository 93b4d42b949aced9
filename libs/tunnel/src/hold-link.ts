/**
 * The dialling side: a workspace agent that keeps one link to the server for as long as it runs. It
 * dials again after every break, at once the first time and then ever less often, with jitter so that
 * a server that comes back is not stormed. It ends only for what no retry can change: a refusal, or
 * another machine that took its place with the same token. Of two such machines the newest stays, and
 * they do not take turns.
 */
import type { Clock } from "@atelier/base/clock";
import { CLOSE_REPLACED, VERSION_HEADER } from "./link-handshake.ts";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Secret } from "@atelier/base/secret";
import {
  LINK_PROTOCOL_VERSION,
  type WorkspaceServices,
} from "@atelier/contract/rpc/workspace/services";
import type { WebSocket } from "ws";
import { answerOverSocket } from "./link.ts";
import { openSocket } from "./open-socket.ts";

export type HoldLinkOptions = {
  /** `ws:` or `wss:`, with the path of the link. */
  readonly url: URL;
  readonly token: Secret;
  readonly agentVersion: string;
  readonly services: WorkspaceServices;
  /** Called at each change. */
  onState?(state: LinkState): void;
};

export type LinkState =
  | { readonly kind: "connected" }
  | { readonly kind: "waiting"; readonly reason: string; readonly retryInMs: number };

/** Why an agent gives up: nothing that it could do by itself would help. */
export type LinkRefusal = {
  readonly kind: "token_refused" | "version_refused" | "replaced";
  readonly message: string;
};

const DIAL_MS_MAX = 10_000;
/** Of a refusal, for the log. */
const SAID_LENGTH_MAX = 1_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 15_000;
/** A link that held this long starts the backoff anew. */
const STEADY_MS = 10_000;
/** A server may hear late of a connection that broke, and take it for the newer one. */
const OWN_ECHO_MS_MAX = 60_000;
const REPLACED: LinkRefusal = {
  kind: "replaced",
  message:
    "Another workspace agent connected with this one's token and took its place: one token is for one machine. Give each machine a workspace of its own, or stop the other and start this one again.",
};

type HoldDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

/** Runs until the signal aborts (null) or the server refuses for good. */
export async function holdLink(
  options: HoldLinkOptions,
  deps: HoldDeps,
  signal: AbortSignal,
): Promise<LinkRefusal | null> {
  const { clock, log, random } = deps;
  const former = new FormerLinks(clock);
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const dialled = await dial(options, signal);
    if (dialled.kind === "refused") return dialled.refusal;
    let reason: string;
    if (dialled.kind === "open") {
      log.info({ server: options.url.host }, "connected");
      options.onState?.({ kind: "connected" });
      const closeCode = await serve(dialled.socket, options, { deps, signal });
      if (closeCode === CLOSE_REPLACED && !former.mayHaveReplaced()) return REPLACED;
      reason = "the connection was lost";
      if (clock.monotonicMs() - startedMs >= STEADY_MS) failures = 0;
    } else {
      reason = dialled.reason;
    }
    former.noteEnd();
    if (signal.aborted) break;
    const retryInMs = backoffMs(failures, random);
    failures += 1;
    log.warn({ reason, retryInMs }, "not connected");
    options.onState?.({ kind: "waiting", reason, retryInMs });
    try {
      await clock.sleep(retryInMs, signal);
    } catch {
      break; // Told to stop.
    }
  }
  return null;
}

/** Until it is over, with the code that it was closed with. */
async function serve(
  socket: WebSocket,
  { services }: HoldLinkOptions,
  { deps, signal }: { readonly deps: HoldDeps; readonly signal: AbortSignal },
): Promise<number | null> {
  const closed = Promise.withResolvers<number | null>();
  if (socket.readyState === socket.CLOSED) closed.resolve(null);
  socket.once("close", closed.resolve);
  const link = answerOverSocket(socket, services, deps);
  const close = (): void => link.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  await link.closed;
  signal.removeEventListener("abort", close);
  // What was being written when the code came fails before the socket says that it closed, and why.
  return closed.promise;
}

/**
 * The agent's own connections of a moment ago, whose echo may replace the present one. The benefit of
 * that doubt is given once a while, so that of two agents which both have it one gives up.
 */
class FormerLinks {
  readonly #clock: Clock;
  #endedAtMs: number | null = null;
  #doubtedAtMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  noteEnd(): void {
    this.#endedAtMs = this.#clock.monotonicMs();
  }

  mayHaveReplaced(): boolean {
    const may = this.#isRecent(this.#endedAtMs) && !this.#isRecent(this.#doubtedAtMs);
    if (may) this.#doubtedAtMs = this.#clock.monotonicMs();
    return may;
  }

  #isRecent(atMs: number | null): boolean {
    return atMs !== null && this.#clock.monotonicMs() - atMs < OWN_ECHO_MS_MAX;
  }
}

/** Full jitter: anything between nothing and the step's limit. */
function backoffMs(failures: number, random: Random): number {
  const limitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 16));
  // 4 hex digits of a random uuid: a fraction that a test can know.
  const fraction = Number.parseInt(random.uuid().slice(0, 4), 16) / 0x1_00_00;
  return Math.round(limitMs * fraction);
}

type Dialled =
  | { readonly kind: "open"; readonly socket: WebSocket }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "refused"; readonly refusal: LinkRefusal };

async function dial(
  { url, token, agentVersion }: HoldLinkOptions,
  signal: AbortSignal,
): Promise<Dialled> {
  const headers = {
    authorization: `Bearer ${token.reveal()}`,
    [VERSION_HEADER]: `${LINK_PROTOCOL_VERSION.major}.${LINK_PROTOCOL_VERSION.minor}`,
    "user-agent": `atelier-workspace-agent/${agentVersion}`,
  };
  const opened = await openSocket(
    { url, headers, timeoutMs: DIAL_MS_MAX, payloadBytesMax: 0, followsRedirects: true },
    signal,
  );
  if (opened.ok) return { kind: "open", socket: opened.value };
  const { failure } = opened;
  return failure.kind === "refused"
    ? judgeRefusal(failure.status, failure.body.slice(0, SAID_LENGTH_MAX))
    : { kind: "unreachable", reason: failure.error.message };
}

function judgeRefusal(status: number, said: string): Dialled {
  const text = said.trim();
  if (status === 401 || status === 403) {
    const message = "The server refused the token. Create a new one for this workspace.";
    return { kind: "refused", refusal: { kind: "token_refused", message } };
  }
  if (status === 426) {
    return { kind: "refused", refusal: { kind: "version_refused", message: text } };
  }
  return {
    kind: "unreachable",
    reason: `the server answered ${status}${text === "" ? "" : `: ${text}`}`,
  };
}
