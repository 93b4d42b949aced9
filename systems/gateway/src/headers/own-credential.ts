/** The caller's own provider credential, where they bring one (spec gateway 3.4). */
import { maskCredential } from "@atelier/base/mask";
import type { IncomingHttpHeaders } from "node:http";
import { parseBearer } from "../callers/caller-token.ts";
import type { ProviderKind } from "../routing/provider-kinds.ts";
import { toCredential, type UpstreamCredential } from "./upstream-headers.ts";

export type OwnCredential = {
  readonly credential: UpstreamCredential;
  readonly secret: string;
  readonly hint: string;
};

/**
 * On routes that only pass through, whatever stands in the header is the caller's: the company's key does
 * not serve who brought something else (spec gateway 3.4). Null: there is nothing, or no company's key that
 * could serve either.
 */
export function findForeignCredential(
  { keyHeader, ownHeaders }: ProviderKind,
  { authorization = "" }: IncomingHttpHeaders,
): OwnCredential | null {
  const value = authorization.trim();
  if (value === "" || keyHeader === null || !ownHeaders.includes("authorization")) return null;
  const secret = value.slice(value.indexOf(" ") + 1);
  return { credential: { header: "authorization", value }, secret, hint: maskCredential(secret) };
}

/** Null: they sent none that this provider takes, so the company's keys serve. */
export function findOwnCredential(
  { ownHeaders }: ProviderKind,
  headers: IncomingHttpHeaders,
): OwnCredential | null {
  for (const header of ownHeaders) {
    const value = headers[header];
    if (typeof value !== "string") continue;
    const own = header === "authorization" ? parseBearer(value) : value.trim();
    if (own !== null && own !== "") {
      return { credential: toCredential(header, own), secret: own, hint: maskCredential(own) };
    }
  }
  return null;
}
