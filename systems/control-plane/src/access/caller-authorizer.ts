/**
 * Answers the gateway who a token belongs to, from memory where it can.
 *
 * An answer is fresh for 10 s while change messages arrive, and for 1 s while they do not; expiry
 * is compared with the clock on each use. A change message drops what it names at once. While the
 * database is away, whoever was known within the last hour is still served. Refusals are kept 1 s.
 * Tokens are held as SHA-256 only.
 */
import { hash } from "node:crypto";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { CallerAuthorization, CallerAuthorizer } from "@atelier/contract/rpc/gateway-ports";
import { LRUCache } from "lru-cache";
import { may } from "./actor.ts";
import { parseApiKey } from "./api-key.ts";
import type { KeyUsage } from "./key-usage.ts";
import {
  PRINCIPALS_CHANGED,
  parsePrincipalChange,
  type PrincipalChange,
} from "./principal-change.ts";
import { isAdmitted, type Principal } from "./principal.ts";

const PRINCIPALS_MAX = 10_000;
const REFUSALS_MAX = 10_000;
const FRESH_MS = 10_000;
const FRESH_WITHOUT_MESSAGES_MS = 1_000;
const REFUSED_MS = 1_000;
/** A database that is silent counts as away: whoever waits for it holds a connection. */
const LOAD_MS_MAX = 3_000;
const SERVED_IN_OUTAGE_MS = 3_600_000;

const UNAUTHORIZED: CallerAuthorization = { kind: "unauthorized" };
const UNAVAILABLE: CallerAuthorization = { kind: "unavailable" };

export type CallerAuthorizerDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly usage: KeyUsage;
  readonly pubSub: ChangeMessages;
  /** Null: refused. Throws when it cannot be known, as in a database outage. */
  readonly loadPrincipal: (token: string) => Promise<Principal | null>;
};

/** The part of the database's pub-sub that is used here. */
type ChangeMessages = {
  readonly isConnected: boolean;
  subscribe(channel: string, on: { message(payload: string): void; resync(): void }): Disposable;
};

type Known = {
  readonly principal: Principal;
  readonly authorization: CallerAuthorization;
  readonly loadedMs: number;
  /** Messages may have been missed since: load again, but serve it in an outage. */
  isStale: boolean;
};

export class CachedCallerAuthorizer implements CallerAuthorizer, Disposable {
  readonly #deps: CallerAuthorizerDeps;
  readonly #known = new LRUCache<string, Known>({ max: PRINCIPALS_MAX });
  readonly #refusedMs = new LRUCache<string, number>({ max: REFUSALS_MAX });
  readonly #subscription: Disposable;
  #loading = new Map<string, Promise<CallerAuthorization>>();
  /** Grows with each change: what was read before it is not kept. */
  #generation = 0;

  constructor(deps: CallerAuthorizerDeps) {
    this.#deps = deps;
    this.#subscription = deps.pubSub.subscribe(PRINCIPALS_CHANGED, {
      message: (payload) => this.#forget(parsePrincipalChange(payload)),
      resync: () => this.#distrustAll(),
    });
  }

  authorize(token: string): CallerAuthorization | Promise<CallerAuthorization> {
    if (parseApiKey(token) === null) return UNAUTHORIZED;
    const digest = hash("sha256", token, "base64");
    const nowMs = this.#deps.clock.monotonicMs();
    const known = this.#known.get(digest);
    if (known !== undefined && this.#isFresh(known, nowMs)) return this.#answer(known);
    const refusedMs = this.#refusedMs.get(digest);
    if (refusedMs !== undefined && nowMs - refusedMs < REFUSED_MS) return UNAUTHORIZED;
    return this.#loading.get(digest) ?? this.#startLoading(digest, token);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #isFresh(known: Known, nowMs: number): boolean {
    const freshMs = this.#deps.pubSub.isConnected ? FRESH_MS : FRESH_WITHOUT_MESSAGES_MS;
    return !known.isStale && nowMs - known.loadedMs < freshMs;
  }

  #answer({ principal, authorization }: Known): CallerAuthorization {
    const now = this.#deps.clock.now();
    if (!isAdmitted(principal, now)) return UNAUTHORIZED;
    const { apiKeyId, userId } = principal.actor;
    this.#deps.usage.note({ keyId: apiKeyId, userId, usedAt: now });
    return authorization;
  }

  /** One load per token at a time: a thousand requests of one client cost one query. */
  #startLoading(digest: string, token: string): Promise<CallerAuthorization> {
    const { promise, resolve } = Promise.withResolvers<CallerAuthorization>();
    this.#loading.set(digest, promise);
    resolve(
      this.#load(digest, token).finally(() => {
        if (this.#loading.get(digest) === promise) this.#loading.delete(digest);
      }),
    );
    return promise;
  }

  async #load(digest: string, token: string): Promise<CallerAuthorization> {
    const generation = this.#generation;
    const loadedMs = this.#deps.clock.monotonicMs();
    try {
      const principal = await this.#loadInTime(token);
      const isCurrent = generation === this.#generation;
      if (principal === null) {
        if (isCurrent) this.#refusedMs.set(digest, loadedMs);
        this.#known.delete(digest);
        return UNAUTHORIZED;
      }
      const known = { principal, authorization: decide(principal), loadedMs, isStale: false };
      if (isCurrent) this.#known.set(digest, known);
      return this.#answer(known);
    } catch (error) {
      return this.#answerInOutage(digest, error);
    }
  }

  async #loadInTime(token: string): Promise<Principal | null> {
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(LOAD_MS_MAX, timer.signal).then(() => {
      throw new Error(`no answer from the database for ${LOAD_MS_MAX} ms`);
    });
    try {
      return await Promise.race([this.#deps.loadPrincipal(token), late]);
    } finally {
      timer.abort(new Error("loaded"));
    }
  }

  #answerInOutage(digest: string, error: unknown): CallerAuthorization {
    const known = this.#known.get(digest);
    const ageMs = known === undefined ? 0 : this.#deps.clock.monotonicMs() - known.loadedMs;
    const isServed = known !== undefined && ageMs < SERVED_IN_OUTAGE_MS;
    this.#deps.log.warn({ error, isServed }, "a caller's token could not be checked");
    return isServed ? this.#answer(known) : UNAVAILABLE;
  }

  #forget(change: PrincipalChange | null): void {
    if (change === null) return this.#distrustAll();
    this.#startGeneration();
    for (const [digest, { principal }] of this.#known.entries()) {
      const { apiKeyId, userId } = principal.actor;
      const isMeant = change.kind === "key" ? apiKeyId === change.keyId : userId === change.userId;
      if (isMeant) this.#known.delete(digest);
    }
  }

  #distrustAll(): void {
    this.#startGeneration();
    for (const known of this.#known.values()) known.isStale = true;
  }

  #startGeneration(): void {
    this.#generation += 1;
    this.#refusedMs.clear();
    // Who asks after the change must not wait for an answer from before it.
    this.#loading = new Map();
  }
}

function decide({ actor }: Principal): CallerAuthorization {
  if (!may(actor, "ai_gateway:use", actor.userId)) return UNAUTHORIZED;
  const { userId, username, email, apiKeyId } = actor;
  return { kind: "authorized", caller: { userId, username, email, apiKeyId } };
}
