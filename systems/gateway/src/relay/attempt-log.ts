/**
 * What a request went through: its attempts in their order, with why each has its key and what came of
 * it. Of nearly every request that is one word; only where something else happened is there more to tell.
 *
 * It holds no words of a provider, which can repeat keys, and is bounded however many keys there are.
 */
import type { Clock } from "@atelier/base/clock";
import type { InterceptionEnd, ProviderKeyHealth } from "@atelier/contract/rpc/gateway-ports";
import type {
  AttemptOutcome,
  GatewayRefusal,
  KeyReason,
  PassedKey,
  RequestAttempt,
  RequestTrail,
} from "@atelier/contract/rpc/request-trail";
import type { UpstreamFailure } from "../upstream/upstream-client.ts";
import type { RelayOutcome } from "./relay-outcome.ts";

/** Of more, the last is told, and those before it are left out. */
export const ATTEMPTS_TOLD_MAX = 16;
const CAUSE_LENGTH_MAX = 64;

export type BeginningAttempt = {
  readonly keyHint: string;
  readonly reason: KeyReason;
  readonly passedOver: readonly PassedKey[];
  readonly waitedMs: number | null;
  /** On the monotonic clock. */
  readonly beganAtMs: number;
};

/** Why an attempt's answer, if there was one, is not the client's. */
export type AsideFacts =
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "overloaded"; readonly answer: { readonly status: number } }
  | { readonly kind: "failed"; readonly failure: UpstreamFailure };

type Noted = BeginningAttempt & {
  endedAtMs: number | null;
  /** Null: under way, or its answer is the client's. */
  ending: { readonly outcome: AttemptOutcome; readonly cause: string | null } | null;
  status: number | null;
  keyEffect: RequestAttempt["keyEffect"];
  isRepaired: boolean;
};

/** Of one interception. */
export class AttemptLog {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #beganAtMs: number;
  readonly #attempts: Noted[] = [];
  #kept: Noted | null = null;
  #leftOut = 0;
  #refusal: GatewayRefusal | null = null;
  #breaker: "opened" | "closed" | null = null;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#beganAtMs = clock.monotonicMs();
  }

  began(attempt: BeginningAttempt): void {
    if (this.#attempts.length === ATTEMPTS_TOLD_MAX) {
      this.#attempts.pop();
      this.#leftOut += 1;
    }
    const open = { endedAtMs: null, ending: null, status: null, keyEffect: null };
    this.#attempts.push({ ...attempt, ...open, isRepaired: false });
  }

  /** The attempt under way, with a credential that was not chosen among keys. */
  beganWithout(reason: "own" | "keyless", keyHint: string): void {
    const beganAtMs = this.#clock.monotonicMs();
    this.began({ keyHint, reason, passedOver: [], waitedMs: null, beganAtMs });
  }

  /** The attempt under way is not the client's. */
  setAside(aside: AsideFacts): void {
    const last = this.#attempts.at(-1);
    if (last === undefined) return;
    last.endedAtMs = this.#clock.monotonicMs();
    if (aside.kind === "failed") {
      last.ending = { outcome: aside.failure.kind, cause: aside.failure.cause };
    } else {
      last.status = aside.kind === "refused" ? aside.status : aside.answer.status;
      const outcome = aside.kind === "refused" ? "set_aside" : "overloaded";
      last.ending = { outcome, cause: null };
    }
  }

  /** What the last attempt did to its key: how that one is now. */
  keyBecame({ state, returnsAt }: Pick<ProviderKeyHealth, "state" | "returnsAt">): void {
    const last = this.#attempts.at(-1);
    if (last === undefined || state === "valid") return;
    last.keyEffect = { state, until: state === "temporary" ? returnsAt : null };
  }

  repaired(): void {
    const last = this.#attempts.at(-1);
    if (last !== undefined) last.isRepaired = true;
  }

  /** The last attempt's answer is the client's where none better comes. */
  kept(): void {
    this.#kept = this.#attempts.at(-1) ?? null;
  }

  /** None came. */
  keptIsGiven(): void {
    if (this.#kept !== null) this.#kept.ending = { outcome: "answered", cause: null };
  }

  refused(refusal: GatewayRefusal): void {
    this.#refusal = refusal;
  }

  breakerChanged(change: "opened" | "closed"): void {
    this.#breaker = change;
  }

  /** The exchange is over for the client. */
  over({ ending, status }: RelayOutcome): void {
    const last = this.#attempts.at(-1);
    if (last === undefined || last.ending !== null) return;
    last.endedAtMs = this.#clock.monotonicMs();
    last.status = status;
    const outcome = OUTCOMES[ending.kind];
    const cause = "cause" in ending ? ending.cause : null;
    if (outcome !== null) last.ending = { outcome, cause };
  }

  /** Call when all is told. `error` is what is recorded of the interception. */
  trail(error: InterceptionEnd["error"]): RequestTrail {
    const [first] = this.#attempts;
    if (first !== undefined && error === null && this.#isPlain(first)) {
      const { reason } = first;
      if (reason === "first" || reason === "own" || reason === "keyless") {
        return { kind: "plain", reason };
      }
    }
    return {
      kind: "told",
      attempts: this.#attempts.map((each) => this.#toAttempt(each, error)),
      attemptsLeftOut: this.#leftOut,
      refusal: this.#refusal,
      breaker: this.#breaker,
    };
  }

  #isPlain({ status, ending, keyEffect, isRepaired }: Noted): boolean {
    const isAsExpected = status === 200 && ending === null && keyEffect === null && !isRepaired;
    return isAsExpected && this.#attempts.length === 1 && this.#breaker === null;
  }

  #toAttempt(noted: Noted, error: InterceptionEnd["error"]): RequestAttempt {
    const { keyHint, reason, passedOver, waitedMs, beganAtMs, status, keyEffect, isRepaired } =
      noted;
    const outcome = noted.ending?.outcome ?? outcomeOfAnswer(status, error);
    return {
      ...{ keyHint, reason, passedOver, status, keyEffect, isRepaired, outcome },
      waitedMs: waitedMs === null ? null : Math.round(waitedMs),
      offsetMs: Math.round(beganAtMs - this.#beganAtMs),
      durationMs: Math.round((noted.endedAtMs ?? beganAtMs) - beganAtMs),
      cause: noted.ending?.cause?.slice(0, CAUSE_LENGTH_MAX) ?? null,
    };
  }
}

/** Null: the answer itself tells. */
const OUTCOMES: Readonly<Record<RelayOutcome["ending"]["kind"], AttemptOutcome | null>> = {
  complete: null,
  unreachable: "unreachable",
  timeout: "timeout",
  cut: "cut",
  // Ours while an attempt is under way: only a stop or a client that leaves does that.
  refused: "stopped",
  client_gone: "client_gone",
  closing: "stopped",
};

/** Of an answer that went to the client whole. */
function outcomeOfAnswer(
  status: number | null,
  error: InterceptionEnd["error"],
): Extract<AttemptOutcome, "answered" | "overloaded" | "broken"> {
  if (error === null || status === null || status >= 400) return "answered";
  return error.type === "overloaded" || error.type === "rate_limited" ? "overloaded" : "broken";
}
