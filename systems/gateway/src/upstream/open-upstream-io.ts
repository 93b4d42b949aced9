/**
 * Which client serves an origin. Plain HTTP goes over raw sockets, at half of undici's CPU. Over TLS,
 * `auto` takes undici, which speaks HTTP/2 where the provider does: many slow streams on few
 * connections are what models answer with, and cost less so than on one connection each. Measured in
 * docs/discoveries/upstream-client.md.
 */
import { openRawUpstream, type RawUpstreamOptions } from "./raw-upstream-io.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import type { UpstreamClient } from "./upstream-client.ts";

export type UpstreamClientChoice = "auto" | "undici" | "raw";

export function openUpstream(
  choice: UpstreamClientChoice,
  options: RawUpstreamOptions,
): UpstreamClient {
  const isPlain = options.origin.startsWith("http:");
  const isRaw = choice === "raw" || (choice === "auto" && isPlain);
  return isRaw ? openRawUpstream(options) : openUndiciUpstream(options);
}
