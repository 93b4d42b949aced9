/** Where somebody goes after signing in: an address of ours, never one that a link from elsewhere slipped in. */

/** A path from the dashboard's beginning, with its query. */
export function safeNext(next: string | undefined): string {
  if (next === undefined || !next.startsWith("/")) return "/";
  // `//host` and `/\host` lead elsewhere.
  return /^\/[/\\]/.test(next) || /\p{Cc}/u.test(next) ? "/" : next;
}
