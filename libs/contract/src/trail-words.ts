/** How a request was served, in words for people: one telling for terminal and browser. */
import type { z } from "zod";
import type { PassedKey, RequestAttempt, RequestTrail } from "./http/request-trail.ts";

export type Trail = z.output<typeof RequestTrail>;
export type TrailAttempt = z.output<typeof RequestAttempt>;

/** How lengths and times are written where it is shown. */
export type TrailTexts = {
  length(ms: number): string;
  time(isoTime: string): string;
};

/** Whether there is nothing to tell: one attempt, with the key that everybody expects, that served. */
export function isPlainTrail({ attempts, refusal, breaker }: Trail): boolean {
  const [first, second] = attempts;
  if (first === undefined || second !== undefined) return false;
  const isServed = first.outcome === "answered" && first.status === 200 && !first.repaired;
  const isExpected = ["own", "keyless", "first"].includes(first.reason);
  return isServed && isExpected && refusal === null && breaker === null;
}

/** Whether the client got the provider's answer by it, good or not. */
export function isAnswered({ outcome, status }: TrailAttempt): boolean {
  return outcome === "answered" && status !== null && status < 400;
}

/** `sk-a...cd`, or what stands for it. */
export function keyWords({ key_hint: hint, reason }: TrailAttempt): string {
  if (hint !== "") return hint;
  return reason === "keyless" ? "no key" : "a key";
}

export function reasonWords(
  { reason, waited_ms: waitedMs }: TrailAttempt,
  say: TrailTexts,
): string {
  const wait = waitedMs === null ? "" : `, after a wait of ${say.length(waitedMs)}`;
  return `${REASONS[reason]}${wait}`;
}

const REASONS: Readonly<Record<TrailAttempt["reason"], string>> = {
  own: "the caller's own",
  keyless: "this provider takes none",
  first: "first in order",
  next: "next in order",
  free: "the first one free",
  slot: "free first, where all were busy",
  rested: "back from its pause",
  probe: "tried whether it works again",
  last_resort: "paused, but none was better",
};

export function outcomeWords(attempt: TrailAttempt, say: TrailTexts): string {
  const { outcome, status, cause, duration_ms: durationMs } = attempt;
  const after = `after ${say.length(durationMs)}`;
  const because = cause === null ? "" : ` (${cause})`;
  switch (outcome) {
    case "answered":
      if (isAnswered(attempt)) return `answered in ${say.length(durationMs)}`;
      return `answered ${status} ${after}: that is what the client got`;
    case "set_aside":
      return status !== null && status < 500
        ? `refused with ${status} ${after}`
        : `failed with ${status} ${after}`;
    case "overloaded":
      return `began well, then said that it is overloaded, ${after}`;
    case "broken":
      return `answered with an error inside, ${after}`;
    case "unreachable":
      return `could not be reached${because}, ${after}`;
    case "timeout":
      return `silent for too long${because}, given up ${after}`;
    case "cut":
      return `broke off${because}, ${after}`;
    case "client_gone":
      return `the client left ${after}`;
    case "stopped":
      return `this server stopped ${after}`;
  }
}

/** Null: it did nothing to its key. */
export function effectWords({ key_effect: effect }: TrailAttempt, say: TrailTexts): string | null {
  if (effect === null) return null;
  if (effect.state === "permanent") return "taken out of service";
  return effect.until === null ? "paused" : `paused until ${say.time(effect.until)}`;
}

/** `sk-a...cd paused until 12:04:10, sk-e...f2 busy`. Null: nothing was passed over. */
export function passedWords(
  keys: readonly z.output<typeof PassedKey>[],
  say: TrailTexts,
): string | null {
  if (keys.length === 0) return null;
  return keys
    .map(({ key_hint: hint, why, until }) => {
      const end = until === null ? "" : ` until ${say.time(until)}`;
      return `${hint} ${PASSED[why]}${end}`;
    })
    .join(", ");
}

const PASSED: Readonly<Record<z.output<typeof PassedKey>["why"], string>> = {
  resting: "paused",
  refused: "out of service",
  busy: "busy",
  probed: "being tried by another request",
};

/** Why there is no attempt, or no further one. Null: the last one tells. */
export function refusalWords({ attempts, refusal }: Trail, say: TrailTexts): string | null {
  // The client left, or the server stopped, while the request was recorded or waited for a key.
  if (refusal === null) return attempts.length === 0 ? "not sent: it ended before" : null;
  const { kind, retry_in_ms: retryInMs } = refusal;
  const again = retryInMs === null ? "" : `; worth another try in ${say.length(retryInMs)}`;
  return `${REFUSALS[kind]}${again}`;
}

const REFUSALS: Readonly<Record<NonNullable<Trail["refusal"]>["kind"], string>> = {
  breaker_open: "not sent: the circuit breaker was open",
  keys_resting: "no key was left: all were paused",
  keys_refused: "no key was left: the provider refuses them",
  queue_full: "all keys were busy, and too many requests waited for one",
  queue_timeout: "all keys stayed busy for too long",
  background: "not sent: background requests are not supported",
};

export function breakerWords({ breaker }: Trail): string | null {
  if (breaker === null) return null;
  return breaker === "opened"
    ? "the circuit breaker opened: requests that follow are held back"
    : "the circuit breaker closed: requests go through again";
}
