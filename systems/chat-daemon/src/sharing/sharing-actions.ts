/** Sharing a chat: people who may look at it, and do nothing else. Spec agents 9.3. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Clock } from "@atelier/base/clock";
import type { Failure } from "@atelier/contract/failures";
import { CHAT_READERS_MAX, type ChatReader } from "@atelier/contract/http/chat-sharing";
import type { ChatPeople } from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit } from "@atelier/contract/rpc/endpoint-service";
import type { Database } from "@atelier/database/database";
import { changeReaders, listReaders, lockShared } from "./chat-reader-store.ts";

export type SharingDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly people: ChatPeople;
  readonly isSharingEnabled: boolean;
};

export async function readReaders(
  { database, people }: SharingDeps,
  chatId: string,
): Promise<readonly ChatReader[]> {
  const names = await people.namesOf(await listReaders(database.sql, chatId));
  return [...names.values()]
    .map(({ id, username, name }) => ({ id, username, name, role: "read" as const }))
    .toSorted((a, b) => (a.username < b.username ? -1 : 1));
}

/** By id or username; empty: no longer. */
export type WantedRoles = Readonly<Record<string, "read" | "">>;

type ShareFailure = Failure<"request.invalid" | "resource.not_found" | "chat.sharing_disabled">;

export async function share(
  deps: SharingDeps,
  { chatId, audit }: { readonly chatId: string; readonly audit: ServiceAudit },
  roles: WantedRoles,
): Promise<Result<undefined, ShareFailure>> {
  const wanted = await peopleNamed(deps, roles);
  if (!wanted.ok) return wanted;
  const { added, removed } = wanted.value;
  // Who shares no longer may always: nothing is to stay open because it was switched off.
  if (added.length > 0 && !deps.isSharingEnabled) return fail({ code: "chat.sharing_disabled" });
  return deps.database.transaction(async (db) => {
    const chat = await lockShared(db, chatId);
    if (chat === undefined) return fail({ code: "resource.not_found" });
    if (!chat.isRoot) return invalid("chat", "A child is shared with the chat that began it.");
    if (added.includes(chat.ownerId)) return invalid("user_roles", "It is your own chat.");
    const before = await listReaders(db, chatId);
    const gone = new Set(removed);
    const after = [...new Set([...before, ...added])].filter((id) => !gone.has(id)).toSorted();
    if (after.length > CHAT_READERS_MAX) {
      return invalid("user_roles", `At most ${CHAT_READERS_MAX} people.`);
    }
    await changeReaders(db, chatId, { added, removed, at: deps.clock.now() });
    await audit.record(db, {
      ...{ resourceId: chatId, target: chat.title },
      ...{ before: { readers: before }, after: { readers: after } },
    });
    return ok(undefined);
  });
}

/** Who is no longer to read need not be there any more. */
async function peopleNamed(
  { people }: SharingDeps,
  roles: WantedRoles,
): Promise<
  Result<
    { readonly added: readonly string[]; readonly removed: readonly string[] },
    Failure<"request.invalid">
  >
> {
  const added: string[] = [];
  const removed: string[] = [];
  for (const [ref, role] of Object.entries(roles)) {
    const id = await people.idOf(ref);
    if (id === undefined && role === "read") {
      return invalid(`user_roles.${ref}`, "There is nobody of this name.");
    }
    if (id !== undefined) (role === "read" ? added : removed).push(id);
  }
  return ok({ added, removed });
}

function invalid(field: string, detail: string) {
  return fail({ code: "request.invalid", validations: [{ field, detail }] } as const);
}
