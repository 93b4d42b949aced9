/** Chats as people read them in lists and by themselves. */
import type { Result } from "@atelier/base/result";
import { listChatModels } from "@atelier/contract/http/chat-models";
import type { Chat } from "@atelier/contract/http/chats";
import { getWorkspace } from "@atelier/contract/http/workspaces";
import { ORGANIZATION } from "../chat-model-lookup.ts";
import type { CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import { faint, fields, orDash, since, table, type Cell, type Look } from "../output/people.ts";

/** Names of what chats know by id. What cannot be read any more has none. */
export type ChatNames = {
  readonly models: ReadonlyMap<string, string>;
  readonly workspaces: ReadonlyMap<string, string>;
};

export async function chatNames(api: Api, chats: readonly Chat[]): Promise<ChatNames> {
  const ids = new Set(chats.flatMap(({ workspace_id: id }) => (id === undefined ? [] : [id])));
  const [models, ...workspaces] = await Promise.all([
    api.call(listChatModels, { params: ORGANIZATION }),
    ...[...ids].map((workspace) => api.call(getWorkspace, { params: { workspace } })),
  ]);
  const known = valuesOf(workspaces);
  return {
    models: new Map(
      models.ok
        ? models.value.models.map((each) => [each.id, each.display_name || each.model])
        : [],
    ),
    workspaces: new Map(known.map(({ id, name }) => [id, name])),
  };
}

function valuesOf<Value>(results: readonly Result<Value, CliFailure>[]): readonly Value[] {
  return results.flatMap((each) => (each.ok ? [each.value] : []));
}

export function chatsTable(
  look: Look,
  chats: readonly Chat[],
  { showsOwner, ...names }: ChatNames & { readonly showsOwner: boolean },
): string {
  const owner = showsOwner ? ["OWNER"] : [];
  const titles = [
    "CHAT",
    ...owner,
    "STATUS",
    "TITLE",
    "LAST",
    "MODEL",
    "WORKSPACE",
    "CHANGES",
    "QUEUE",
    "UPDATED",
  ];
  const columns = titles.map((title) => ({ title, isWhole: title === "CHAT" }));
  const rows = chats.map((chat): Cell[] => [
    shortId(chat.id),
    ...(showsOwner ? [chat.owner_username ?? ""] : []),
    statusCell(chat),
    chat.title,
    orDash(lastOf(chat)),
    orDash(names.models.get(chat.last_model_config_id) ?? ""),
    orDash(workspaceOf(chat, names)),
    orDash(changesOf(chat)),
    chat.queue_length === 0 ? faint("-") : String(chat.queue_length),
    since(look, chat.updated_at),
  ]);
  return table(look, columns, rows);
}

export function chatFields(look: Look, chat: Chat, names: ChatNames): string {
  const labels = Object.entries(chat.labels).map(([key, value]) => `${key}=${value}`);
  return fields(look, [
    ["Chat", chat.id],
    ["Title", chat.title],
    ["Status", statusCell(chat)],
    ["Model", orDash(names.models.get(chat.last_model_config_id) ?? "")],
    ...(chat.last_reasoning_effort === undefined
      ? []
      : [["Effort", chat.last_reasoning_effort] as const]),
    ["Workspace", orDash(workspaceOf(chat, names))],
    ...changeFields(chat),
    ...(chat.plan_mode === undefined ? [] : [["Mode", "plan"] as const]),
    ...(labels.length === 0 ? [] : [["Labels", labels.join(" ")] as const]),
    ...(chat.queue_length === 0 ? [] : [["Queue", String(chat.queue_length)] as const]),
    ...(chat.shared ? [["Shared", "with others: `atelier chat share`"] as const] : []),
    ...(chat.pin_order === 0 ? [] : [["Pinned", String(chat.pin_order)] as const]),
    ["Updated", since(look, chat.updated_at)],
  ]);
}

/** As much as tells one person's chats apart; commands take it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

export function statusCell({ status, archived, has_unread: hasUnread, ...chat }: Chat): Cell {
  if (archived) return faint("archived");
  switch (status) {
    case "waiting":
      return hasUnread ? { text: "answered", tone: "good" } : "idle";
    case "running":
      return chat.queued_for_capacity === true ? "waits for a slot" : "working";
    case "interrupting":
      return "stopping";
    case "requires_action":
      return { text: "needs you", tone: "bad" };
    case "error":
      return { text: "error", tone: "bad" };
  }
}

function lastOf({ status, last_error: error, last_turn_summary: summary }: Chat): string {
  return status === "error" && error !== undefined ? error.message : (summary ?? "");
}

/** `+12 −3`; empty while nothing is known. */
function changesOf({ diff_status: status }: Chat): string {
  return status === undefined ? "" : `+${status.additions} −${status.deletions}`;
}

function changeFields(chat: Chat): readonly (readonly [string, Cell])[] {
  const { diff_status: status } = chat;
  if (status === undefined) return [];
  const { changed_files: files, git_branch: branch, ahead, behind, is_cut: isCut } = status;
  const where = `${files} ${files === 1 ? "file" : "files"}${isCut ? ", or more" : ""}`;
  const apart = ahead + behind === 0 ? "" : ` (${ahead} ahead, ${behind} behind)`;
  return [
    ["Changes", `${changesOf(chat)} in ${where}`],
    ...(branch === "" ? [] : [["Branch", `${branch}${apart}`] as const]),
  ];
}

function workspaceOf({ workspace_id: id }: Chat, names: ChatNames): string {
  return id === undefined ? "" : (names.workspaces.get(id) ?? shortId(id));
}
