/** Path and query of a request to a provider. The query is the client's, plus an API version it lacks. */
import type { Upstream } from "./upstream-client.ts";

const API_VERSION = "api-version";

/** `path` begins with a slash; `query` with its question mark, or it is empty. */
export function toUpstreamTarget(
  { basePath, apiVersion }: Pick<Upstream, "basePath" | "apiVersion">,
  path: string,
  query: string,
): string {
  if (apiVersion === null || namesVersion(query)) return `${basePath}${path}${query}`;
  const before = query.length > 1 ? `${query}&` : "?";
  return `${basePath}${path}${before}${API_VERSION}=${encodeURIComponent(apiVersion)}`;
}

/** Names are compared decoded and without case, as the provider does. */
function namesVersion(query: string): boolean {
  if (query.length <= 1) return false;
  return new URLSearchParams(query).keys().some((name) => name.toLowerCase() === API_VERSION);
}
