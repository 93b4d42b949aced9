/** The addresses on the way into a preview: from its host to our origin for a ticket, and back with it. */
import { STATE_PATTERN, type TicketUse } from "./preview-passes.ts";

/** The one path of a preview's host that its workspace never sees. */
export const ENTER_PATH = "/.atelier-preview/enter";

/** Longer ones are not come back to: they travel within other addresses. */
const PATH_LENGTH_MAX = 8_192;

export type EnterPath = { readonly ticket: string; readonly path: string };

export function enterUrl(origin: string, { ticket, path }: EnterPath): string {
  return `${origin}${ENTER_PATH}?${new URLSearchParams({ ticket, path }).toString()}`;
}

/** Null: the request is not for us. */
export function enterPathOf(url: string | undefined): EnterPath | null {
  const [path, query = ""] = (url ?? "").split("?", 2);
  if (path !== ENTER_PATH) return null;
  const search = new URLSearchParams(query);
  return { ticket: search.get("ticket") ?? "", path: search.get("path") ?? "/" };
}

/** What a browser wants a ticket for, as its query says. Null: it makes no sense. */
export function ticketWantedOf(
  url: string | undefined,
): (TicketUse & { readonly path: string }) | null {
  const search = new URLSearchParams((url ?? "").split("?", 2)[1] ?? "");
  const [label, state] = [search.get("label"), search.get("state")];
  if (label === null || state === null || !STATE_PATTERN.test(state)) return null;
  return { label, state, path: search.get("path") ?? "/" };
}

/** An address of this origin for a path that came from outside: it cannot lead elsewhere. */
export function sentBackTo(origin: string, path: string): string {
  const url = path.length > PATH_LENGTH_MAX ? null : URL.parse(path, origin);
  const isOurs = url !== null && url.origin === new URL(origin).origin;
  if (!isOurs || url.pathname === ENTER_PATH) return `${origin}/`;
  return origin + url.pathname + url.search;
}
