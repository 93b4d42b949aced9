/** A request's attempts as the gateway hands them to the recorder. Meaning: libs/contract/src/http/request-trail.ts. */
import type { z } from "zod";
import type * as wire from "../http/request-trail.ts";

export type KeyReason = z.output<typeof wire.KeyReason>;
export type AttemptOutcome = z.output<typeof wire.AttemptOutcome>;

export type PassedKey = {
  readonly keyHint: string;
  readonly why: z.output<typeof wire.PassedKey>["why"];
  readonly until: Date | null;
};

export type RequestAttempt = {
  readonly keyHint: string;
  readonly reason: KeyReason;
  readonly passedOver: readonly PassedKey[];
  readonly waitedMs: number | null;
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  readonly status: number | null;
  readonly cause: string | null;
  readonly keyEffect: {
    readonly state: "temporary" | "permanent";
    readonly until: Date | null;
  } | null;
  readonly isRepaired: boolean;
};

export type GatewayRefusal = {
  readonly kind: z.output<typeof wire.GatewayRefusal>["kind"];
  readonly retryInMs: number | null;
  readonly passedOver: readonly PassedKey[];
};

export type RequestTrail =
  /** One attempt that all expect, answered whole with 200: nearly every request. */
  | { readonly kind: "plain"; readonly reason: Extract<KeyReason, "first" | "own" | "keyless"> }
  | {
      readonly kind: "told";
      readonly attempts: readonly RequestAttempt[];
      readonly attemptsLeftOut: number;
      readonly refusal: GatewayRefusal | null;
      readonly breaker: "opened" | "closed" | null;
    };
