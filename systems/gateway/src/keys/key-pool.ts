/**
 * The keys of one model provider, and which of them are worth trying (spec gateway 5).
 *
 * Order is preference: a walk tries keys front to back and stops at the first that works, so the first
 * key serves everything while it can. State belongs to the key and outlives the snapshot that brought
 * it. Invariants: a rejected key comes back only by reset; a rest never gets shorter.
 */
import type { Clock } from "@atelier/base/clock";
import type {
  ProviderKey,
  ProviderKeyHealth,
  ProviderKeyState,
} from "@atelier/contract/rpc/gateway-ports";
import type { KeyDisposition } from "./key-disposition.ts";

/** Why no key could serve. Time heals `rate_limited`; `auth_failed` may need an operator. */
export type KeysExhausted =
  | { readonly kind: "rate_limited"; readonly retryInMs: number }
  | { readonly kind: "auth_failed" };

/** The rest after a refusal that does not say how long (spec gateway 5.2). */
export const REST_DEFAULT_MS = 60_000;
/** A provider that asks for more is not believed: an operator would have to find out why. */
export const REST_MS_MAX = 24 * 3_600_000;

type Reason = "rate_limited" | "unauthorized" | "forbidden";

type KeyRecord = {
  isRejected: boolean;
  restsUntilMs: number;
  reason: Reason;
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
    return this.#clock.monotonicMs() < record.restsUntilMs ? "temporary" : "valid";
  }

  /** The first usable key that was not tried yet. Judges each key when it is asked for. */
  next(keys: readonly ProviderKey[], tried: ReadonlySet<string>): ProviderKey | null {
    return keys.find(({ id }) => !tried.has(id) && this.state(id) === "valid") ?? null;
  }

  /** Takes in what an answer said of a key. True if that took a valid key out of service. */
  mark(
    keyId: string,
    disposition: Exclude<KeyDisposition, { kind: "keep" }>,
    error: { readonly status: number; readonly message: string },
  ): boolean {
    const wasValid = this.state(keyId) === "valid";
    const record = this.#recordOf(keyId);
    // A rejected key stays as it is: an answer to an older request says nothing new.
    if (record.isRejected) return false;
    record.reason = disposition.reason;
    record.lastError = { ...error, at: this.#clock.now() };
    if (disposition.kind === "reject") record.isRejected = true;
    else {
      const { retryAfterMs } = disposition;
      const restMs = retryAfterMs !== null && retryAfterMs > 0 ? retryAfterMs : REST_DEFAULT_MS;
      const untilMs = this.#clock.monotonicMs() + Math.min(restMs, REST_MS_MAX);
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
      if (state === "temporary" && record !== undefined && record.reason !== "rate_limited")
        continue;
      waitsMs.push(Math.max(0, (record?.restsUntilMs ?? 0) - nowMs));
    }
    return waitsMs.length === 0
      ? { kind: "auth_failed" }
      : { kind: "rate_limited", retryInMs: Math.min(...waitsMs) };
  }

  health(keyId: string): ProviderKeyHealth {
    const record = this.#records.get(keyId);
    const state = this.state(keyId);
    const restMs = (record?.restsUntilMs ?? 0) - this.#clock.monotonicMs();
    const returnsAt = state === "temporary" ? new Date(this.#clock.now().getTime() + restMs) : null;
    return { keyId, state, lastError: record?.lastError ?? null, returnsAt };
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
      lastError: null,
    };
    this.#records.set(keyId, made);
    return made;
  }
}
