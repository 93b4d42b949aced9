/** Who may look at a chat, asked where no path names it: the edge asks the same of paths. */
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import { isReader } from "../sharing/chat-reader-store.ts";
import type { ChatDeps } from "./chat-deps.ts";

export async function mayRead(
  { database, isSharingEnabled }: Pick<ChatDeps, "database" | "isSharingEnabled">,
  caller: ServiceCaller,
  chat: { readonly id: string; readonly ownerId: string },
): Promise<boolean> {
  if (caller.may("chat:read", chat.ownerId)) return true;
  return (
    isSharingEnabled &&
    caller.may("chat:read", caller.userId) &&
    isReader(database.sql, chat.id, caller.userId)
  );
}
