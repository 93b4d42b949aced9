/** The endpoints of tool servers: each to its use case. */
import { fail, ok } from "@atelier/base/result";
import type { createMcpServer } from "@atelier/contract/http/mcp-servers";
import type { RawAnswer } from "@atelier/contract/raw-body";
import type { MCP_SERVER_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type {
  EndpointService,
  ServiceCaller,
  ServiceRequest,
} from "@atelier/contract/rpc/endpoint-service";
import {
  changeServer,
  createServer,
  dropServer,
  readServers,
  type McpServerDeps,
} from "./mcp-server-actions.ts";
import { isToolAllowed, toWireServer, type McpServer } from "./mcp-server.ts";
import type { McpSignIns } from "./mcp-sign-in-actions.ts";
import { signedInPage, signInStateOf } from "./mcp-sign-in.ts";
import type { McpTools } from "./mcp-tools-actions.ts";

type Service = EndpointService<typeof MCP_SERVER_ENDPOINTS>;

export function mcpServerService(
  deps: McpServerDeps,
  { tools, signIns }: { readonly tools: McpTools; readonly signIns: McpSignIns },
): Service {
  /** A server as its administrator sees it. */
  const shown = async (server: McpServer, { userId }: ServiceCaller) => {
    const signIn = signInStateOf(server, await signIns.signedInTo(userId));
    return toWireServer(server, { all: true, signIn });
  };
  /** Null: this person has no chats, or there is no such server. */
  const seen = async (id: string, caller: ServiceCaller): Promise<McpServer | null> => {
    if (!caller.may("chat:read", caller.userId)) return null;
    return (await readServers(deps)).find((each) => each.id === id) ?? null;
  };
  return {
    listMcpServers: async ({ caller }) => {
      if (!caller.may("chat:read", caller.userId)) return fail({ code: "resource.not_found" });
      const seesAll = caller.may("chat_setting:read", null);
      const servers = (await readServers(deps)).filter(({ enabled }) => enabled || seesAll);
      const signedInTo = await signIns.signedInTo(caller.userId);
      const shownServers = servers.map((server) =>
        toWireServer(server, { all: seesAll, signIn: signInStateOf(server, signedInTo) }),
      );
      return ok({ servers: shownServers });
    },
    createMcpServer: async ({ body, audit, caller }) => {
      const { auth, ...fields } = body;
      const created = await createServer(deps, audit, { ...fieldsOf(fields), auth });
      return created.ok ? ok(await shown(created.value, caller)) : created;
    },
    updateMcpServer: async ({ params, body, audit, caller }) => {
      const { auth, ...fields } = body;
      const change = { ...fieldsOf(fields), auth };
      const changed = await changeServer(deps, audit, params.server, change);
      return changed.ok ? ok(await shown(changed.value, caller)) : changed;
    },
    deleteMcpServer: async ({ params, audit }) => dropServer(deps, audit, params.server),
    testMcpServer: async ({ params, signal, caller }) => {
      const tested = await tools.test(params.server, caller.userId, signal);
      if (tested === undefined) return fail({ code: "resource.not_found" });
      if (!tested.tools.ok) {
        return ok({ ok: false, message: tested.tools.failure.words, tools: [] });
      }
      const offered = tested.tools.value.map(({ name, description = "" }) => ({
        ...{ name, description },
        is_allowed: isToolAllowed(tested.server, name),
      }));
      return ok({ ok: true, tools: offered });
    },
    signInToMcpServer: async ({ params, caller, signal }) => {
      const server = await seen(params.server, caller);
      if (server === null || !server.enabled) return fail({ code: "resource.not_found" });
      const begun = await signIns.begin(server, caller.userId, signal);
      if (!begun.ok) return begun;
      const { authorizationUrl, expiresAt } = begun.value;
      return ok({ authorization_url: authorizationUrl, expires_at: expiresAt.toISOString() });
    },
    finishMcpSignIn: async ({ query, caller, audit }) => {
      const { state, code, iss, error } = query;
      const finished = await signIns.finish(audit, caller.userId, { state, code, iss, error });
      return finished.ok ? ok(pageOf(signedInPage(finished.value))) : finished;
    },
    signOutOfMcpServer: async ({ params, caller, audit }) => {
      const server = await seen(params.server, caller);
      if (server === null) return fail({ code: "resource.not_found" });
      await signIns.signOut(audit, server, caller.userId);
      return ok(undefined);
    },
  };
}

function pageOf(html: string): RawAnswer {
  const bytes = new TextEncoder().encode(html);
  return { bytes, mediaType: "text/html", fileName: "signed-in.html", isInline: true };
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
    transport: body.transport as Given["transport"],
    modelIntent: body.model_intent as Given["model_intent"],
    toolAllowList: body.tool_allow_list as Given["tool_allow_list"],
    toolDenyList: body.tool_deny_list as Given["tool_deny_list"],
  };
}
