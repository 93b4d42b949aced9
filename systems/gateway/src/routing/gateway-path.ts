/**
 * The path of a gateway request, taken apart: `/<provider>/<rest>?<query>` (spec gateway 2.1, 2.5).
 *
 * The rest goes upstream in the client's own spelling; matching is done on its normalised form. What
 * another server could read as a different path (encoded slashes or dots, backslashes, NUL) is refused.
 */
import { fail, ok, type Result } from "@atelier/base/result";

export type GatewayPath = {
  readonly providerName: string;
  /** Begins with a slash; decoded, without empty or dot segments. For matching only. */
  readonly route: string;
  /** Begins with a slash; the client's own bytes. For the upstream. */
  readonly rawRoute: string;
  /** With its question mark, or empty. */
  readonly query: string;
};

/** `target` is the request target after the gateway's own prefix; it begins with a slash. */
export function parseGatewayPath(target: string): Result<GatewayPath, "path_refused"> {
  const queryAt = target.indexOf("?");
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const query = queryAt === -1 ? "" : target.slice(queryAt);
  const nameEnd = path.indexOf("/", 1);
  const providerName = nameEnd === -1 ? path.slice(1) : path.slice(1, nameEnd);
  const rest = nameEnd === -1 ? "/" : path.slice(nameEnd);
  if (PLAIN_ROUTE.test(rest)) {
    return ok({ providerName, route: rest, rawRoute: rest, query });
  }
  return normalise(providerName, rest, query);
}

/** Nothing to normalise or refuse: nearly every request. */
const PLAIN_ROUTE = /^(?:\/[A-Za-z0-9_:@-][A-Za-z0-9_.:@-]*)+\/?$/;

/** Encoded slash, backslash, dot or NUL: another server may decode them and see another path. */
const ENCODED_TRAVERSAL = /%(?:2f|5c|2e|00)/i;

function normalise(
  providerName: string,
  rest: string,
  query: string,
): Result<GatewayPath, "path_refused"> {
  if (ENCODED_TRAVERSAL.test(rest) || rest.includes("\\") || rest.includes("\0")) {
    return fail("path_refused");
  }
  const kept: string[] = [];
  for (const segment of rest.split("/")) {
    if (segment === "..") {
      // Above the provider's own root there is nothing that is the caller's to reach.
      if (kept.pop() === undefined) return fail("path_refused");
    } else if (segment !== "" && segment !== ".") {
      kept.push(segment);
    }
  }
  const rawRoute = `/${kept.join("/")}${rest.endsWith("/") && kept.length > 0 ? "/" : ""}`;
  const route = decode(rawRoute);
  if (route === null || route.includes("\0")) return fail("path_refused");
  return ok({ providerName, route, rawRoute, query });
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // A percent sign that encodes nothing.
  }
}
