/** Where a gateway request carries its caller's token (spec gateway 3.1). */
import { GOVERNANCE_TOKEN_HEADER } from "@atelier/contract/rpc/model-transport";
import { splitApiKey } from "@atelier/contract/api-key-form";
import type { IncomingHttpHeaders } from "node:http";

export type CallerToken = {
  readonly token: string;
  /**
   * `central`: the provider's usual header carried our token, so nothing of the caller's goes
   * upstream. `byok`: ours came in its own header, and the usual ones are the caller's credential.
   */
  readonly mode: "central" | "byok";
};

export function findCallerToken(headers: IncomingHttpHeaders): CallerToken | null {
  const governance = single(headers[GOVERNANCE_TOKEN_HEADER])?.trim();
  if (governance !== undefined && governance !== "") return { token: governance, mode: "byok" };
  const bearer = parseBearer(headers.authorization);
  if (bearer !== null) return { token: bearer, mode: "central" };
  const apiKey = single(headers["x-api-key"])?.trim();
  if (apiKey !== undefined && apiKey !== "") return { token: apiKey, mode: "central" };
  // Where clients of Azure put their key. Not in the spec: what cannot be ours is no token here.
  const azureKey = single(headers["api-key"])?.trim() ?? "";
  return splitApiKey(azureKey) === null ? null : { token: azureKey, mode: "central" };
}

/** Exactly two fields, the first of them `bearer` in any case; otherwise null. */
export function parseBearer(value: string | undefined): string | null {
  if (value === undefined) return null;
  const fields = value.trim().split(/\s+/);
  if (fields.length !== 2 || fields[0]?.toLowerCase() !== "bearer") return null;
  return fields[1] ?? null;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
