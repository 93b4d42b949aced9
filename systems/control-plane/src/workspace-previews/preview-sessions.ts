/**
 * Who looks at which preview through this server now. A session begins with the first request of a pass, is
 * held as a socket of its person is (and so ends at once when they sign out, are suspended or lose the
 * workspace), and is over when nobody asked for anything in a while. It is one line of the connection log.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { PreviewTarget } from "@atelier/contract/preview-address";
import { may, type Actor } from "../access/actor.ts";
import type { AccessGuard } from "../http/access-guard.ts";
import type { KnownWorkspaceAgent } from "../workspaces/workspace.ts";
import type { PreviewPass } from "./preview-passes.ts";

export type PreviewVisitor = { readonly ip: string; readonly userAgent: string };

/** What entering needs to know. */
export type PreviewEntry = {
  readonly pass: PreviewPass;
  readonly target: PreviewTarget;
  readonly visitor: PreviewVisitor;
};

export type EntryRefusal = "signed_out" | "not_found" | "too_many" | "server_stops";

export type PreviewSessionsDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly guard: Pick<AccessGuard, "hold">;
  /** Null: the credential lets nobody in any more. */
  readonly findActor: (apiKeyId: string) => Promise<Actor | null>;
  readonly findAgent: (target: PreviewTarget) => Promise<KnownWorkspaceAgent | null>;
  /** Writes into the connection log. What it returns writes the end. */
  readonly logOpened: (opened: {
    readonly agent: KnownWorkspaceAgent;
    readonly actor: Actor;
    readonly visitor: PreviewVisitor;
  }) => Promise<(reason: string) => Promise<void>>;
};

/** One request's hold on its session. */
export interface PreviewVisit extends Disposable {
  readonly agent: KnownWorkspaceAgent;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
}

const IDLE_MS_MAX = 5 * 60_000;

type Session = {
  readonly agent: KnownWorkspaceAgent;
  readonly target: PreviewTarget;
  readonly over: AbortController;
  /** Requests under way. */
  visits: number;
  usedMs: number;
};

type Opened = Result<Session, EntryRefusal>;

/** Only its own person, as with every way into a workspace. */
export function mayEnter(actor: Actor, agent: KnownWorkspaceAgent | null): boolean {
  return agent !== null && may(actor, "workspace:connect", agent.ownerId);
}

export class PreviewSessions {
  readonly #deps: PreviewSessionsDeps;
  /** By the pass's id. */
  readonly #sessions = new Map<string, Promise<Opened>>();
  #isClosed = false;

  constructor(deps: PreviewSessionsDeps) {
    this.#deps = deps;
  }

  async enter(entry: PreviewEntry): Promise<Result<PreviewVisit, EntryRefusal>> {
    if (this.#isClosed) return fail("server_stops");
    const { id } = entry.pass;
    let opening = this.#sessions.get(id);
    if (opening === undefined) {
      opening = this.#open(entry);
      this.#sessions.set(id, opening);
      const forget = (): void => {
        if (this.#sessions.get(id) === opening) this.#sessions.delete(id);
      };
      opening.then((opened) => {
        if (!opened.ok) forget();
        else opened.value.over.signal.addEventListener("abort", forget, { once: true });
      }, forget);
    }
    const opened = await opening;
    if (!opened.ok) return opened;
    const session = opened.value;
    // It ended while this waited: the next request says why.
    if (session.over.signal.aborted) return fail("signed_out");
    session.visits += 1;
    return ok({
      agent: session.agent,
      signal: session.over.signal,
      [Symbol.dispose]: () => {
        session.visits -= 1;
        session.usedMs = this.#deps.clock.monotonicMs();
      },
    });
  }

  /** A name may lead to another workspace now, or to none. Null: any may. */
  async workspaceChanged(workspaceId: string | null): Promise<void> {
    for (const opening of this.#sessions.values()) {
      const opened = await opening;
      if (!opened.ok) continue;
      const { agent, target, over } = opened.value;
      if (workspaceId !== null && agent.workspaceId !== workspaceId) continue;
      const now = await this.#deps.findAgent(target);
      if (now?.agentId !== agent.agentId) over.abort(new Error("the workspace has another name"));
    }
  }

  /** Lets nobody in any more. What is open is ended by the guard. */
  close(): void {
    this.#isClosed = true;
  }

  async #open({ pass, target, visitor }: PreviewEntry): Promise<Opened> {
    const { clock, log, guard, findActor, findAgent, logOpened } = this.#deps;
    const actor = await findActor(pass.apiKeyId);
    if (actor === null) return fail("signed_out");
    const agent = await findAgent(target);
    if (agent === null || !mayEnter(actor, agent)) return fail("not_found");
    const over = new AbortController();
    const held = await guard.hold({
      actor,
      permission: "workspace:connect",
      about: { workspaceAgentId: agent.agentId },
      end: (reason) => over.abort(new Error(reason)),
    });
    if (!held.ok) {
      return fail(held.failure.code === "request.sockets_exhausted" ? "too_many" : "not_found");
    }
    const closed = await logOpened({ agent, actor, visitor });
    const session: Session = { agent, target, over, visits: 0, usedMs: clock.monotonicMs() };
    const keep = async (): Promise<void> => {
      using _held = held.value;
      await this.#watch(session);
      const reason: unknown = over.signal.reason;
      await closed(reason instanceof Error ? reason.message : "it ended");
    };
    keep().catch((error: unknown) => log.error({ error }, "a preview's session crashed"));
    return ok(session);
  }

  /** Until it is over, which it is when nobody used it for a while. */
  async #watch(session: Session): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = session.over;
    while (!signal.aborted) {
      await clock.sleep(IDLE_MS_MAX, signal).catch(() => {}); // It is over.
      const idleMs = clock.monotonicMs() - session.usedMs;
      if (session.visits === 0 && idleMs >= IDLE_MS_MAX) {
        session.over.abort(new Error("nobody looked at it any more"));
      }
    }
  }
}
