/**
 * How a request was served, as it lies in its interception's row: nothing but a word for nearly all of
 * them, and for the others the JSON that readers get.
 */
import { KeyReason, RequestTrail } from "@atelier/contract/http/request-trail";
import type * as reported from "@atelier/contract/rpc/request-trail";
import type { z } from "zod";
import { storableName } from "./usage-text.ts";

export type StoredTrail = z.output<typeof RequestTrail>;

/** Columns of an end. Those that are absent stay null. */
export function toTrailColumns(trail: reported.RequestTrail | null): {
  readonly key_reason?: string;
  readonly trail?: StoredTrail;
} {
  if (trail === null) return {};
  if (trail.kind === "plain") return { key_reason: trail.reason };
  const { attempts, attemptsLeftOut, refusal, breaker } = trail;
  const last = attempts.at(-1);
  return {
    ...(last !== undefined && { key_reason: last.reason }),
    trail: {
      attempts: attempts.map(toStoredAttempt),
      attempts_left_out: attemptsLeftOut,
      refusal: refusal && {
        kind: refusal.kind,
        retry_in_ms: refusal.retryInMs,
        passed_over: refusal.passedOver.map(toStoredKey),
      },
      breaker,
    },
  };
}

function toStoredAttempt(attempt: reported.RequestAttempt): StoredTrail["attempts"][number] {
  const { reason, outcome, status, cause, keyEffect } = attempt;
  return {
    key_hint: storableName(attempt.keyHint),
    reason,
    passed_over: attempt.passedOver.map(toStoredKey),
    waited_ms: attempt.waitedMs,
    offset_ms: attempt.offsetMs,
    duration_ms: attempt.durationMs,
    outcome,
    status,
    cause: cause === null ? null : storableName(cause),
    key_effect: keyEffect && {
      state: keyEffect.state,
      until: keyEffect.until?.toISOString() ?? null,
    },
    repaired: attempt.isRepaired,
  };
}

function toStoredKey({ keyHint, why, until }: reported.PassedKey) {
  return { key_hint: storableName(keyHint), why, until: until?.toISOString() ?? null };
}

export type TrailColumns = {
  readonly key_reason: string | null;
  readonly trail: unknown;
  readonly credential_hint: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
};

/** Null: nothing is known, or it was written by a version that says more than this one understands. */
export function fromTrailColumns(columns: TrailColumns): StoredTrail | null {
  const { key_reason: reason, trail } = columns;
  if (trail !== null) return RequestTrail.safeParse(trail).data ?? null;
  const parsed = KeyReason.safeParse(reason);
  return parsed.success ? plainTrail(columns, parsed.data) : null;
}

/** What a reason alone stands for. */
function plainTrail(
  { credential_hint, started_at, ended_at }: TrailColumns,
  reason: reported.KeyReason,
): StoredTrail {
  const endedAt = ended_at ?? started_at;
  const attempt = {
    ...{ key_hint: credential_hint, reason, passed_over: [], waited_ms: null, offset_ms: 0 },
    duration_ms: Math.max(0, endedAt.getTime() - started_at.getTime()),
    ...{ outcome: "answered" as const, status: 200, cause: null },
    ...{ key_effect: null, repaired: false },
  };
  return { attempts: [attempt], attempts_left_out: 0, refusal: null, breaker: null };
}
