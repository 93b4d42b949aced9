/**
 * What the gateways in several threads of one server share: limits of calls, and what was learned of
 * providers' keys and models. The thread that starts the others makes it and hands it to them; once a
 * thread is no more, it gives back what that one held.
 */
import type { Clock } from "@atelier/base/clock";
import { abandonBreakerProbes, type BreakerMemory } from "./breaker/circuit-breaker.ts";
import { CallLimiter, type CallAdmission, type CallLimits } from "./callers/call-limits.ts";
import { SharedCallLimiter, sharedLimitsBytes } from "./callers/shared-call-limits.ts";
import type { SlotGiver } from "./keys/slot-desk-elsewhere.ts";
import type { RefusedKeyIds } from "./relay/member-desk.ts";
import { abandonKeyProbe, type KeyRecord } from "./keys/key-pool.ts";
import { kindOfNote } from "./shared/note-names.ts";
import { OWN_NOTES, type Notebook } from "./shared/note.ts";
import { SHARED_NOTES_BYTES, SharedNotes } from "./shared/shared-notes.ts";

/** Can be sent to another thread. */
export type GatewayMemory = {
  readonly members: number;
  readonly notes: SharedArrayBuffer;
  readonly limits: SharedArrayBuffer;
};

/** One thread's place in it. Members are counted from 0. */
export type GatewayMembership = { readonly memory: GatewayMemory; readonly member: number };

/** What the gateway that is the first of the server does for one in another thread. */
export interface FirstGateway extends SlotGiver {
  /** A key went out of service because its provider refused it: it is to be checked. */
  keyRefused(refused: RefusedKeyIds): void;
}

export function createGatewayMemory(members: number): GatewayMemory {
  return {
    members,
    notes: new SharedArrayBuffer(SHARED_NOTES_BYTES),
    limits: new SharedArrayBuffer(sharedLimitsBytes(members)),
  };
}

/** Null: the thread is alone. */
export function notebookOf(membership: GatewayMembership | null): Notebook {
  if (membership === null) return OWN_NOTES;
  return new SharedNotes(membership.memory.notes, membership.member);
}

export function limiterOf(
  limits: CallLimits,
  clock: Clock,
  membership: GatewayMembership | null,
): CallAdmission {
  const isLimited = Object.values(limits).some((max) => max !== 0);
  if (membership === null || !isLimited) return new CallLimiter(limits, clock);
  const { memory, member } = membership;
  const shared = { memory: memory.limits, members: memory.members, member, clock };
  return new SharedCallLimiter(limits, shared);
}

/** Call once the member's thread is no more, and before another takes its place. */
export function giveBackOf({ memory, member }: GatewayMembership, clock: Clock): void {
  const shared = { memory: memory.limits, members: memory.members, member, clock };
  const none = { concurrencyMax: 0, concurrencyPerUserMax: 0, ratePerSecondMax: 0 };
  new SharedCallLimiter(none, shared).giveBack(member);
  // Another than the dead one: its name is on what this does.
  new SharedNotes(memory.notes, (member + 1) % memory.members).repair(member, (name, value) => {
    // Each kind of name has its own kind of value: see the rooms that note them.
    if (kindOfNote(name) === "key") abandonKeyProbe(value as KeyRecord, member);
    else abandonBreakerProbes(value as BreakerMemory, member);
  });
}
