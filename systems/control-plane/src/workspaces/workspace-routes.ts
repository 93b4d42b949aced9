/** Workspaces over HTTP. Paths, schemas and permissions: libs/contract/src/http/workspaces.ts. */
import { assert } from "@atelier/base/assert";
import { fail, ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/workspaces";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import { route, type Route } from "../http/route.ts";
import { toWireAgent, toWireWorkspace } from "./workspace-wire.ts";
import {
  addWorkspace,
  dropWorkspace,
  issueAgentToken,
  renameWorkspace,
  showWorkspace,
  showWorkspaceAgent,
  showWorkspaces,
  type WorkspaceDeps,
} from "./workspace-actions.ts";

export function workspaceRoutes(deps: WorkspaceDeps, links: WorkspaceLinks): Route[] {
  return [...listRoutes(deps), ...changeRoutes(deps), ...agentRoutes(deps, links)];
}

function listRoutes(deps: WorkspaceDeps): Route[] {
  return [
    route(contract.listWorkspaces, async ({ actor, query }) => {
      const { q = "", limit, after_id: afterId = null, offset = null } = query;
      const page = await showWorkspaces(deps, actor, { q, limit, afterId, offset });
      if (!page.ok) return page;
      const { workspaces, count } = page.value;
      return ok({ workspaces: workspaces.map(toWireWorkspace), count });
    }),

    route(contract.getWorkspace, async ({ params }) => {
      const found = await showWorkspace(deps, { id: params.workspace });
      return found.ok ? ok(toWireWorkspace(found.value)) : found;
    }),

    route(contract.getWorkspaceByName, async ({ subjectId, params }) => {
      const found = await showWorkspace(deps, { ownerId: subjectOf(subjectId), name: params.name });
      return found.ok ? ok(toWireWorkspace(found.value)) : found;
    }),
  ];
}

function changeRoutes(deps: WorkspaceDeps): Route[] {
  return [
    route(contract.createWorkspace, async ({ subjectId, body, audit }) => {
      const input = { ownerId: subjectOf(subjectId), name: body.name };
      const added = await addWorkspace(deps, input, audit);
      return added.ok ? ok(toWireWorkspace(added.value)) : added;
    }),

    route(contract.updateWorkspace, async ({ params, body, audit }) => {
      const input = { id: params.workspace, name: body.name };
      const renamed = await renameWorkspace(deps, input, audit);
      return renamed.ok ? ok(toWireWorkspace(renamed.value)) : renamed;
    }),

    route(contract.deleteWorkspace, ({ params, audit }) =>
      dropWorkspace(deps, params.workspace, audit),
    ),

    route(contract.createWorkspaceAgentToken, async ({ params, audit }) => {
      const issued = await issueAgentToken(deps, params.workspace, audit);
      if (!issued.ok) return issued;
      const { token, command, warning } = issued.value;
      return ok({ token: token.reveal(), command, warning });
    }),
  ];
}

function agentRoutes(deps: WorkspaceDeps, links: WorkspaceLinks): Route[] {
  return [
    route(contract.getWorkspaceAgent, async ({ params }) => {
      const found = await showWorkspaceAgent(deps, params.agent);
      return found.ok ? ok(toWireAgent(found.value)) : found;
    }),

    route(contract.listListeningPorts, async ({ params, facts }) => {
      const services = await links.servicesOf(params.agent);
      const listed = services.ok
        ? await services.value.ports.list({}, { signal: facts.signal })
        : services;
      if (listed.ok) {
        const ports = listed.value.ports.map(({ port, address, processName, pid }) => ({
          ...{ port, network: "tcp" as const, address },
          ...{ process_name: processName, pid },
        }));
        return ok({ ports });
      }
      const { code, message } = listed.failure;
      return code === "disconnected"
        ? fail({ code: "workspace_agent.disconnected" })
        : fail({ code: "workspace_agent.failed", detail: message });
    }),
  ];
}

function subjectOf(subjectId: string | null): string {
  assert(subjectId !== null, "the edge resolves `:user`");
  return subjectId;
}
