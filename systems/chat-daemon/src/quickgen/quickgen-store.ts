/** What a short text about a chat is made from. */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

export type Talk = {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly parentChatId: string | null;
  readonly rootChatId: string | null;
  readonly workspaceId: string | null;
  readonly title: string;
  readonly titleSource: "user" | "fallback" | "generated";
  readonly lastModelConfigId: string;
  readonly lastReasoningEffort: ReasoningEffort | null;
  /** Of the newest message of a person. */
  readonly apiKeyId: string | null;
  /** What people see, the oldest first. */
  readonly messages: readonly {
    readonly role: "user" | "assistant" | "tool" | "system";
    readonly content: readonly MessagePart[];
  }[];
};

const MESSAGES_MAX = 40;

/** Undefined: the chat is gone. Of a long one the first message and the newest. */
export async function readTalk(db: Sql, chatId: string): Promise<Talk | undefined> {
  const { rows } = await sql<{
    id: string;
    owner_id: string;
    organization_id: string;
    parent_chat_id: string | null;
    root_chat_id: string | null;
    workspace_id: string | null;
    title: string;
    title_source: Talk["titleSource"];
    last_model_config_id: string;
    last_reasoning_effort: ReasoningEffort | null;
    api_key_id: string | null;
    messages: Talk["messages"];
  }>`
    /* by key */ select c.id, c.owner_id, c.organization_id, c.parent_chat_id, c.root_chat_id,
      c.workspace_id, c.title, c.title_source, c.last_model_config_id, c.last_reasoning_effort,
      (select m.api_key_id from chat_messages m
        where m.chat_id = c.id and m.role = 'user' and m.visibility <> 'model' and not m.deleted
        order by m.id desc limit 1) as api_key_id,
      (select coalesce(jsonb_agg(jsonb_build_object('role', role, 'content', content) order by id), '[]')
        from (
          (select id, role, content from chat_messages
            where chat_id = c.id and visibility <> 'model' and not deleted order by id limit 1)
          union
          (select id, role, content from chat_messages
            where chat_id = c.id and visibility <> 'model' and not deleted
            order by id desc limit ${MESSAGES_MAX})
        ) shown) as messages
    from chats c where c.id = ${chatId}`.execute(db);
  const row = rows[0];
  return (
    row && {
      id: row.id,
      ownerId: row.owner_id,
      organizationId: row.organization_id,
      parentChatId: row.parent_chat_id,
      rootChatId: row.root_chat_id,
      workspaceId: row.workspace_id,
      title: row.title,
      titleSource: row.title_source,
      lastModelConfigId: row.last_model_config_id,
      lastReasoningEffort: row.last_reasoning_effort,
      apiKeyId: row.api_key_id,
      messages: row.messages,
    }
  );
}
