/** The credential that a request presents. A header wins over the cookie, ours over the general one. */
import type { IncomingHttpHeaders } from "node:http";

/** The names of the cookies of a signed-in browser. */
export type SignInCookies = { readonly session: string; readonly csrf: string };

const PLAIN: SignInCookies = { session: "coder_session_token", csrf: "atelier_csrf" };
const OF_ONE_HOST: SignInCookies = {
  session: `__Host-${PLAIN.session}`,
  csrf: `__Host-${PLAIN.csrf}`,
};

/**
 * With the prefix no page of a neighbouring host can set them (RFC 6265bis, 4.1.3), as a program in a
 * workspace is behind its preview. Browsers take it over TLS only.
 */
export function signInCookies(accessUrl: string): SignInCookies {
  return accessUrl.startsWith("https:") ? OF_ONE_HOST : PLAIN;
}

export const SIGN_IN_COOKIE_NAMES: readonly string[] = [PLAIN, OF_ONE_HOST].flatMap((names) =>
  Object.values(names),
);

export type PresentedToken = {
  readonly token: string;
  /** Browsers send cookies on behalf of any page, headers only on behalf of ours. */
  readonly source: "header" | "cookie";
};

export function presentedToken(
  headers: IncomingHttpHeaders,
  cookies: SignInCookies,
): PresentedToken | null {
  const fromHeader = headerToken(headers);
  if (fromHeader !== null) return { token: fromHeader, source: "header" };
  const fromCookie = cookieOf(headers.cookie ?? "", cookies.session);
  return fromCookie === null ? null : { token: fromCookie, source: "cookie" };
}

/** For callers that are programs. */
export function headerToken(headers: IncomingHttpHeaders): string | null {
  const own = headers["coder-session-token"];
  if (typeof own === "string" && own !== "") return own;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? null;
}

/** Of several cookies of one name the first counts, as browsers send the most specific first. */
function cookieOf(header: string, name: string): string | null {
  const pair = header.split(/; */).find((each) => each.startsWith(`${name}=`));
  const value = pair?.slice(name.length + 1) ?? "";
  return value === "" ? null : value;
}
