/**
 * For tests: tool servers of chats on a real database, and a tool server as others write them, which tells
 * what it was asked with. With a gate it is one to which people sign in.
 */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Clock } from "@atelier/base/clock";
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { ChatSecrets } from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit } from "@atelier/contract/rpc/endpoint-service";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { chatWorld } from "../state/chat-world-testkit.ts";
import type { ToolContext } from "../tools/tool.ts";
import { callMcpTool, listMcpTools } from "./mcp-client-io.ts";
import { mcpAuthorizer } from "./mcp-oauth-io.ts";
import { createServer, type NewServer } from "./mcp-server-actions.ts";
import { McpSignIns } from "./mcp-sign-in-actions.ts";
import { McpTools, type McpClient } from "./mcp-tools-actions.ts";

/** Answers what is not for the tools. False: the tools answer. */
export type RemoteGate = (
  request: IncomingMessage & { readonly bodyText: string },
  response: ServerResponse,
) => Promise<boolean> | boolean;

export const NEW: Omit<NewServer, "url"> = {
  slug: "ours",
  displayName: "",
  description: "",
  enabled: true,
  availability: "default_off",
  allowInPlanMode: false,
  transport: "streamable_http",
  modelIntent: false,
  toolAllowList: [],
  toolDenyList: [],
  auth: { type: "none" },
};

export async function mcpWorld({ clock = systemClock }: { readonly clock?: Clock } = {}) {
  const world = await chatWorld();
  const { database } = world;
  const chat = await world.chatIn("R0");
  const remote = await startRemote();
  const kept = new Map<string, string>();
  const audited: unknown[] = [];
  const listed: string[] = [];
  const secrets: ChatSecrets = {
    put: async (_transaction, id, value) => {
      kept.set(id, value);
    },
    remove: async (_transaction, id) => {
      kept.delete(id);
    },
    read: async (id) => {
      const value = kept.get(id);
      return value === undefined ? undefined : new Secret(value);
    },
  };
  const asking = { clock: systemClock, fetch, version: "1.2.3" };
  const client: McpClient = {
    listTools: (target, signal) => {
      listed.push(target.url);
      return listMcpTools(asking, target, signal);
    },
    callTool: (target, call, signal) => callMcpTool(asking, target, call, signal),
  };
  const audit: ServiceAudit = {
    attempted: () => {},
    record: async (_transaction, change) => {
      audited.push(change);
    },
  };
  const deps = { database, clock, random: systemRandom, secrets };
  /** As another server of the deployment has them. */
  const serve = () => {
    const authorizer = mcpAuthorizer({ clock: systemClock, fetch });
    const log = silentLogger;
    const signIns = new McpSignIns({ ...deps, log, authorizer, accessUrl: ACCESS_URL });
    return { signIns, tools: new McpTools({ ...deps, log, client, signIns }) };
  };
  const { ownerId } = world;
  return {
    ...{ ...deps, ...serve(), client, ownerId, remote, kept, audited, listed, audit, serve },
    /** Of a new call. */
    context: () =>
      ({
        chat,
        callId: randomUUID(),
        signal: new AbortController().signal,
      }) as unknown as ToolContext,
    add: async (given: Partial<NewServer>) => {
      const made = await createServer(deps, audit, { ...NEW, url: remote.url, ...given });
      assert.ok(made.ok);
      return made.value;
    },
    [Symbol.asyncDispose]: async () => {
      await remote[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

export const ACCESS_URL = "https://atelier.example.com";

/** A tool server as others write them, and the headers that it was asked with. */
export async function startRemote(gate?: RemoteGate, offer: () => McpServer = remoteTools) {
  const seen: IncomingHttpHeaders[] = [];
  const handler = createMcpHandler(offer);
  const http = createHttpServer();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.push(request.headers);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bodyText = Buffer.concat(chunks).toString();
    if ((await gate?.(Object.assign(request, { bodyText }), response)) === true) return;
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const answer = await handler.fetch(
      new Request(`http://${request.headers.host ?? ""}${request.url ?? ""}`, {
        method: request.method ?? "GET",
        headers: request.headers as Record<string, string>,
        ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  http.on("request", (request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  return {
    seen,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      http.closeAllConnections();
      http.close();
    },
  };
}

/** One tool, whose calls are not to be repeated. */
export function addingTool(): McpServer {
  const server = new McpServer({ name: "remote", version: "1" });
  const numbers = z.object({ a: z.number(), b: z.number() });
  server.registerTool("add", { description: "Adds", inputSchema: numbers }, async ({ a, b }) => ({
    content: [{ type: "text", text: String(a + b) }],
  }));
  return server;
}

/** What each remote offers. */
export function remoteTools(): McpServer {
  const server = addingTool();
  server.registerTool("fail", { description: "Fails" }, async () => ({
    content: [{ type: "text", text: "no luck" }],
    isError: true,
  }));
  const annotations = { readOnlyHint: true };
  server.registerTool("look", { description: "Looks", annotations }, async () => ({
    content: [{ type: "text", text: "seen" }],
  }));
  server.registerTool("drop everything", { description: "Harms" }, async () => ({ content: [] }));
  return server;
}
