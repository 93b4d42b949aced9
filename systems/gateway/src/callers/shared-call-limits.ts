/**
 * The limits of call-limits.ts over all threads of one server, exact: each decision is made under one
 * lock, on counts in shared memory. Every thread counts in columns of its own, so that what a dead one
 * held can be given back.
 *
 * People and API keys are rows, by a digest of their id. A row that counts nothing is free. A name is
 * looked for at one place of a few rows; if all of them count others, the call is refused.
 */
import { assert } from "@atelier/base/assert";
import type { Clock } from "@atelier/base/clock";
import { LOCK_BYTES, SharedLock } from "../shared/shared-lock.ts";
import { hasBits, KnownNames, placeOf, type NameBits } from "../shared/shared-name.ts";
import type { CallAdmission, CallLimits, LimitedCaller, LimitVerdict } from "./call-limits.ts";

/** 65,536 people, and as many API keys in one second: far more than one server serves at once. */
const PLACES = 4_096;
const ROWS_PER_PLACE = 16;
const ROWS = PLACES * ROWS_PER_PLACE;
const BITS = 4;
const WINDOW_MS = 1_000;

/** Numbers of 8 bytes come first: they must lie at multiples of 8. */
const STARTED_BYTES = ROWS * 8;
const KEY_NUMBERS = BITS + 1;

export function sharedLimitsBytes(members: number): number {
  const numbers = members + ROWS * (BITS + members) + ROWS * KEY_NUMBERS;
  return STARTED_BYTES + LOCK_BYTES + numbers * 4;
}

export type SharedLimitsDeps = {
  readonly memory: SharedArrayBuffer;
  /** How many threads share it, and which of them this is. */
  readonly members: number;
  readonly member: number;
  /** All threads read the same monotonic time. */
  readonly clock: Clock;
};

export class SharedCallLimiter implements CallAdmission {
  readonly #limits: CallLimits;
  readonly #clock: Clock;
  readonly #member: number;
  readonly #members: number;
  readonly #lock: SharedLock;
  readonly #names = new KnownNames();
  /** Of each key, when its second began. */
  readonly #started: Float64Array;
  /** Calls under way, of each thread. */
  readonly #all: Int32Array;
  /** Of each person: the digest's bits, and calls under way of each thread. */
  readonly #users: Int32Array;
  /** Of each key: the digest's bits, and calls in its second. */
  readonly #keys: Int32Array;

  constructor(limits: CallLimits, { memory, members, member, clock }: SharedLimitsDeps) {
    assert(member < members, "a member is one of the members");
    this.#limits = limits;
    this.#clock = clock;
    this.#member = member;
    this.#members = members;
    this.#started = new Float64Array(memory, 0, ROWS);
    this.#lock = new SharedLock(new Int32Array(memory, STARTED_BYTES, 1), member);
    const allAt = STARTED_BYTES + LOCK_BYTES;
    const usersAt = allAt + members * 4;
    const userNumbers = ROWS * (BITS + members);
    this.#all = new Int32Array(memory, allAt, members);
    this.#users = new Int32Array(memory, usersAt, userNumbers);
    this.#keys = new Int32Array(memory, usersAt + userNumbers * 4, ROWS * KEY_NUMBERS);
  }

  get underWay(): number {
    return this.#all[this.#member] ?? 0;
  }

  admit({ userId, apiKeyId }: LimitedCaller): LimitVerdict {
    const { concurrencyMax, concurrencyPerUserMax, ratePerSecondMax } = this.#limits;
    const user = concurrencyPerUserMax === 0 ? null : this.#names.bitsOf(userId);
    const key = ratePerSecondMax === 0 ? null : this.#names.bitsOf(apiKeyId);
    return this.#lock.run(() => {
      if (concurrencyMax !== 0 && sum(this.#all, 0, this.#members) >= concurrencyMax)
        return "too_many_at_once";
      const row = user === null ? null : this.#userRow(user);
      if (user !== null && row === null) return "too_many_at_once";
      if (row !== null && this.#underWayIn(row) >= concurrencyPerUserMax) return "too_many_of_user";
      if (key !== null && !this.#countCall(key)) return "too_many_per_second";
      this.#add(this.#all, this.#member, 1);
      if (row !== null && user !== null) {
        this.#users.set(user, row);
        this.#add(this.#users, row + BITS + this.#member, 1);
      }
      return "admitted";
    });
  }

  release({ userId }: LimitedCaller): void {
    const user = this.#limits.concurrencyPerUserMax === 0 ? null : this.#names.bitsOf(userId);
    this.#lock.run(() => {
      this.#add(this.#all, this.#member, -1);
      const row = user === null ? null : this.#userRow(user);
      if (row !== null) this.#add(this.#users, row + BITS + this.#member, -1);
    });
  }

  /** Of a thread that is no more: what it held is free. */
  giveBack(member: number): void {
    this.#lock.takeFrom(member);
    this.#lock.run(() => {
      this.#all[member] = 0;
      const width = BITS + this.#members;
      for (let row = 0; row < ROWS; row += 1) this.#users[row * width + BITS + member] = 0;
    });
  }

  /** Where the person's numbers begin, or could: at a row that counts nothing. Null: all are taken. */
  #userRow(bits: NameBits): number | null {
    const width = BITS + this.#members;
    return findRow(this.#users, bits, { width, isFree: (at) => this.#underWayIn(at) === 0 });
  }

  #underWayIn(row: number): number {
    return sum(this.#users, row + BITS, this.#members);
  }

  #countCall(bits: NameBits): boolean {
    const nowMs = this.#clock.monotonicMs();
    const startedOf = (at: number): number => this.#started[at / KEY_NUMBERS] ?? 0;
    const isQuiet = (at: number): boolean =>
      this.#keys[at + BITS] === 0 || nowMs - startedOf(at) >= WINDOW_MS;
    const at = findRow(this.#keys, bits, { width: KEY_NUMBERS, isFree: isQuiet });
    if (at === null) return false;
    if (!hasBits(this.#keys, at, bits) || isQuiet(at)) {
      this.#keys.set(bits, at);
      this.#started[at / KEY_NUMBERS] = nowMs;
      this.#keys[at + BITS] = 1;
      return true;
    }
    if ((this.#keys[at + BITS] ?? 0) >= this.#limits.ratePerSecondMax) return false;
    this.#add(this.#keys, at + BITS, 1);
    return true;
  }

  #add(counts: Int32Array, at: number, by: number): void {
    counts[at] = (counts[at] ?? 0) + by;
  }
}

/** The row with these bits, of which there is one at most, else a free one. */
function findRow(
  table: Int32Array,
  bits: NameBits,
  { width, isFree }: { readonly width: number; readonly isFree: (at: number) => boolean },
): number | null {
  const first = placeOf(bits, PLACES) * ROWS_PER_PLACE * width;
  let free: number | null = null;
  for (let at = first; at < first + ROWS_PER_PLACE * width; at += width) {
    if (hasBits(table, at, bits)) return at;
    if (free === null && isFree(at)) free = at;
  }
  return free;
}

function sum(counts: Int32Array, at: number, length: number): number {
  let total = 0;
  for (let i = at; i < at + length; i += 1) total += counts[i] ?? 0;
  return total;
}
