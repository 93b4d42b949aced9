/** The endpoints of tool servers: each to its use case. */
import { fail, ok } from "@atelier/base/result";
import type { createMcpServer } from "@atelier/contract/http/mcp-servers";
import type { MCP_SERVER_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService, ServiceRequest } from "@atelier/contract/rpc/endpoint-service";
import {
  changeServer,
  createServer,
  dropServer,
  readServers,
  type McpServerDeps,
} from "./mcp-server-actions.ts";
import { isToolAllowed, toWireServer } from "./mcp-server.ts";
import type { McpTools } from "./mcp-tools-actions.ts";

type Service = EndpointService<typeof MCP_SERVER_ENDPOINTS>;

export function mcpServerService(deps: McpServerDeps, tools: McpTools): Service {
  return {
    listMcpServers: async ({ caller }) => {
      if (!caller.may("chat:read", caller.userId)) return fail({ code: "resource.not_found" });
      const seesAll = caller.may("chat_setting:read", null);
      const servers = (await readServers(deps)).filter(({ enabled }) => enabled || seesAll);
      return ok({ servers: servers.map((server) => toWireServer(server, seesAll)) });
    },
    createMcpServer: async ({ body, audit }) => {
      const { auth, ...fields } = body;
      const created = await createServer(deps, audit, { ...fieldsOf(fields), auth });
      return created.ok ? ok(toWireServer(created.value, true)) : created;
    },
    updateMcpServer: async ({ params, body, audit }) => {
      const { auth, ...fields } = body;
      const change = { ...fieldsOf(fields), auth };
      const changed = await changeServer(deps, audit, params.server, change);
      return changed.ok ? ok(toWireServer(changed.value, true)) : changed;
    },
    deleteMcpServer: async ({ params, audit }) => dropServer(deps, audit, params.server),
    testMcpServer: async ({ params, signal }) => {
      const tested = await tools.test(params.server, signal);
      if (tested === undefined) return fail({ code: "resource.not_found" });
      if (!tested.tools.ok) return ok({ ok: false, message: tested.tools.failure, tools: [] });
      const shown = tested.tools.value.map(({ name, description = "" }) => ({
        ...{ name, description },
        is_allowed: isToolAllowed(tested.server, name),
      }));
      return ok({ ok: true, tools: shown });
    },
  };
}

type Body = Omit<ServiceRequest<typeof createMcpServer>["body"], "auth">;

/** Of those that are given, all are there. */
function fieldsOf<Given extends { readonly [Name in keyof Body]?: Body[Name] | undefined }>(
  body: Given,
) {
  return {
    slug: body.slug as Given["slug"],
    url: body.url as Given["url"],
    description: body.description as Given["description"],
    enabled: body.enabled as Given["enabled"],
    availability: body.availability as Given["availability"],
    displayName: body.display_name as Given["display_name"],
    allowInPlanMode: body.allow_in_plan_mode as Given["allow_in_plan_mode"],
    toolAllowList: body.tool_allow_list as Given["tool_allow_list"],
    toolDenyList: body.tool_deny_list as Given["tool_deny_list"],
  };
}
