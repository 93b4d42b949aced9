/**
 * Which client serves an origin. Plain HTTP goes over raw sockets, at half of undici's CPU; over TLS, `auto`
 * does so too for as many exchanges as are cheaper so, and takes undici with HTTP/2 for what comes on
 * top. Measured in docs/discoveries/upstream-client.md.
 */
import { openMixedUpstream } from "./mixed-upstream-io.ts";
import { openRawUpstream, type RawUpstreamOptions } from "./raw-upstream-io.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import type { UpstreamClient } from "./upstream-client.ts";

export type UpstreamClientChoice = "auto" | "undici" | "raw";

export function openUpstream(
  choice: UpstreamClientChoice,
  options: RawUpstreamOptions,
): UpstreamClient {
  if (choice === "undici") return openUndiciUpstream(options);
  const isPlain = options.origin.startsWith("http:");
  return choice === "raw" || isPlain ? openRawUpstream(options) : openMixedUpstream(options);
}
