/** Looking at chats, and changing what is no message of them. */
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Chat } from "@atelier/contract/http/chats";
import type { ChatPerson } from "@atelier/contract/rpc/chat-ports";
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import {
  markRead,
  pinChat,
  publishChatNews,
  updateChatMetadata,
  type ChatMetadata,
} from "../state/chat-metadata-store.ts";
import { mayRead } from "./chat-readers-actions.ts";
import { costsOf } from "./chat-cost-actions.ts";
import type { ChatDeps } from "./chat-deps.ts";
import { invalid, toFailure, withoutQueueFull, type ChatFailure } from "./chat-failures.ts";
import { listChatFiles } from "./chat-file-store.ts";
import {
  findShownChat,
  listLatestInWorkspaces,
  listShownById,
  listShownChats,
  listShownChildren,
} from "./chat-list-store.ts";
import type { ChatPage, ShownChat } from "./shown-chat.ts";
import { parseChatSearch } from "./chat-search.ts";
import { toWireChat, toWireFile } from "./chat-wire.ts";
import { findWorkspace } from "./create-chat-actions.ts";

type NotFound = Failure<"resource.not_found">;

export async function showChat(deps: ChatDeps, chatId: string): Promise<Result<Chat, NotFound>> {
  const shown = await deps.database.readOnlyTransaction(async (db) => {
    const chat = await findShownChat(db, chatId);
    const files = await listChatFiles(db, chatId);
    return chat && { chat, files, children: await listShownChildren(db, [chatId]) };
  });
  if (shown === undefined) return fail({ code: "resource.not_found" });
  const [owner, costs, queued] = await Promise.all([
    deps.people.usernameOf(shown.chat.ownerId),
    costsOf(deps, [shown.chat]),
    deps.queuedForCapacity([chatId]),
  ]);
  const files = shown.files.map(toWireFile);
  const more = { files, ...withCost(costs.get(chatId)) };
  const chat = { ...toWireChat(shown.chat, shown.children, owner), ...more };
  return ok(withQueued(chat, queued));
}

/** Those of the ids that are there, of one person, as lists show them: without files. */
export async function showChatsById(
  deps: ChatDeps,
  chatIds: readonly string[],
): Promise<readonly Chat[]> {
  const { chats, children } = await deps.database.readOnlyTransaction(async (db) => ({
    chats: await listShownById(db, chatIds),
    children: await listShownChildren(db, chatIds),
  }));
  const [first] = chats;
  if (first === undefined) return [];
  const username = await deps.people.usernameOf(first.ownerId);
  return withFamilies(deps, chats, { children, known: { id: first.ownerId, username } });
}

export async function showChats(
  deps: ChatDeps,
  caller: ServiceCaller,
  query: ChatPage & { readonly q: string; readonly labels: readonly string[] },
): Promise<Result<Chat[], NotFound | Failure<"request.invalid">>> {
  const search = parseChatSearch(query.q, query.labels);
  if (!search.ok) return search;
  // Whose credential lacks the scope sees nothing, also not their own.
  if (!caller.may("chat:read", caller.userId)) return fail({ code: "resource.not_found" });
  const isOwn = search.value.source === "own";
  if (!isOwn && !deps.isSharingEnabled) return ok([]);
  const { chats, children } = await deps.database.readOnlyTransaction(async (db) => {
    const filter = { ...search.value, userId: caller.userId };
    const roots = await listShownChats(db, filter, query);
    const rootIds = roots.map(({ id }) => id);
    return { chats: roots, children: await listShownChildren(db, rootIds) };
  });
  const known = { id: caller.userId, username: caller.username };
  const shown = await withFamilies(deps, chats, { children, known });
  // How far others' chats were read is their owners' to know.
  return ok(isOwn ? shown : shown.map((chat) => ({ ...chat, has_unread: false })));
}

async function withFamilies(
  deps: ChatDeps,
  chats: readonly ShownChat[],
  {
    children,
    known,
  }: {
    readonly children: readonly ShownChat[];
    /** An owner whose name need not be asked for. */
    readonly known: { readonly id: string; readonly username: string | undefined };
  },
): Promise<Chat[]> {
  const families = Map.groupBy(children, ({ rootChatId }) => rootChatId);
  const running = chats.filter(({ status }) => status === "running");
  const owners = new Set(chats.map(({ ownerId }) => ownerId).filter((id) => id !== known.id));
  const [costs, names, queued] = await Promise.all([
    costsOf(deps, chats),
    owners.size === 0 ? new Map<string, ChatPerson>() : deps.people.namesOf([...owners]),
    deps.queuedForCapacity(running.map(({ id }) => id)),
  ]);
  return chats.map((chat) => {
    const owner = chat.ownerId === known.id ? known.username : names.get(chat.ownerId)?.username;
    const wire = toWireChat(chat, families.get(chat.id) ?? [], owner);
    return withQueued({ ...wire, ...withCost(costs.get(chat.id)) }, queued);
  });
}

/** By workspace; of chats that the caller may not read nothing is told. */
export async function showChatsByWorkspace(
  deps: ChatDeps,
  caller: ServiceCaller,
  workspaceIds: readonly string[],
): Promise<Readonly<Record<string, Chat>>> {
  const latest = await listLatestInWorkspaces(deps.database.sql, workspaceIds);
  const answers = await Promise.all(latest.map((chat) => mayRead(deps, caller, chat)));
  const readable = latest.filter((_, index) => answers[index]);
  const byWorkspace = Map.groupBy(readable, ({ workspaceId }) => workspaceId);
  const shown = await Promise.all(
    [...byWorkspace].map(async ([workspaceId, [first]]) => {
      const chat = first === undefined ? null : await showChat(deps, first.id);
      return chat?.ok === true ? [[workspaceId, chat.value] as const] : [];
    }),
  );
  return Object.fromEntries(shown.flat());
}

function withQueued(chat: Chat, queued: ReadonlySet<string>): Chat {
  return queued.has(chat.id) ? { ...chat, queued_for_capacity: true } : chat;
}

function withCost(cost: Chat["cost"]): Pick<Chat, "cost"> {
  return cost === undefined ? {} : { cost };
}

export type ChatChange = {
  readonly title?: string | undefined;
  readonly archived?: boolean | undefined;
  readonly workspace_id?: string | null | undefined;
  readonly pin_order?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly plan_mode?: "plan" | "" | undefined;
};

type ChangeFailure = Failure<"request.invalid" | "resource.not_found" | "chat.state_conflict">;

/** The archive last: what is wrong with the rest is then said before anything has happened. */
export async function changeChat(
  deps: ChatDeps,
  caller: ServiceCaller,
  chatId: string,
  change: ChatChange,
): Promise<Result<undefined, ChangeFailure>> {
  const chat = await findShownChat(deps.database.sql, chatId);
  if (chat === undefined) return fail({ code: "resource.not_found" });
  const problem = problemOf(chat, change);
  if (problem !== null) return fail(problem);
  const metadata = await metadataOf(deps, caller, change);
  if (!metadata.ok) return metadata;
  await deps.database.transaction(async (db) => {
    if (Object.keys(metadata.value).length > 0) {
      await updateChatMetadata(db, chatId, metadata.value);
    }
    if (change.pin_order !== undefined) {
      await pinChat(db, chat, { place: change.pin_order, now: deps.clock.now() });
    }
    if (change.title !== undefined) await publishChatNews(db, chat, "title_change");
  });
  if (change.archived === undefined) return ok(undefined);
  return archive(deps, chat, change.archived);
}

function problemOf(chat: ShownChat, change: ChatChange): Failure<"request.invalid"> | null {
  const { archived, pin_order: pinOrder = 0 } = change;
  if (archived !== undefined && archived === chat.archived) {
    return invalid("archived", archived ? "It is archived already." : "It is not archived.");
  }
  if (pinOrder > 0 && chat.parentChatId !== null) {
    return invalid("pin_order", "Only chats of their own can be pinned.");
  }
  if (pinOrder > 0 && (archived ?? chat.archived)) {
    return invalid("pin_order", "An archived chat cannot be pinned.");
  }
  return null;
}

async function metadataOf(
  deps: ChatDeps,
  caller: ServiceCaller,
  change: ChatChange,
): Promise<Result<Partial<ChatMetadata>, Failure<"request.invalid">>> {
  const { title, labels = null, plan_mode: planMode, workspace_id: workspaceId } = change;
  const workspace = await findWorkspace(deps, caller, workspaceId ?? undefined);
  if (!workspace.ok) return workspace;
  return ok({
    ...(title === undefined ? {} : { title, titleSource: "user" as const }),
    ...(labels === null ? {} : { labels }),
    ...(planMode === undefined ? {} : { planMode: planMode === "" ? null : planMode }),
    // The agent in it is chosen anew when it is next needed.
    ...(workspaceId === undefined
      ? {}
      : { workspaceId: workspace.value?.id ?? null, agentId: null }),
  });
}

/** A root takes its children with it. */
async function archive(
  deps: ChatDeps,
  chat: ShownChat,
  archived: boolean,
): Promise<Result<undefined, ChangeFailure>> {
  const done =
    chat.parentChatId === null
      ? await deps.machine.setFamilyArchived(chat.id, archived)
      : await deps.machine.change(chat.id, (locked) => locked.setArchived(archived));
  if (!done.ok) return fail(withoutQueueFull(toFailure(done.failure)));
  if (archived && chat.pinOrder > 0) {
    const unpinned = { place: 0, now: deps.clock.now() };
    await deps.database.transaction((db) => pinChat(db, chat, unpinned));
  }
  return ok(undefined);
}

/** The chat as it is after what was just done to it. */
export async function shownAfter(
  deps: ChatDeps,
  chatId: string,
  done: Result<undefined, ChatFailure>,
): Promise<Result<Chat, ChangeFailure>> {
  if (!done.ok) return fail(withoutQueueFull(done.failure));
  const chat = await showChat(deps, chatId);
  assert(chat.ok, "a chat that was just changed is there");
  return chat;
}

/** The owner has seen what is there. Others only look. */
export async function markReadBy(
  { database, log }: ChatDeps,
  chatId: string,
  viewerId: string,
): Promise<void> {
  try {
    await markRead(database.sql, { chatId, ownerId: viewerId });
  } catch (error) {
    log.warn({ error, chat: chatId }, "what was read of a chat was not written down");
  }
}
