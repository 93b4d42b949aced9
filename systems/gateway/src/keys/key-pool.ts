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
import { OWN_NOTES, type Note, type Notebook } from "../shared/note.ts";
import { FaultStreak, noFaults, type FaultMemory, type KeyFault } from "./fault-streak.ts";
import { REST_DEFAULT_MS, REST_MS_MAX, restMsOf, type KeyMark } from "./key-disposition.ts";

/** Why no key could serve. Time heals `rate_limited`; `auth_failed` may need an operator. */
export type KeysExhausted =
  | { readonly kind: "rate_limited"; readonly retryInMs: number }
  | { readonly kind: "auth_failed" };

/** Status null: there was no answer. */
export type KeyError = Omit<NonNullable<ProviderKeyHealth["lastError"]>, "at">;

/** What the pool knows; how busy a key is, and when it was checked, others know. */
export type KeyPoolHealth = Omit<ProviderKeyHealth, "underWay" | "lastCheckedAt">;

export type KeyRecord = {
  isRejected: boolean;
  restsUntilMs: number;
  reason: KeyMark["reason"];
  /** Null: its last attempt was no fault. */
  faults: FaultMemory | null;
  lastError: ProviderKeyHealth["lastError"];
  /** Tells it from any other error of the key, whichever thread noted that. Empty: there is none. */
  errorId: string;
};

export class KeyPool {
  readonly #clock: Clock;
  readonly #notebook: Notebook;
  readonly #notesPrefix: string;
  #errors = 0;
  readonly #notes = new Map<string, Note<KeyRecord>>();

  /** `notesPrefix` tells this provider's keys from others in the notebook. */
  constructor(clock: Clock, notebook: Notebook = OWN_NOTES, notesPrefix = "") {
    this.#clock = clock;
    this.#notebook = notebook;
    this.#notesPrefix = notesPrefix;
  }

  state(keyId: string): ProviderKeyState {
    return this.#stateOf(this.#noteOf(keyId).read());
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
      const record = this.#noteOf(key.id).read();
      if (tried.has(key.id) || record.faults === null) continue;
      if (record.isRejected || nowMs < record.restsUntilMs) continue;
      if (tried.size > 0 && record.faults.isSilence) continue;
      const untilMs = record.faults.restsUntilMs;
      if (best === null || untilMs < best.untilMs) best = { key, untilMs };
    }
    return best?.key ?? null;
  }

  /**
   * Call before each try. `probe`: its end must be told, by `served`, a mark or `leave`. `out`: the key
   * rests, or another request probes it.
   */
  enter(keyId: string, probeMsMax: number): "probe" | "free" | "out" {
    const note = this.#noteOf(keyId);
    if (note.read().faults === null) return "free";
    return note.change(({ faults }) => {
      const nowMs = this.#clock.monotonicMs();
      const streak = faults === null ? null : new FaultStreak(faults);
      if (streak?.isOnProbation !== true) return "free";
      return streak.beginProbe(nowMs, probeMsMax, this.#notebook.member) ? "probe" : "out";
    });
  }

  /** A probe was given up and has shown nothing. */
  leave(keyId: string): void {
    const note = this.#noteOf(keyId);
    if (note.read().faults === null) return;
    note.change(({ faults }) => {
      if (faults !== null) new FaultStreak(faults).endProbe();
    });
  }

  /** The provider answered this key as it should. */
  served(keyId: string): void {
    const note = this.#noteOf(keyId);
    if (note.read().faults === null) return;
    note.change((record) => {
      record.faults = null;
    });
  }

  /** True if that took a valid key out of service. */
  markFault(keyId: string, fault: KeyFault, error: KeyError): boolean {
    return this.#noteOf(keyId).change((record) => {
      const wasValid = this.#stateOf(record) === "valid";
      if (record.isRejected) return false;
      this.#noteError(record, error);
      record.faults ??= noFaults();
      const { retryAfterMs } = fault;
      const boundedMs = retryAfterMs === null ? null : Math.min(retryAfterMs, REST_MS_MAX);
      const streak = new FaultStreak(record.faults);
      streak.add({ ...fault, retryAfterMs: boundedMs }, this.#clock.monotonicMs());
      return wasValid && this.#stateOf(record) === "temporary";
    });
  }

  /** Takes in what an answer said of a key. True if that took a valid key out of service. */
  mark(keyId: string, disposition: KeyMark, error: KeyError): boolean {
    return this.#noteOf(keyId).change((record) => {
      const wasValid = this.#stateOf(record) === "valid";
      // A rejected key stays as it is: an answer to an older request says nothing new.
      if (record.isRejected) return false;
      record.reason = disposition.reason;
      this.#noteError(record, error);
      // The provider answered: whatever faults there were are over.
      record.faults = null;
      if (disposition.kind === "reject") record.isRejected = true;
      else {
        const untilMs = this.#clock.monotonicMs() + restMsOf(disposition);
        // Requests overlap, so an older and shorter answer may arrive after a longer one.
        record.restsUntilMs = Math.max(record.restsUntilMs, untilMs);
      }
      return wasValid;
    });
  }

  /** What to tell the client once no key is left. A key that woke up meanwhile gives 0 ms. */
  exhausted(keys: readonly ProviderKey[]): KeysExhausted {
    const nowMs = this.#clock.monotonicMs();
    const waitsMs: number[] = [];
    for (const { id } of keys) {
      const state = this.state(id);
      if (state === "permanent") continue;
      const record = this.#noteOf(id).read();
      const isResting = nowMs < record.restsUntilMs;
      if (isResting && record.reason !== "rate_limited") continue;
      waitsMs.push(waitOf(record, nowMs));
    }
    return waitsMs.length === 0
      ? { kind: "auth_failed" }
      : { kind: "rate_limited", retryInMs: Math.min(...waitsMs) };
  }

  health(keyId: string): KeyPoolHealth {
    const record = this.#noteOf(keyId).read();
    const state = this.#stateOf(record);
    const waitMs = waitOf(record, this.#clock.monotonicMs());
    const returnsAt = state === "temporary" ? new Date(this.#clock.now().getTime() + waitMs) : null;
    return { keyId, state, lastError: record.lastError, returnsAt };
  }

  /** For `forgive`: which error was the key's last. */
  lastErrorId(keyId: string): string {
    return this.#noteOf(keyId).read().errorId;
  }

  /**
   * The provider takes the key again that it refused then. True if the key serves now: what was said of it
   * since, and a longer rest that the provider asked for, stand.
   */
  forgive(keyId: string, refusalId: string, refusedAtMs: number): boolean {
    return this.#noteOf(keyId).change((record) => {
      if (record.lastError === null || record.errorId !== refusalId) return false;
      record.isRejected = false;
      if (record.restsUntilMs <= refusedAtMs + REST_DEFAULT_MS) record.restsUntilMs = 0;
      return this.#stateOf(record) === "valid";
    });
  }

  reset(keyId: string): void {
    this.#noteOf(keyId).forget();
  }

  /** Forgets keys that the provider no longer has. */
  keepOnly(keys: readonly ProviderKey[]): void {
    const ids = new Set(keys.map(({ id }) => id));
    for (const [id, note] of this.#notes) {
      if (ids.has(id)) continue;
      note.forget();
      this.#notes.delete(id);
    }
  }

  #noteError(record: KeyRecord, error: KeyError): void {
    record.lastError = { ...error, at: this.#clock.now() };
    this.#errors += 1;
    record.errorId = `${this.#notebook.member}:${this.#errors}`;
  }

  #stateOf(record: KeyRecord): ProviderKeyState {
    if (record.isRejected) return "permanent";
    const { restsUntilMs, faults } = record;
    if (restsUntilMs === 0 && faults === null) return "valid";
    const nowMs = this.#clock.monotonicMs();
    const isOut = nowMs < restsUntilMs || (faults !== null && new FaultStreak(faults).isOut(nowMs));
    return isOut ? "temporary" : "valid";
  }

  #noteOf(keyId: string): Note<KeyRecord> {
    const known = this.#notes.get(keyId);
    if (known !== undefined) return known;
    const note = this.#notebook.note<KeyRecord>(`${this.#notesPrefix}${keyId}`, blankRecord);
    this.#notes.set(keyId, note);
    return note;
  }
}

function blankRecord(): KeyRecord {
  return {
    isRejected: false,
    restsUntilMs: 0,
    reason: "rate_limited",
    faults: null,
    lastError: null,
    errorId: "",
  };
}

/** Of a thread that is no more: the key that it was trying is free to be tried. */
export function abandonKeyProbe({ faults }: KeyRecord, member: number): void {
  if (faults?.probedBy === member) new FaultStreak(faults).endProbe();
}

/** 0 also while a request probes the key: that one has returned. */
function waitOf({ restsUntilMs, faults }: KeyRecord, nowMs: number): number {
  return Math.max(0, restsUntilMs - nowMs, (faults?.restsUntilMs ?? 0) - nowMs);
}
