/** Which machine a chat's tools work on: the one of its workspace, chosen anew for each batch. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatWorkspace, ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import type { ToolWorkspace } from "./tool.ts";

/** An agent whose name ends so is meant for chats. */
export const CHAT_AGENT_SUFFIX = "-atelier-chat";

export const NO_WORKSPACE =
  "No workspace is attached to this chat. Use list_workspaces, and ask the person to attach one.";

export async function connectWorkspace(
  deps: { readonly directory: ChatWorkspaceDirectory; readonly links: WorkspaceLinks },
  chat: { readonly workspaceId: string | null; readonly agentId: string | null },
): Promise<Result<ToolWorkspace, string>> {
  if (chat.workspaceId === null) return fail(NO_WORKSPACE);
  const workspace = await deps.directory.find(chat.workspaceId);
  if (workspace === undefined) {
    return fail("The workspace of this chat has been deleted. Ask the person to attach another.");
  }
  const agentId = chooseAgent(workspace, chat.agentId);
  if (!agentId.ok) return agentId;
  const services = await deps.links.servicesOf(agentId.value);
  if (!services.ok) {
    return fail(
      `The workspace ${workspace.name} cannot be reached: it is likely stopped. ${services.failure.message}`,
    );
  }
  deps.directory.touched(workspace.id);
  return ok({ workspaceId: workspace.id, agentId: agentId.value, services: services.value });
}

/** The chat's own while there is one; else the one that is meant for chats; else the first by name. */
export function chooseAgent(
  { agents, name }: Pick<ChatWorkspace, "agents" | "name">,
  bound: string | null,
): Result<string, string> {
  if (agents.some(({ id }) => id === bound)) return ok(bound ?? "");
  const sorted = agents.toSorted((a, b) => {
    const [left, right] = [sortKey(a), sortKey(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
  const meant = sorted.filter((agent) => agent.name.toLowerCase().endsWith(CHAT_AGENT_SUFFIX));
  if (meant.length > 1) {
    const names = meant.map((agent) => agent.name).join(", ");
    return fail(`Several agents of the workspace ${name} are meant for chats: ${names}.`);
  }
  const chosen = meant[0] ?? sorted[0];
  return chosen === undefined
    ? fail(`No machine is attached to the workspace ${name}.`)
    : ok(chosen.id);
}

function sortKey({ name, id }: { readonly name: string; readonly id: string }): string {
  return `${name.toLowerCase()}\0${name}\0${id}`;
}
