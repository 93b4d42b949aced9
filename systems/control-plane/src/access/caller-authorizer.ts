/**
 * Answers the gateway who a token or, for calls of this process itself, an API key's id belongs to,
 * from memory where it can.
 *
 * An answer is fresh for 10 s while change messages arrive, and for 1 s while they do not; expiry
 * is compared with the clock on each use. A change message drops what it names at once. While the
 * database is away, whoever was known within the last hour is still served. Refusals are kept 1 s.
 * Tokens are held as SHA-256 only, but by those who hold them anyway.
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
/** In an outage all requests fail alike: one line in this time says it of all. */
const TELL_EVERY_MS = 5_000;

const UNAUTHORIZED: CallerAuthorization = { kind: "unauthorized" };
const UNAVAILABLE: CallerAuthorization = { kind: "unavailable" };

export type CallerAuthorizerDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly usage: KeyUsage;
  readonly pubSub: ChangeMessages;
  /** Null: refused. Throws when it cannot be known, as in a database outage. */
  readonly loadPrincipal: (token: string) => Promise<Principal | null>;
  /** By the id of an API key alone; else alike. */
  readonly loadPrincipalOfKey: (apiKeyId: string) => Promise<Principal | null>;
};

/** The part of the database's pub-sub that is used here. */
type ChangeMessages = {
  readonly isConnected: boolean;
  subscribe(channel: string, on: { message(payload: string): void; resync(): void }): Disposable;
};

/** What is asked about, and how it is looked up. */
type Question = {
  /** The key in memory: a digest, or `id:` and an API key's id. */
  readonly key: string;
  readonly load: () => Promise<Principal | null>;
  /** Whether a person used the credential just now, rather than work done for them. */
  readonly isPresence: boolean;
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
  /** By whom it is held, so that a token that comes again is not digested again. */
  readonly #held = new WeakMap<object, Question>();
  readonly #subscription: Disposable;
  #loading = new Map<string, Promise<CallerAuthorization>>();
  /** Grows with each change: what was read before it is not kept. */
  #generation = 0;
  #toldMs = -Infinity;
  #uncheckedTimes = 0;

  constructor(deps: CallerAuthorizerDeps) {
    this.#deps = deps;
    this.#subscription = deps.pubSub.subscribe(PRINCIPALS_CHANGED, {
      message: (payload) => this.#forget(parsePrincipalChange(payload)),
      resync: () => this.#distrustAll(),
    });
  }

  authorize(token: string, holder?: object): CallerAuthorization | Promise<CallerAuthorization> {
    const held = holder === undefined ? undefined : this.#held.get(holder);
    if (held !== undefined) return this.#ask(held);
    if (parseApiKey(token) === null) return UNAUTHORIZED;
    const load = () => this.#deps.loadPrincipal(token);
    const question = { key: hash("sha256", token, "base64"), load, isPresence: true };
    if (holder !== undefined) this.#held.set(holder, question);
    return this.#ask(question);
  }

  authorizeDelegated(apiKeyId: string): CallerAuthorization | Promise<CallerAuthorization> {
    const load = () => this.#deps.loadPrincipalOfKey(apiKeyId);
    return this.#ask({ key: `id:${apiKeyId}`, load, isPresence: false });
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #ask(question: Question): CallerAuthorization | Promise<CallerAuthorization> {
    const { key } = question;
    const nowMs = this.#deps.clock.monotonicMs();
    const known = this.#known.get(key);
    if (known !== undefined && this.#isFresh(known, nowMs)) return this.#answer(question, known);
    const refusedMs = this.#refusedMs.get(key);
    if (refusedMs !== undefined && nowMs - refusedMs < REFUSED_MS) return UNAUTHORIZED;
    return this.#loading.get(key) ?? this.#startLoading(question);
  }

  #isFresh(known: Known, nowMs: number): boolean {
    const freshMs = this.#deps.pubSub.isConnected ? FRESH_MS : FRESH_WITHOUT_MESSAGES_MS;
    return !known.isStale && nowMs - known.loadedMs < freshMs;
  }

  #answer({ isPresence }: Question, { principal, authorization }: Known): CallerAuthorization {
    const now = this.#deps.clock.now();
    if (!isAdmitted(principal, now)) return UNAUTHORIZED;
    const { apiKeyId, userId } = principal.actor;
    if (isPresence) this.#deps.usage.note({ keyId: apiKeyId, userId, usedAt: now });
    return authorization;
  }

  /** One load per token at a time: a thousand requests of one client cost one query. */
  #startLoading(question: Question): Promise<CallerAuthorization> {
    const { key } = question;
    const { promise, resolve } = Promise.withResolvers<CallerAuthorization>();
    this.#loading.set(key, promise);
    resolve(
      this.#load(question).finally(() => {
        if (this.#loading.get(key) === promise) this.#loading.delete(key);
      }),
    );
    return promise;
  }

  async #load(question: Question): Promise<CallerAuthorization> {
    const { key } = question;
    const generation = this.#generation;
    const loadedMs = this.#deps.clock.monotonicMs();
    try {
      const principal = await this.#loadInTime(question);
      const isCurrent = generation === this.#generation;
      if (principal === null) {
        if (isCurrent) this.#refusedMs.set(key, loadedMs);
        this.#known.delete(key);
        return UNAUTHORIZED;
      }
      const known = { principal, authorization: decide(principal), loadedMs, isStale: false };
      if (isCurrent) this.#known.set(key, known);
      return this.#answer(question, known);
    } catch (error) {
      return this.#answerInOutage(question, error);
    }
  }

  async #loadInTime({ load }: Question): Promise<Principal | null> {
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(LOAD_MS_MAX, timer.signal).then(() => {
      throw new Error(`no answer from the database for ${LOAD_MS_MAX} ms`);
    });
    try {
      return await Promise.race([load(), late]);
    } finally {
      timer.abort(new Error("loaded"));
    }
  }

  #answerInOutage(question: Question, error: unknown): CallerAuthorization {
    const known = this.#known.get(question.key);
    const ageMs = known === undefined ? 0 : this.#deps.clock.monotonicMs() - known.loadedMs;
    const isServed = known !== undefined && ageMs < SERVED_IN_OUTAGE_MS;
    this.#tell(error, isServed);
    return isServed ? this.#answer(question, known) : UNAVAILABLE;
  }

  #tell(error: unknown, isServed: boolean): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#uncheckedTimes += 1;
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    const times = this.#uncheckedTimes;
    this.#deps.log.warn({ error, isServed, times }, "a caller's token could not be checked");
    this.#toldMs = nowMs;
    this.#uncheckedTimes = 0;
  }

  #forget(change: PrincipalChange | null): void {
    if (change === null) return this.#distrustAll();
    this.#startGeneration();
    for (const [key, { principal }] of this.#known.entries()) {
      const { apiKeyId, userId } = principal.actor;
      const isMeant = change.kind === "key" ? apiKeyId === change.keyId : userId === change.userId;
      if (isMeant) this.#known.delete(key);
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
