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
