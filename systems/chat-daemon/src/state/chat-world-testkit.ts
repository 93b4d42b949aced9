/** For tests: a database with a person, a model and an API key, and chats in whatever state is wanted. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Clock } from "@atelier/base/clock";
import type { Result } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import type {
  ChatFence,
  ChatMachine,
  ChatMoved,
  ChatOwner,
  LockedChat,
  NewChat,
  OwnWorker,
  ReadChat,
} from "./chat-machine.ts";
import { createChatMachine, type ChatMachineOptions } from "./chat-machine-actions.ts";
import type { ChatRow, NewMessage, UserMessage } from "./chat-row.ts";
import type { ExecutionState } from "./execution-state.ts";

export type ChatWorld = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly machine: ChatMachine;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly modelConfigId: string;
  readonly apiKeyId: string;
  readonly user: (text: string, more?: Partial<UserMessage>) => UserMessage;
  readonly newChat: (more?: Partial<NewChat>) => NewChat;
  /** A chat that was created and led to the state by transitions. None lead to an invalid one. */
  readonly chatIn: (
    state: Exclude<ExecutionState, "invalid">,
    more?: Partial<NewChat>,
  ) => Promise<ChatRow>;
  readonly addModel: (more?: { readonly isDefault?: boolean }) => Promise<string>;
  readonly addFile: () => Promise<string>;
};

export const DYNAMIC_TOOL = { name: "ask_client", description: "", input_schema: {} };

export async function chatWorld(
  options?: ChatMachineOptions & { readonly clock?: Clock },
): Promise<ChatWorld> {
  const database = await testDatabase();
  const clock = options?.clock ?? systemClock;
  const machine = createChatMachine({ database, clock }, options);
  const people = await insertPeople(database);
  const addModel: ChatWorld["addModel"] = async ({ isDefault = false } = {}) => {
    const id = randomUUID();
    await database.pool.query(
      `insert into chat_model_configs (id, organization_id, model, is_default, context_limit,
         compression_threshold, created_at, updated_at)
       values ($1, $2, 'scripted', $3, 200000, 70, now(), now())`,
      [id, people.organizationId, isDefault],
    );
    return id;
  };
  const modelConfigId = await addModel({ isDefault: true });
  const user: ChatWorld["user"] = (text, more) => ({
    content: [{ type: "text", text }],
    createdBy: people.ownerId,
    apiKeyId: people.apiKeyId,
    modelConfigId: null,
    reasoningEffort: null,
    ...more,
  });
  const newChat: ChatWorld["newChat"] = (more) => ({
    ...BLANK_CHAT,
    id: randomUUID(),
    organizationId: people.organizationId,
    ownerId: people.ownerId,
    lastModelConfigId: modelConfigId,
    messages: [{ role: "user", ...user("hello"), reasoningEffort: null, modelConfigId: null }],
    ...more,
  });
  return {
    database,
    machine,
    ...people,
    modelConfigId,
    user,
    newChat,
    addModel,
    addFile: async () => {
      const id = randomUUID();
      await database.pool.query(
        `insert into chat_files (id, owner_id, organization_id, created_at, name, media_type, data, sha256)
         values ($1, $2, $3, now(), 'a.txt', 'text/plain', '', '')`,
        [id, people.ownerId, people.organizationId],
      );
      return id;
    },
    chatIn: async (state, more) => {
      const { chat } = must(await machine.create(newChat(more)));
      return leadTo(machine, { chatId: chat.id, state, user });
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** A server's that drives nothing of what it takes, and notes what it hears of. */
export function takingWorker(
  owner: ChatOwner = { workerId: randomUUID(), runnerId: randomUUID() },
): OwnWorker & { readonly heard: ChatMoved[]; readonly read: (ReadChat | null)[] } {
  const heard: ChatMoved[] = [];
  const read: (ReadChat | null)[] = [];
  return {
    ...{ heard, read },
    taking: async (_chatId, send) => {
      const sent = await send(owner);
      if (sent !== null) read.push(sent.read);
      return sent;
    },
    hear: (chat) => {
      heard.push(chat);
    },
    stepping: async (_runnerId, commit) => {
      const done = await commit();
      if (done !== null) {
        heard.push(done.chat);
        read.push(done.read);
      }
      return done;
    },
  };
}

/** What whoever drives the chat as it is believes of it. */
export function fenceOf({ runnerId, historyVersion, status }: ChatRow): ChatFence {
  assert.ok(runnerId !== null, "it has a runner");
  return { runnerId, historyVersion, status };
}

/** The value of what cannot fail here. */
export function must<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

export function callOf(toolCallId: string, toolName = DYNAMIC_TOOL.name): MessagePart {
  return { type: "tool-call", tool_call_id: toolCallId, tool_name: toolName, args: {} };
}

/** A boundary's rows, as a compaction commits them. */
export function boundary(): readonly NewMessage[] {
  const id = `chat_summarized_${randomUUID()}`;
  const call = { tool_call_id: id, tool_name: "chat_summarized" };
  return [
    {
      role: "user",
      content: [{ type: "text", text: "so far" }],
      visibility: "model",
      compressed: true,
    },
    { role: "assistant", content: [{ type: "tool-call", ...call, args: {} }], compressed: true },
    { role: "tool", content: [{ type: "tool-result", ...call, result: {} }], compressed: true },
  ];
}

export const SAYS: NewMessage = { role: "assistant", content: [{ type: "text", text: "well" }] };

const BLANK_CHAT = {
  workspaceId: null,
  agentId: null,
  parentChatId: null,
  rootChatId: null,
  title: "New Chat",
  titleSource: "fallback",
  lastReasoningEffort: null,
  mode: null,
  planMode: null,
  mcpServerIds: [],
  dynamicTools: [DYNAMIC_TOOL],
  labels: {},
  clientType: "api",
} as const;

async function leadTo(
  machine: ChatMachine,
  to: { readonly chatId: string; readonly state: string; readonly user: ChatWorld["user"] },
): Promise<ChatRow> {
  const { chatId, state, user } = to;
  const change = async (work: (chat: LockedChat) => Promise<Result<unknown, unknown>>) => {
    must(await machine.change(chatId, work));
  };
  const letter = state.replace(/[0-9X]/g, "");
  await change((chat) => chat.commitStep([SAYS]));
  if (letter === "A") {
    await change((chat) => chat.commitStep([{ role: "assistant", content: [callOf("call 1")] }]));
    await change((chat) => chat.enterRequiresAction());
  }
  if (state.endsWith("1")) await change((chat) => chat.sendMessage(user("queued"), "queue"));
  if (letter === "I") await change((chat) => chat.interrupt("stop"));
  if (letter === "W") await change((chat) => chat.finishTurn());
  if (letter === "E") {
    await change((chat) => chat.finishError({ message: "broke", retryable: false }));
  }
  if (state.startsWith("X")) await change((chat) => chat.setArchived(true));
  const found = await machine.change(chatId, async (chat) => {
    await Promise.resolve();
    return { ok: true, value: chat.row };
  });
  return must(found);
}

async function insertPeople(database: TestDatabase) {
  const { rows } = await database.pool.query<{ id: string }>("select id from organizations");
  const organizationId = rows[0]?.id ?? assert.fail("there is an organization");
  const ownerId = randomUUID();
  const apiKeyId = ownerId.slice(0, 8);
  await database.pool.query(
    `insert into users (id, email, username, status, created_at, updated_at)
     values ($1, $2, $2, 'active', now(), now())`,
    [ownerId, `user-${apiKeyId}`],
  );
  await database.pool.query(
    `insert into api_keys (id, kind, user_id, hashed_secret, scopes, lifetime_seconds, created_at, expires_at)
     values ($1, 'token', $2, '', '{all}', 60, now(), now())`,
    [apiKeyId, ownerId],
  );
  return { organizationId, ownerId, apiKeyId };
}
