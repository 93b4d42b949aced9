/** Why a request gets the key that it gets, for those who look at it later. Changes nothing. */
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import type { KeyReason, PassedKey } from "@atelier/contract/rpc/request-trail";
import type { KeyPool } from "./key-pool.ts";

/** More keys than this that were passed over are not told. */
export const PASSED_KEYS_MAX = 5;

export type KeyPick = {
  readonly key: ProviderKey;
  readonly keys: readonly ProviderKey[];
  /** By this request, before. */
  readonly tried: ReadonlySet<string>;
  readonly isProbe: boolean;
  readonly isResting: boolean;
  /** What the request waited for. Null: it had its key at once. */
  readonly waitedFor: "slot" | "rest" | null;
};

export function keyReason(pick: KeyPick): KeyReason {
  const { key, keys, tried, isProbe, isResting, waitedFor } = pick;
  if (isResting) return "last_resort";
  if (isProbe) return "probe";
  if (waitedFor !== null) return waitedFor === "slot" ? "slot" : "rested";
  if (tried.size > 0) return "next";
  return keys[0]?.id === key.id ? "first" : "free";
}

export type PassedSearch = {
  readonly keys: readonly ProviderKey[];
  readonly tried: ReadonlySet<string>;
  /** Null: none was, and all that were not tried are told. */
  readonly picked: ProviderKey | null;
  readonly now: Date;
};

/** Keys that are preferred to the one that was picked and were not tried, as they are at this moment. */
export function passedOver(
  pool: Pick<KeyPool, "health">,
  { keys, tried, picked, now }: PassedSearch,
): PassedKey[] {
  const at = picked === null ? keys.length : keys.findIndex(({ id }) => id === picked.id);
  return keys
    .slice(0, Math.max(0, at))
    .filter(({ id }) => !tried.has(id))
    .map((key) => passedKey(pool, key, now))
    .slice(0, PASSED_KEYS_MAX);
}

function passedKey(pool: Pick<KeyPool, "health">, { id, hint }: ProviderKey, now: Date): PassedKey {
  const { state, returnsAt } = pool.health(id);
  if (state === "permanent") return { keyHint: hint, why: "refused", until: null };
  if (state === "valid") return { keyHint: hint, why: "busy", until: null };
  // Its rest is over, and still it is out.
  const isProbed = returnsAt !== null && returnsAt.getTime() <= now.getTime();
  return isProbed
    ? { keyHint: hint, why: "probed", until: null }
    : { keyHint: hint, why: "resting", until: returnsAt };
}
