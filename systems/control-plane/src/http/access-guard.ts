/**
 * Holds on to what stays open, and ends it when its user may no longer: at once when something about
 * the user, the credential or the workspace changes, and else within a minute.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Permission } from "@atelier/contract/permissions";
import { mayTouch, type Actor } from "../access/actor.ts";
import { parsePrincipalChange } from "../access/principal-change.ts";
import { findThing, type AdmitDeps, type Thing, type ThingRef } from "./admit.ts";

/** What stays open, and for whom. */
export type Held = {
  readonly actor: Actor;
  readonly permission: Permission;
  readonly about: ThingRef;
  /** Called at most once. */
  end(reason: string): void;
};

export type AccessGuardDeps = Pick<AdmitDeps, "findWorkspace" | "findChat"> & {
  readonly clock: Clock;
  readonly log: Logger;
  /** By the id of a credential. Null: it lets nobody in any more. */
  readonly findActor: (apiKeyId: string) => Promise<Actor | null>;
};

/** Terminals, links and watched pages together. A guess at what nobody needs. */
export const SOCKETS_PER_USER_MAX = 256;
const RECHECK_EVERY_MS = 60_000;

export class AccessGuard {
  readonly #deps: AccessGuardDeps;
  /** With what each is about, as it was found when it was opened. */
  readonly #held = new Map<Held, Thing>();

  constructor(deps: AccessGuardDeps) {
    this.#deps = deps;
  }

  /** Until disposed. */
  async hold(
    held: Held,
  ): Promise<Result<Disposable, Failure<"request.sockets_exhausted" | "resource.not_found">>> {
    const subject = await findThing(this.#deps, held.about, held.actor.userId);
    if (subject === undefined) return fail({ code: "resource.not_found" });
    let count = 0;
    for (const { actor } of this.#held.keys()) if (actor.userId === held.actor.userId) count += 1;
    if (count >= SOCKETS_PER_USER_MAX) return fail({ code: "request.sockets_exhausted" });
    this.#held.set(held, subject);
    return ok({
      [Symbol.dispose]: () => {
        this.#held.delete(held);
      },
    });
  }

  /** For the channel of changes of principals. */
  principalChanged(payload: string): void {
    const change = parsePrincipalChange(payload);
    this.#recheck(({ actor }) => {
      if (change === null) return true;
      return change.kind === "user"
        ? actor.userId === change.userId
        : actor.apiKeyId === change.keyId;
    });
  }

  workspaceChanged(workspaceId: string): void {
    this.#recheck((_held, thing) => thing.workspaceId === workspaceId);
  }

  /** Some chat is shared with others than before: its root takes children along, which are not known here. */
  chatReadersChanged(): void {
    this.#recheck((_held, thing) => thing.isShared);
  }

  /** Anything may have changed. */
  recheckAll(): void {
    this.#recheck(() => true);
  }

  /** Ends all, as when the server stops. */
  endAll(reason: string): void {
    for (const held of this.#held.keys()) this.#end(held, reason);
  }

  async keepRechecking(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(RECHECK_EVERY_MS, signal);
      this.recheckAll();
    }
  }

  #recheck(isMeant: (held: Held, thing: Thing) => boolean): void {
    for (const [held, thing] of this.#held) {
      if (!isMeant(held, thing)) continue;
      this.#mayStay(held).then(
        (isAllowed) => {
          if (!isAllowed) this.#end(held, "access ended");
        },
        // Whoever was let in is not put out because the database is away.
        (error: unknown) => this.#deps.log.warn({ error }, "an open connection was not rechecked"),
      );
    }
  }

  async #mayStay({ actor: { apiKeyId }, permission, about }: Held): Promise<boolean> {
    const actor = await this.#deps.findActor(apiKeyId);
    if (actor === null) return false;
    const subject = await findThing(this.#deps, about, actor.userId);
    return subject !== undefined && mayTouch(actor, permission, subject);
  }

  #end(held: Held, reason: string): void {
    if (this.#held.delete(held)) held.end(reason);
  }
}
