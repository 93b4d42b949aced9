/** What a requested API token gets: its lifetime and its scopes, never wider than its maker's. */
import { parseDurationMs } from "@atelier/base/duration";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { SCOPES } from "@atelier/contract/permissions";

export type LifetimeLimits = {
  readonly defaultTokenLifetimeMs: number;
  readonly maxTokenLifetimeMs: number;
};

const NANOSECONDS_PER_SECOND = 1_000_000_000;

/** Seconds. A number is nanoseconds, as other clients of the route send it; a text is a duration. */
export function grantLifetime(
  wanted: number | string | undefined,
  limits: LifetimeLimits,
): Result<number, Failure<"request.invalid">> {
  const seconds = lifetimeSeconds(wanted, limits.defaultTokenLifetimeMs);
  const secondsMax = Math.floor(limits.maxTokenLifetimeMs / 1_000);
  if (seconds === null) return invalid("lifetime", "Write a duration such as `720h` or `30d`.");
  if (seconds < 1) return invalid("lifetime", "A token lives for at least a second.");
  if (seconds > secondsMax) return invalid("lifetime", `At most ${secondsMax} seconds.`);
  return ok(seconds);
}

function lifetimeSeconds(wanted: number | string | undefined, defaultMs: number): number | null {
  if (typeof wanted === "number") return Math.floor(wanted / NANOSECONDS_PER_SECOND);
  const ms = wanted === undefined ? defaultMs : parseDurationMs(wanted);
  return ms === null ? null : Math.floor(ms / 1_000);
}

const EVERYTHING = ["all", "coder:all"];

/** Without a wish: everything its user may do. */
export function grantScopes(
  wanted: readonly string[] | undefined,
  ownScopes: readonly string[],
): Result<readonly string[], Failure<"request.invalid" | "api_token.scope_exceeds_yours">> {
  const scopes = [...new Set(wanted ?? ["all"])];
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
  if (unknown.length > 0) return invalid("scopes", `Unknown scope: ${unknown.join(", ")}.`);
  const exceeding = scopes.filter((scope) => !contains(ownScopes, scope));
  if (exceeding.length === 0) return ok(scopes);
  return fail({
    code: "api_token.scope_exceeds_yours",
    detail: `Not yours: ${exceeding.join(", ")}.`,
  });
}

/** Wide scopes grow when permissions are added, so only as wide a scope contains them. */
function contains(ownScopes: readonly string[], scope: string): boolean {
  if (ownScopes.some((own) => EVERYTHING.includes(own))) return true;
  return ownScopes.includes(scope) || ownScopes.includes(`${scope.split(":")[0]}:*`);
}

function invalid(
  field: string,
  detail: string,
): { readonly ok: false; readonly failure: Failure<"request.invalid"> } {
  return { ok: false, failure: { code: "request.invalid", validations: [{ field, detail }] } };
}
