/** The credential that a request presents. A header wins over the cookie, ours over the general one. */
import type { IncomingHttpHeaders } from "node:http";

export const SESSION_COOKIE = "coder_session_token";
export const CSRF_COOKIE = "atelier_csrf";

export type PresentedToken = {
  readonly token: string;
  /** Browsers send cookies on behalf of any page, headers only on behalf of ours. */
  readonly source: "header" | "cookie";
};

export function presentedToken(headers: IncomingHttpHeaders): PresentedToken | null {
  const own = headers["coder-session-token"];
  if (typeof own === "string" && own !== "") return { token: own, source: "header" };
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return { token: bearer, source: "header" };
  const fromCookie = cookieOf(headers.cookie ?? "", SESSION_COOKIE);
  return fromCookie === null ? null : { token: fromCookie, source: "cookie" };
}

/** Of several cookies of one name the first counts, as browsers send the most specific first. */
function cookieOf(header: string, name: string): string | null {
  const pair = header.split(/; */).find((each) => each.startsWith(`${name}=`));
  const value = pair?.slice(name.length + 1) ?? "";
  return value === "" ? null : value;
}
