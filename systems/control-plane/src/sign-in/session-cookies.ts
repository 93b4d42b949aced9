/**
 * The cookies of a signed-in browser: the session token, which scripts cannot read, and the CSRF
 * token, which our own pages read and repeat in a header.
 */
import type { Secret } from "@atelier/base/secret";
import { csrfTokenOf } from "../access/api-key.ts";
import type { SignInCookies } from "../http/presented-token.ts";

export type CookieOptions = {
  readonly names: SignInCookies;
  /** Sent over HTTPS only. */
  readonly isSecure: boolean;
  readonly lifetimeSeconds: number;
};

/** Values for `Set-Cookie`. */
export function sessionCookies(token: Secret, options: CookieOptions): readonly string[] {
  return [
    formatCookie(options.names.session, token.reveal(), { ...options, isReadable: false }),
    formatCookie(options.names.csrf, csrfTokenOf(token.reveal()), { ...options, isReadable: true }),
  ];
}

export function clearedCookies(
  names: SignInCookies,
  { isSecure }: Pick<CookieOptions, "isSecure">,
): readonly string[] {
  const options = { isSecure, lifetimeSeconds: 0 };
  return [
    formatCookie(names.session, "", { ...options, isReadable: false }),
    formatCookie(names.csrf, "", { ...options, isReadable: true }),
  ];
}

/** The values are letters, digits, hyphens and underscores, which cookies take as they are. */
function formatCookie(
  name: string,
  value: string,
  {
    isSecure,
    lifetimeSeconds,
    isReadable,
  }: Omit<CookieOptions, "names"> & { readonly isReadable: boolean },
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
