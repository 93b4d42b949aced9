/** Workspaces as chats see them: the port ChatWorkspaceDirectory. */
import type { Clock } from "@atelier/base/clock";
import type { ChatWorkspace, ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import { fail, ok } from "@atelier/base/result";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { systemAudit } from "../audit/system-audit-actions.ts";
import {
  addWorkspace,
  listAllWorkspacesOf,
  showWorkspace,
  type WorkspaceDeps,
} from "./workspace-actions.ts";
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
    create: async ({ id, ownerId, name, chatId }) => {
      const known = await showWorkspace(deps, { id });
      if (known.ok) return ok(toChat(known.value));
      const audit = auditOfChat(deps, { ownerId, chatId });
      const added = await addWorkspace(deps, { id, ownerId, name }, audit);
      return added.ok ? ok(toChat(added.value)) : fail("name_taken");
    },
    touched: (workspaceId) => uses.note(workspaceId),
  };
}

/** In the owner's name, and with the chat that did it. */
function auditOfChat(
  deps: WorkspaceDeps,
  { ownerId, chatId }: { readonly ownerId: string; readonly chatId: string },
): AuditTrail {
  const audit = systemAudit(deps, { action: "create", resource: "workspace" });
  return {
    record: (sql, entry) =>
      audit.record(sql, {
        ...entry,
        userId: ownerId,
        additionalFields: { ...entry.additionalFields, chat_id: chatId },
      }),
    attempted: () => {},
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
