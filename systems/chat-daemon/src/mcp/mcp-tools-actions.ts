/**
 * The tools of tool servers, as tools of a chat. What a server offers is asked for at the beginning of a
 * step and then remembered for a minute, also that it did not answer: a server that is away costs one wait.
 */
import type { Logger } from "@atelier/base/logger";
import type { Result } from "@atelier/base/result";
import { z } from "zod";
import type { ChatTool, ToolOutcome } from "../tools/tool.ts";
import {
  isToolAllowed,
  kindsOfServer,
  serversOfChat,
  toolNameOn,
  type McpServer,
} from "./mcp-server.ts";
import type { McpServerDeps } from "./mcp-server-actions.ts";
import { beginCall } from "./mcp-call-store.ts";
import { findServer, listServers } from "./mcp-server-store.ts";

export type McpTool = {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
  readonly annotations?: ToolHints | undefined;
};

export type ToolHints = {
  readonly readOnlyHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
};

export type McpTarget = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** What a call came to: spec of the protocol, as far as models are told of it. */
export type McpResult = {
  readonly content: readonly { readonly type: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
};

export interface McpClient {
  /** Else what went wrong. */
  listTools(target: McpTarget, signal: AbortSignal): Promise<Result<readonly McpTool[], string>>;
  callTool(
    target: McpTarget,
    call: { readonly name: string; readonly args: Record<string, unknown> },
    signal: AbortSignal,
  ): Promise<Result<McpResult, string>>;
}

export type McpToolsDeps = Pick<McpServerDeps, "database" | "clock" | "secrets"> & {
  readonly log: Logger;
  readonly client: McpClient;
};

type Offer = {
  readonly untilMs: number;
  readonly version: number;
  readonly tools: readonly McpTool[];
};

const INTERRUPTED =
  "The call was begun before and cut off: whether it did anything is unknown. Find out before you call it again.";

function isRepeatable({ annotations }: McpTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

const REMEMBERED_MS = 60_000;

export class McpTools {
  readonly #deps: McpToolsDeps;
  readonly #offers = new Map<string, Promise<Offer>>();

  constructor(deps: McpToolsDeps) {
    this.#deps = deps;
  }

  /** Of all servers that the chat has, side by side; by name. */
  async toolsOf(chat: { readonly mcpServerIds: readonly string[] }): Promise<readonly ChatTool[]> {
    const servers = serversOfChat(await listServers(this.#deps.database.sql), chat.mcpServerIds);
    const offered = await Promise.all(
      servers.map(async (server) => {
        const tools = await this.#offerOf(server);
        return tools
          .filter(({ name }) => isToolAllowed(server, name))
          .map((tool) => this.#toolOf(server, tool));
      }),
    );
    const tools = offered.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return tools.filter(({ name }, index) => {
      if (tools[index - 1]?.name !== name) return true;
      this.#deps.log.warn(
        { tool: name },
        "two tools have the same name once shortened: one is left out",
      );
      return false;
    });
  }

  /** For administrators: asked now, whatever is remembered. */
  async test(
    id: string,
    signal: AbortSignal,
  ): Promise<
    { readonly server: McpServer; readonly tools: Result<readonly McpTool[], string> } | undefined
  > {
    const server = await findServer(this.#deps.database.sql, id);
    if (server === undefined) return undefined;
    this.#offers.delete(id);
    return {
      server,
      tools: await this.#deps.client.listTools(await this.#targetOf(server), signal),
    };
  }

  async #offerOf(server: McpServer): Promise<readonly McpTool[]> {
    const nowMs = this.#deps.clock.monotonicMs();
    const version = server.updatedAt.getTime();
    const known = await this.#offers.get(server.id);
    if (known !== undefined && known.version === version && nowMs < known.untilMs)
      return known.tools;
    const asked = this.#ask(server);
    this.#offers.set(server.id, asked);
    return (await asked).tools;
  }

  async #ask(server: McpServer): Promise<Offer> {
    const { log, client, clock } = this.#deps;
    let tools: readonly McpTool[] = [];
    try {
      // Many chats may wait for the answer: no single one cancels it.
      const target = await this.#targetOf(server);
      const listed = await client.listTools(target, new AbortController().signal);
      if (listed.ok) tools = listed.value;
      else log.warn({ server: server.slug, reason: listed.failure }, "a tool server is left out");
    } catch (error) {
      log.error({ err: error, server: server.slug }, "a tool server could not be asked");
    }
    const untilMs = clock.monotonicMs() + REMEMBERED_MS;
    return { untilMs, version: server.updatedAt.getTime(), tools };
  }

  async #targetOf(server: McpServer): Promise<McpTarget> {
    if (server.authType === "none") return { url: server.url, headers: {} };
    const secret = await this.#deps.secrets.read(server.id);
    const headers = secret === undefined ? {} : Headers.parse(JSON.parse(secret.reveal()));
    return { url: server.url, headers };
  }

  #toolOf(server: McpServer, tool: McpTool): ChatTool {
    return {
      name: toolNameOn(server, tool.name),
      description: tool.description ?? "",
      input: z.record(z.string(), z.unknown()),
      inputSchema: tool.inputSchema,
      kinds: kindsOfServer(server),
      run: async (input, { chat, callId, signal }) => {
        const { database, clock } = this.#deps;
        const call = { chatId: chat.id, callId, now: clock.now() };
        if (!(await beginCall(database.sql, call)) && !isRepeatable(tool)) {
          return { kind: "error", message: INTERRUPTED };
        }
        const args = input as Record<string, unknown>; // Parsed by `input`.
        const target = await this.#targetOf(server);
        const called = await this.#deps.client.callTool(target, { name: tool.name, args }, signal);
        if (called.ok) return outcomeOf(called.value);
        return { kind: "error", message: `${server.slug}: ${called.failure}` };
      },
    };
  }
}

const Headers = z.record(z.string(), z.string());
const Text = z.object({ type: z.literal("text"), text: z.string() });
const Image = z.object({ type: z.literal("image"), data: z.string(), mimeType: z.string() });
const Resource = z.object({
  type: z.literal("resource"),
  resource: z.object({ uri: z.string(), text: z.string() }),
});
const Link = z.object({ type: z.literal("resource_link"), uri: z.string() });
const MODEL_IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** Texts and the first image: more than one image at a time no result holds. */
export function outcomeOf(result: McpResult): ToolOutcome {
  const text = result.content
    .map(textOf)
    .filter((each) => each !== "")
    .join("\n");
  if (result.isError === true) return { kind: "error", message: text === "" ? "It failed." : text };
  const image = result.content
    .map((part) => Image.safeParse(part).data)
    .find((each) => each !== undefined);
  if (image !== undefined && MODEL_IMAGES.has(image.mimeType)) {
    const { data, mimeType: mediaType } = image;
    return { kind: "media", mediaType, data, ...(text === "" ? {} : { text }) };
  }
  if (result.structuredContent !== undefined && text === "") {
    return { kind: "json", value: result.structuredContent };
  }
  return { kind: "text", text };
}

function textOf(part: { readonly type: string }): string {
  switch (part.type) {
    case "text":
      return Text.safeParse(part).data?.text ?? "";
    case "resource":
      return Resource.safeParse(part).data?.resource.text ?? "[a resource that is no text]";
    case "resource_link":
      return Link.safeParse(part).data?.uri ?? "";
    case "image":
      return "";
    default:
      return `[${part.type} content is not shown]`;
  }
}
