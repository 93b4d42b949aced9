/** Workspaces as chats see them: the port ChatWorkspaceDirectory. */
import type { Clock } from "@atelier/base/clock";
import type { ChatWorkspace, ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import { listAllWorkspacesOf, showWorkspace, type WorkspaceDeps } from "./workspace-actions.ts";
import { updateWorkspaceLastUsed } from "./workspace-store.ts";
import type { Workspace } from "./workspace.ts";

export function chatWorkspaceDirectory(
  deps: WorkspaceDeps,
  uses: { note(workspaceId: string): void },
): ChatWorkspaceDirectory {
  return {
    find: async (id) => {
      const found = await showWorkspace(deps, { id });
      return found.ok ? toChat(found.value) : undefined;
    },
    listOf: async (ownerId) => (await listAllWorkspacesOf(deps, ownerId)).map(toChat),
    touched: (workspaceId) => uses.note(workspaceId),
  };
}

export async function noteWorkspaceUse(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  workspaceId: string,
): Promise<void> {
  await updateWorkspaceLastUsed(database.sql, workspaceId, clock.now());
}

function toChat({ id, ownerId, organizationId, name, agents }: Workspace): ChatWorkspace {
  return {
    id,
    ownerId,
    organizationId,
    name,
    agents: agents.map((agent) => ({
      id: agent.id,
      name: agent.name,
      isConnected: agent.status === "connected",
      operatingSystem: agent.operatingSystem,
      directory: agent.directory,
    })),
  };
}
