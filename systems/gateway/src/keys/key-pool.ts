/**
 * The keys of one model provider, and which of them are worth trying (spec gateway 5).
 *
 * Order is preference: a walk tries keys front to back and stops at the first that works, so the first
 * key serves everything while it can. State belongs to the key and outlives the snapshot that brought
 * it. Invariants: a rejected key comes back only by reset, or when a check shows that it is taken again; a rest that the provider asked for never gets
 * shorter. A rest after faults ends early when the key serves: it is our guess, so such a key is still
 * tried where no other is left.
 */
import type { Clock } from "@atelier/base/clock";
import type {
  ProviderKey,
  ProviderKeyHealth,
  ProviderKeyState,
} from "@atelier/contract/rpc/gateway-ports";
import { FaultStreak, type KeyFault } from "./fault-streak.ts";
import { REST_DEFAULT_MS, REST_MS_MAX, restMsOf, type KeyMark } from "./key-disposition.ts";

/** Why no key could serve. Time heals `rate_limited`; `auth_failed` may need an operator. */
export type KeysExhausted =
  | { readonly kind: "rate_limited"; readonly retryInMs: number }
  | { readonly kind: "auth_failed" };

/** Status null: there was no answer. */
export type KeyError = Omit<NonNullable<ProviderKeyHealth["lastError"]>, "at">;

/** What the pool knows; how busy a key is, and when it was checked, others know. */
export type KeyPoolHealth = Omit<ProviderKeyHealth, "underWay" | "lastCheckedAt">;

type KeyRecord = {
  isRejected: boolean;
  restsUntilMs: number;
  reason: KeyMark["reason"];
  /** Null: its last attempt was no fault. */
  faults: FaultStreak | null;
  lastError: ProviderKeyHealth["lastError"];
};

export class KeyPool {
  readonly #clock: Clock;
  readonly #records = new Map<string, KeyRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  state(keyId: string): ProviderKeyState {
    const record = this.#records.get(keyId);
    if (record === undefined) return "valid";
    if (record.isRejected) return "permanent";
    const nowMs = this.#clock.monotonicMs();
    const isOut = nowMs < record.restsUntilMs || record.faults?.isOut(nowMs) === true;
    return isOut ? "temporary" : "valid";
  }

  /** The first usable key that was not tried yet. Judges each key when it is asked for. */
  next(keys: readonly ProviderKey[], tried: ReadonlySet<string>): ProviderKey | null {
    return keys.find(({ id }) => !tried.has(id) && this.state(id) === "valid") ?? null;
  }

  /**
   * Where no usable key is left: of those that rest for faults alone, the one that returns first. After
   * another attempt of the same call, a key whose fault was silence is not worth a second time-out.
   */
  lastResort(keys: readonly ProviderKey[], tried: ReadonlySet<string>): ProviderKey | null {
    const nowMs = this.#clock.monotonicMs();
    let best: { readonly key: ProviderKey; readonly untilMs: number } | null = null;
    for (const key of keys) {
      const record = this.#records.get(key.id);
      if (tried.has(key.id) || record === undefined || record.faults === null) continue;
      if (record.isRejected || nowMs < record.restsUntilMs) continue;
      if (tried.size > 0 && record.faults.isSilence) continue;
      const untilMs = record.faults.restsUntilMs;
      if (best === null || untilMs < best.untilMs) best = { key, untilMs };
    }
    return best?.key ?? null;
  }

  /** Call before each try. True: it is a probe, whose end must be told: `served`, a mark or `leave`. */
  enter(keyId: string, probeMsMax: number): boolean {
    const faults = this.#records.get(keyId)?.faults ?? null;
    return faults !== null && faults.beginProbe(this.#clock.monotonicMs(), probeMsMax);
  }

  /** A probe was given up and has shown nothing. */
  leave(keyId: string): void {
    this.#records.get(keyId)?.faults?.endProbe();
  }

  /** The provider answered this key as it should. */
  served(keyId: string): void {
    const record = this.#records.get(keyId);
    if (record !== undefined) record.faults = null;
  }

  /** True if that took a valid key out of service. */
  markFault(keyId: string, fault: KeyFault, error: KeyError): boolean {
    const wasValid = this.state(keyId) === "valid";
    const record = this.#recordOf(keyId);
    if (record.isRejected) return false;
    record.lastError = { ...error, at: this.#clock.now() };
    record.faults ??= new FaultStreak();
    const { retryAfterMs } = fault;
    const boundedMs = retryAfterMs === null ? null : Math.min(retryAfterMs, REST_MS_MAX);
    record.faults.add({ ...fault, retryAfterMs: boundedMs }, this.#clock.monotonicMs());
    return wasValid && this.state(keyId) === "temporary";
  }

  /** Takes in what an answer said of a key. True if that took a valid key out of service. */
  mark(keyId: string, disposition: KeyMark, error: KeyError): boolean {
    const wasValid = this.state(keyId) === "valid";
    const record = this.#recordOf(keyId);
    // A rejected key stays as it is: an answer to an older request says nothing new.
    if (record.isRejected) return false;
    record.reason = disposition.reason;
    record.lastError = { ...error, at: this.#clock.now() };
    // The provider answered: whatever faults there were are over.
    record.faults = null;
    if (disposition.kind === "reject") record.isRejected = true;
    else {
      const untilMs = this.#clock.monotonicMs() + restMsOf(disposition);
      // Requests overlap, so an older and shorter answer may arrive after a longer one.
      record.restsUntilMs = Math.max(record.restsUntilMs, untilMs);
    }
    return wasValid;
  }

  /** What to tell the client once no key is left. A key that woke up meanwhile gives 0 ms. */
  exhausted(keys: readonly ProviderKey[]): KeysExhausted {
    const nowMs = this.#clock.monotonicMs();
    const waitsMs: number[] = [];
    for (const { id } of keys) {
      const state = this.state(id);
      if (state === "permanent") continue;
      const record = this.#records.get(id);
      const isResting = record !== undefined && nowMs < record.restsUntilMs;
      if (isResting && record.reason !== "rate_limited") continue;
      waitsMs.push(record === undefined ? 0 : waitOf(record, nowMs));
    }
    return waitsMs.length === 0
      ? { kind: "auth_failed" }
      : { kind: "rate_limited", retryInMs: Math.min(...waitsMs) };
  }

  health(keyId: string): KeyPoolHealth {
    const record = this.#records.get(keyId);
    const state = this.state(keyId);
    const waitMs = record === undefined ? 0 : waitOf(record, this.#clock.monotonicMs());
    const returnsAt = state === "temporary" ? new Date(this.#clock.now().getTime() + waitMs) : null;
    return { keyId, state, lastError: record?.lastError ?? null, returnsAt };
  }

  /**
   * The provider takes the key again that it refused then. True if the key serves now: what was said of it
   * since, and a longer rest that the provider asked for, stand.
   */
  forgive(keyId: string, refusal: ProviderKeyHealth["lastError"], refusedAtMs: number): boolean {
    const record = this.#records.get(keyId);
    if (record === undefined || record.lastError !== refusal) return false;
    record.isRejected = false;
    if (record.restsUntilMs <= refusedAtMs + REST_DEFAULT_MS) record.restsUntilMs = 0;
    return this.state(keyId) === "valid";
  }

  reset(keyId: string): void {
    this.#records.delete(keyId);
  }

  /** Forgets keys that the provider no longer has. */
  keepOnly(keys: readonly ProviderKey[]): void {
    const ids = new Set(keys.map(({ id }) => id));
    for (const id of this.#records.keys()) if (!ids.has(id)) this.#records.delete(id);
  }

  #recordOf(keyId: string): KeyRecord {
    const known = this.#records.get(keyId);
    if (known !== undefined) return known;
    const made: KeyRecord = {
      isRejected: false,
      restsUntilMs: 0,
      reason: "rate_limited",
      faults: null,
      lastError: null,
    };
    this.#records.set(keyId, made);
    return made;
  }
}

/** 0 also while a request probes the key: that one has returned. */
function waitOf({ restsUntilMs, faults }: KeyRecord, nowMs: number): number {
  return Math.max(0, restsUntilMs - nowMs, (faults?.restsUntilMs ?? 0) - nowMs);
}
