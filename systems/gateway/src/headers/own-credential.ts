/** The caller's own provider credential, where they bring one (spec gateway 3.4). */
import { maskCredential } from "@atelier/base/mask";
import type { IncomingHttpHeaders } from "node:http";
import { parseBearer } from "../callers/caller-token.ts";
import type { ProviderDialect } from "../routing/route-table.ts";
import type { UpstreamCredential } from "./upstream-headers.ts";

export type OwnCredential = { readonly credential: UpstreamCredential; readonly hint: string };

/** Null: they sent none that this provider takes, so the company's keys serve. */
export function findOwnCredential(
  dialect: ProviderDialect,
  headers: IncomingHttpHeaders,
): OwnCredential | null {
  // Anthropic clients that send both mean the API key.
  const apiKey = dialect === "anthropic" ? headers["x-api-key"] : undefined;
  if (typeof apiKey === "string" && apiKey.trim() !== "") {
    const value = apiKey.trim();
    return { credential: { header: "x-api-key", value }, hint: maskCredential(value) };
  }
  const bearer = parseBearer(headers.authorization);
  if (bearer === null) return null;
  return {
    credential: { header: "authorization", value: `Bearer ${bearer}` },
    hint: maskCredential(bearer),
  };
}
