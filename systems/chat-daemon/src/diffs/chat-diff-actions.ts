/**
 * What a chat changed in its workspace, file by file, as its machine says it now. Compared is with what
 * the looks beside its turns found first (diff-looks-task.ts), so that both tell the same.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { ChatDiffRepository } from "@atelier/contract/http/chat-diff";
import type { ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import type { GitChanges } from "@atelier/contract/rpc/workspace/git";
import {
  toMachineFailure,
  type MachineFailure,
} from "@atelier/contract/rpc/workspace/machine-failure";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import type { Database } from "@atelier/database/database";
import { findChat } from "../state/chat-store.ts";
import { connectWorkspace } from "../tools/chat-workspace.ts";
import type { ToolWorkspace } from "../tools/tool.ts";
import { pathPrefix } from "./diff-status.ts";
import { findBases } from "./diff-status-store.ts";

export type ChatDiffDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly directory: ChatWorkspaceDirectory;
  readonly links: WorkspaceLinks;
};

export type ChatDiff = {
  readonly chat_id: string;
  readonly branch?: string;
  readonly remote_origin?: string;
  readonly diff: string;
  readonly is_cut: boolean;
  readonly repositories: ChatDiffRepository[];
};

type DiffFailure = MachineFailure | Failure<"chat.workspace_missing">;

/** All of it: a person waits for it. */
const DIFF_MS_MAX = 30_000;
/** Of one repository; there are more in the numbers. */
const FILES_MAX = 500;

export async function showChatDiff(
  deps: ChatDiffDeps,
  chatId: string,
  { bytesMax, signal }: { readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<Result<ChatDiff, DiffFailure>> {
  const chat = await findChat(deps.database.sql, chatId);
  if (chat === undefined) return fail({ code: "resource.not_found" });
  const isThere = chat.workspaceId !== null && (await deps.directory.find(chat.workspaceId));
  if (!isThere) return fail({ code: "chat.workspace_missing" });
  const workspace = await connectWorkspace(deps, chat);
  if (!workspace.ok) return fail({ code: "workspace_agent.disconnected" });
  const { workspaceId, agentId } = workspace.value;
  const root = { chatId: chat.rootChatId ?? chat.id, ownerId: chat.ownerId };
  const bases = await findBases(deps.database.sql, { ...root, workspaceId, agentId });
  const late = new AbortController();
  const done = new AbortController();
  deps.clock.sleep(DIFF_MS_MAX, AbortSignal.any([signal, done.signal])).then(
    () => late.abort(TOO_LONG),
    () => {}, // It is done, or nobody waits.
  );
  try {
    const asked = { since: bases ?? {}, othersAreNew: bases !== undefined, filesMax: FILES_MAX };
    const limits = { bytesMax, signal: AbortSignal.any([signal, late.signal]) };
    return await diffOf(workspace.value, chatId, asked, limits);
  } catch (error) {
    if (error !== TOO_LONG) throw error;
    return fail({ code: "workspace_agent.failed", detail: TOO_LONG.message });
  } finally {
    done.abort();
  }
}

const TOO_LONG = new Error(`It took longer than ${DIFF_MS_MAX / 1_000} seconds.`);

async function diffOf(
  { services }: ToolWorkspace,
  chatId: string,
  asked: Parameters<ToolWorkspace["services"]["git"]["changes"]>[0],
  { bytesMax, signal }: { readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<Result<ChatDiff, MachineFailure>> {
  const found = await services.git.changes(asked, { signal });
  if (!found.ok) return fail(toMachineFailure(found.failure));
  const { directory, repositories } = found.value;
  let isCut = found.value.isCut || repositories.some((each) => each.isCut);
  let left = bytesMax;
  let diff = "";
  const shown: ChatDiffRepository[] = [];
  for (const each of repositories) {
    const prefix = repositories.length === 1 ? "" : pathPrefix(each.root, directory);
    shown.push(toShown(each, prefix));
    if (each.changedFiles === 0) continue;
    if (left <= 0) {
      isCut = true;
      continue;
    }
    const { root: path, since } = each;
    const read = await services.git.diff({ path, since, prefix, maxBytes: left }, { signal });
    if (!read.ok) return fail(toMachineFailure(read.failure));
    diff += read.value.diff;
    left -= Buffer.byteLength(read.value.diff);
    isCut ||= read.value.isCut;
  }
  const only = shown.length === 1 ? shown[0] : undefined;
  const { branch = null, remote_origin: remoteOrigin = null } = only ?? {};
  return ok({
    chat_id: chatId,
    ...(branch === null ? {} : { branch }),
    ...(remoteOrigin === null ? {} : { remote_origin: remoteOrigin }),
    ...{ diff, is_cut: isCut, repositories: shown },
  });
}

function toShown(changes: GitChanges, prefix: string): ChatDiffRepository {
  const { root, branch, remoteUrl, added, removed, changedFiles, files } = changes;
  return {
    ...{ root, prefix, branch, remote_origin: remoteUrl },
    ...{ additions: added, deletions: removed, changed_files: changedFiles },
    files: files.map((file) => ({
      path: file.path,
      additions: file.added,
      deletions: file.removed,
      is_binary: file.isBinary,
    })),
  };
}
