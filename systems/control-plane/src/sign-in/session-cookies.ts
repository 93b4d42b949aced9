/**
 * The cookies of a signed-in browser: the session token, which scripts cannot read, and the CSRF
 * token, which our own pages read and repeat in a header.
 */
import type { Secret } from "@atelier/base/secret";
import { csrfTokenOf } from "../access/api-key.ts";
import { CSRF_COOKIE, SESSION_COOKIE } from "../http/presented-token.ts";

export type CookieOptions = {
  /** Sent over HTTPS only. */
  readonly isSecure: boolean;
  readonly lifetimeSeconds: number;
};

/** Values for `Set-Cookie`. */
export function sessionCookies(token: Secret, options: CookieOptions): readonly string[] {
  return [
    formatCookie(SESSION_COOKIE, token.reveal(), { ...options, isReadable: false }),
    formatCookie(CSRF_COOKIE, csrfTokenOf(token.reveal()), { ...options, isReadable: true }),
  ];
}

export function clearedCookies(isSecure: boolean): readonly string[] {
  const options = { isSecure, lifetimeSeconds: 0 };
  return [
    formatCookie(SESSION_COOKIE, "", { ...options, isReadable: false }),
    formatCookie(CSRF_COOKIE, "", { ...options, isReadable: true }),
  ];
}

/** The values are letters, digits, hyphens and underscores, which cookies take as they are. */
function formatCookie(
  name: string,
  value: string,
  { isSecure, lifetimeSeconds, isReadable }: CookieOptions & { readonly isReadable: boolean },
): string {
  const attributes = [
    `${name}=${value}`,
    "Path=/",
    `Max-Age=${lifetimeSeconds}`,
    "SameSite=Lax",
    ...(isReadable ? [] : ["HttpOnly"]),
    ...(isSecure ? ["Secure"] : []),
  ];
  return attributes.join("; ");
}
