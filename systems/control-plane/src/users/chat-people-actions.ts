/** People as chats see them: the port ChatPeople. */
import type { ChatPeople } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import { findUserId } from "../access/principal-store.ts";
import { getDefaultOrganizationId } from "../organizations/organization-store.ts";
import { findUser, listUserNames } from "./user-store.ts";

export function chatPeople({ sql }: Database): ChatPeople {
  return {
    defaultOrganizationId: () => getDefaultOrganizationId(sql),
    usernameOf: async (userId) => (await findUser(sql, userId))?.username,
    idOf: (ref) => findUserId(sql, ref),
    namesOf: async (userIds) =>
      new Map((await listUserNames(sql, userIds)).map((each) => [each.id, each])),
  };
}
