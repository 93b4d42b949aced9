/** Which chat people mean: by its id, by the beginning of it, or `last`. */
import { fail, ok, type Result } from "@atelier/base/result";
import { getChat, listChats, type Chat } from "@atelier/contract/http/chats";
import { notFoundFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import { safe } from "../output/terminal-safe.ts";

export const CHAT_ARGUMENT = "a chat: its id, the beginning of it, or `last`";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PREFIX_MIN = 4;
const PAGE_MAX = 200;
/** One's chats that are looked through for the beginning of an id. */
const PAGES_MAX = 50;

export async function findChat(api: Api, ref: string): Promise<Result<Chat, CliFailure>> {
  if (UUID.test(ref)) return api.call(getChat, { params: { chat: ref.toLowerCase() } });
  if (ref === "last") return lastChat(api);
  const prefix = ref.toLowerCase();
  if (prefix.length < PREFIX_MIN || !/^[0-9a-f-]+$/.test(prefix)) {
    const remedy = `Give its id, at least ${PREFIX_MIN} of its first characters, or \`last\`.`;
    return fail(usageFailure(safe`${ref} names no chat.`, remedy));
  }
  const found: Chat[] = [];
  for (const q of ["archived:any", "archived:any source:shared_with_me"]) {
    const searched = await eachChat(api, q, (chat) => {
      if (chat.id.startsWith(prefix)) found.push(chat);
      for (const child of chat.children) if (child.id.startsWith(prefix)) found.push(child);
    });
    if (!searched.ok) return searched;
    if (found.length > 0) break;
  }
  const [chat, another] = found;
  if (chat === undefined) return fail(notFoundFailure(safe`No chat's id begins with ${ref}.`));
  if (another === undefined) return ok(chat);
  const several = found.map(({ id, title }) => `${id} (${title})`).join(", ");
  return fail(usageFailure(safe`Several chats' ids begin with ${ref}: ${several}.`));
}

/** The one in which something happened last, archived ones aside. Pinned ones come first in lists. */
async function lastChat(api: Api): Promise<Result<Chat, CliFailure>> {
  let last: Chat | null = null;
  const searched = await eachChat(api, undefined, (chat) => {
    if (last === null || chat.updated_at > last.updated_at) last = chat;
    return chat.pin_order === 0;
  });
  if (!searched.ok) return searched;
  return last === null
    ? fail({ ...notFoundFailure("There is no chat."), remedy: "Begin one: `atelier chat new`." })
    : ok(last);
}

/** Until `visit` says that it is enough. */
async function eachChat(
  api: Api,
  q: string | undefined,
  visit: (chat: Chat) => boolean | void,
): Promise<Result<void, CliFailure>> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { q, limit: PAGE_MAX, after_id: after };
    const answer = await api.call(listChats, { query });
    if (!answer.ok) return answer;
    for (const chat of answer.value) if (visit(chat) === true) return ok(undefined);
    if (answer.value.length < PAGE_MAX) break;
    after = answer.value.at(-1)?.id;
  }
  return ok(undefined);
}
