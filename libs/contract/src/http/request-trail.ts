/**
 * How a request was served: each attempt at its provider, why its key was taken, what came of it, and what
 * the gateway did by itself. Providers' own words are not in it: those can hold keys.
 *
 * It is stored as it is read here, so a field that comes later has to be optional.
 */
import { z } from "zod";
import { Timestamp } from "./common.ts";

/**
 * Why an attempt has its key. `own`: it is the caller's. `keyless`: the provider is reached without keys to
 * choose from. `first`: the preferred one. `next`: those before it failed in this request. `free`: those before
 * it were out of service or busy. `slot`: all were at their limit, and this one came free first. `rested`: all
 * rested, and this one's rest was waited for. `probe`: its rest after faults is over, and this request finds out for all.
 * `last_resort`: it rests for faults, and there is no better one.
 */
export const KeyReason = z.enum([
  "own",
  "keyless",
  "first",
  "next",
  "free",
  "slot",
  "rested",
  "probe",
  "last_resort",
]);

/**
 * What came of an attempt. `answered`: its answer is the client's, whatever it says. `set_aside`: its answer led
 * to the next key. `overloaded`, `broken`: a stream or answer that began well and then told of an error, of
 * too much load or another. `unreachable`, `timeout`, `cut`: no answer, silence, or one that broke off.
 * `client_gone`, `stopped`: the client, or this server, did not wait for it.
 */
export const AttemptOutcome = z.enum([
  "answered",
  "set_aside",
  "overloaded",
  "broken",
  "unreachable",
  "timeout",
  "cut",
  "client_gone",
  "stopped",
]);

/** A key that is preferred to the one that was taken, and why it was not. */
export const PassedKey = z.object({
  key_hint: z.string(),
  /** `probed`: another request finds out whether it serves again. */
  why: z.enum(["resting", "refused", "busy", "probed"]),
  /** Of one that rests: when it is tried again. */
  until: Timestamp.nullable(),
});

export const RequestAttempt = z.object({
  /** Masked. */
  key_hint: z.string(),
  reason: KeyReason,
  /** At most five. */
  passed_over: z.array(PassedKey),
  /** For the key, before the attempt. Null: it did not wait. */
  waited_ms: z.int().nullable(),
  /** From when the gateway turned to the provider. */
  offset_ms: z.int(),
  duration_ms: z.int(),
  outcome: AttemptOutcome,
  /** Null: no answer began. */
  status: z.int().nullable(),
  /** What the connection failed with: a code, or a few words of ours. */
  cause: z.string().nullable(),
  /** What the attempt did to the key. Null: nothing. `permanent`: it is refused. */
  key_effect: z
    .object({ state: z.enum(["temporary", "permanent"]), until: Timestamp.nullable() })
    .nullable(),
  /** Whether it was sent once more, without reasoning that the provider refused as another's. */
  repaired: z.boolean(),
});

/** What the gateway answered by itself, because it had no attempt to make. */
export const GatewayRefusal = z.object({
  kind: z.enum([
    "breaker_open",
    "keys_resting",
    "keys_refused",
    "queue_full",
    "queue_timeout",
    "background",
  ]),
  /** When it may go better. */
  retry_in_ms: z.int().nullable(),
  /** The keys that were not tried, at most five. */
  passed_over: z.array(PassedKey),
});

export const RequestTrail = z.object({
  /** In their order, at most sixteen: of more the last is in it, and those before it are left out. */
  attempts: z.array(RequestAttempt),
  attempts_left_out: z.int(),
  refusal: GatewayRefusal.nullable(),
  /** What the request did to its provider's circuit breaker. Null: nothing. */
  breaker: z.enum(["opened", "closed"]).nullable(),
});
