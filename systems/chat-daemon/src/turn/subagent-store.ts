/** Children of a chat in Postgres, as the tools of their parent see them. */
import type { ChatError, ChatStatus, ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { Subagent } from "../tools/subagent-port.ts";

/** What a child takes from its parent beside what its tools know. */
export type ParentRow = {
  readonly agentId: string | null;
  readonly mcpServerIds: readonly string[];
  readonly clientType: "ui" | "api";
  readonly lastModelConfigId: string;
  readonly lastReasoningEffort: ReasoningEffort | null;
  /** Of the request that the running turn belongs to. */
  readonly activeApiKeyId: string | null;
};

export async function findParent(db: Sql, chatId: string): Promise<ParentRow | undefined> {
  const { rows } = await sql<ParentRow>`
    select agent_id as "agentId", mcp_server_ids as "mcpServerIds", client_type as "clientType",
      last_model_config_id as "lastModelConfigId", last_reasoning_effort as "lastReasoningEffort",
      (
        select api_key_id from chat_messages
        where chat_messages.chat_id = chats.id and role = 'user' and visibility <> 'model'
          and not deleted
        order by id desc limit 1
      ) as "activeApiKeyId"
    from chats where id = ${chatId}`.execute(db);
  return rows[0];
}

/** Undefined: it is no child of the chat, or is archived. */
export async function findSubagent(
  db: Sql,
  parentId: string,
  chatId: string,
): Promise<Subagent | undefined> {
  const { rows } = await sql<SubagentRow>`
    select ${COLUMNS} from chats
    where id = ${chatId} and parent_chat_id = ${parentId} and not archived`.execute(db);
  return rows.map(toSubagent)[0];
}

export async function listSubagents(
  db: Sql,
  parentId: string,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<{ readonly agents: readonly Subagent[]; readonly total: number }> {
  const { rows } = await sql<SubagentRow & { readonly total: number }>`
    select ${COLUMNS}, count(*) over () as total from chats
    where parent_chat_id = ${parentId} and not archived
    order by updated_at desc, id desc limit ${limit} offset ${offset}`.execute(db);
  return { agents: rows.map(toSubagent), total: Number(rows[0]?.total ?? 0) };
}

type SubagentRow = {
  readonly id: string;
  readonly title: string;
  readonly status: ChatStatus;
  readonly mode: "explore" | "computer_use" | null;
  readonly last_error: ChatError | null;
  readonly last_content: readonly MessagePart[] | null;
};

const COLUMNS = sql`id, title, status, mode, last_error,
  (
    select content from chat_messages
    where chat_messages.chat_id = chats.id and role = 'assistant' and not deleted
      and not compressed and content @> '[{"type":"text"}]'
    order by id desc limit 1
  ) as last_content`;

function toSubagent(row: SubagentRow): Subagent {
  const said = (row.last_content ?? []).map((part) => (part.type === "text" ? part.text : ""));
  return {
    ...{ chatId: row.id, title: row.title, status: row.status, lastError: row.last_error },
    ...{ type: row.mode ?? "general", report: said.join("").trim() },
  };
}
