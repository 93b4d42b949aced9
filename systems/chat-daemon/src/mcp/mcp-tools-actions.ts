/**
 * The tools of tool servers, as tools of a chat. What a server offers is asked for at the beginning of a
 * step and then remembered for a minute, also that it did not answer: a server that is away costs one wait.
 */
import type { Logger } from "@atelier/base/logger";
import { fail, type Result } from "@atelier/base/result";
import { z } from "zod";
import type { ChatTool, ToolOutcome } from "../tools/tool.ts";
import {
  isToolAllowed,
  kindsOfServer,
  serversOfChat,
  toolNameOn,
  type McpChat,
  type McpFailure,
  type McpServer,
} from "./mcp-server.ts";
import type { McpServerDeps } from "./mcp-server-actions.ts";
import type { McpSignIns } from "./mcp-sign-in-actions.ts";
import { nameOf, needsSignIn } from "./mcp-sign-in.ts";
import { beginCall } from "./mcp-call-store.ts";
import { canTakeIntent, withIntent, withoutIntent } from "./model-intent.ts";
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
  readonly transport: McpServer["transport"];
  readonly headers: Readonly<Record<string, string>>;
};

/** What a call came to: spec of the protocol, as far as models are told of it. */
export type McpResult = {
  readonly content: readonly { readonly type: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
};

export interface McpClient {
  listTools(
    target: McpTarget,
    signal: AbortSignal,
  ): Promise<Result<readonly McpTool[], McpFailure>>;
  callTool(
    target: McpTarget,
    call: { readonly name: string; readonly args: Record<string, unknown> },
    signal: AbortSignal,
  ): Promise<Result<McpResult, McpFailure>>;
}

export type McpToolsDeps = Pick<McpServerDeps, "database" | "clock" | "secrets"> & {
  readonly log: Logger;
  readonly client: McpClient;
  readonly signIns: Pick<McpSignIns, "accessToken" | "signIns">;
};

/** Whom a server is asked as: one with credentials of its own is asked as the same for everybody. */
type Asker = { readonly userId: string; readonly signInId: string } | null;

type Offer = {
  readonly untilMs: number;
  readonly version: number;
  /** Null: the person has to sign in. */
  readonly tools: readonly McpTool[] | null;
};

const INTERRUPTED =
  "The call was begun before and cut off: whether it did anything is unknown. Find out before you call it again.";

function isRepeatable({ annotations }: McpTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

const REMEMBERED_MS = 60_000;
/** Of people who are signed in, each has offers of their own. */
const OFFERS_MAX = 2_000;

export class McpTools {
  readonly #deps: McpToolsDeps;
  readonly #offers = new Map<string, Promise<Offer>>();

  constructor(deps: McpToolsDeps) {
    this.#deps = deps;
  }

  /** Of all servers that the chat has, side by side; by name. `read`: the servers, where they were just read. */
  async toolsOf(chat: McpChat, read?: readonly McpServer[]): Promise<readonly ChatTool[]> {
    const all = read ?? (await listServers(this.#deps.database.sql));
    const servers = serversOfChat(all, chat);
    if (servers.length === 0) return [];
    const askers = await this.#askers(servers, chat.ownerId);
    const offered = await Promise.all(
      servers.map(async (server) => {
        const asker = askers.get(server.id);
        const tools = asker === undefined ? null : await this.#offerOf(server, asker);
        if (tools === null) return [signInTool(server)];
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

  /** For administrators: asked now, whatever is remembered, and as the one who asks. */
  async test(
    id: string,
    userId: string,
    signal: AbortSignal,
  ): Promise<
    | { readonly server: McpServer; readonly tools: Result<readonly McpTool[], McpFailure> }
    | undefined
  > {
    const server = await findServer(this.#deps.database.sql, id);
    if (server === undefined) return undefined;
    this.#offers.delete(id);
    const { client } = this.#deps;
    const tools = await this.#asked(server, userId, (target) => client.listTools(target, signal));
    return { server, tools };
  }

  /** No entry: the person has to sign in there. */
  async #askers(
    servers: readonly McpServer[],
    userId: string,
  ): Promise<ReadonlyMap<string, Asker>> {
    const isAnySignedInTo = servers.some(({ authType }) => authType === "oauth2");
    const signIns = isAnySignedInTo ? await this.#deps.signIns.signIns(userId) : [];
    return new Map([
      ...servers
        .filter(({ authType }) => authType !== "oauth2")
        .map(({ id }): [string, Asker] => [id, null]),
      ...signIns.map(({ serverId, id }): [string, Asker] => [serverId, { userId, signInId: id }]),
    ]);
  }

  async #offerOf(server: McpServer, asker: Asker): Promise<Offer["tools"]> {
    const nowMs = this.#deps.clock.monotonicMs();
    const version = server.updatedAt.getTime();
    const key = asker === null ? server.id : asker.signInId;
    const known = await this.#offers.get(key);
    if (known !== undefined && known.version === version && nowMs < known.untilMs)
      return known.tools;
    const asked = this.#ask(server, asker);
    this.#offers.delete(key);
    this.#offers.set(key, asked);
    for (const oldest of this.#offers.keys()) {
      if (this.#offers.size <= OFFERS_MAX) break;
      this.#offers.delete(oldest);
    }
    return (await asked).tools;
  }

  async #ask(server: McpServer, asker: Asker): Promise<Offer> {
    const { log, client, clock } = this.#deps;
    let tools: Offer["tools"] = [];
    try {
      // Many chats may wait for the answer: no single one cancels it.
      const { signal } = new AbortController();
      const userId = asker?.userId ?? null;
      const listed = await this.#asked(server, userId, (target) =>
        client.listTools(target, signal),
      );
      if (listed.ok) tools = listed.value;
      else {
        const { words: reason, isRefused } = listed.failure;
        log.warn({ server: server.slug, reason }, "a tool server is left out");
        if (isRefused && asker !== null) tools = null;
      }
    } catch (error) {
      log.error({ err: error, server: server.slug }, "a tool server could not be asked");
    }
    const untilMs = clock.monotonicMs() + REMEMBERED_MS;
    return { untilMs, version: server.updatedAt.getTime(), tools };
  }

  /** With credentials. A sign-in that is refused is renewed, once. */
  async #asked<Value>(
    server: McpServer,
    userId: string | null,
    ask: (target: McpTarget) => Promise<Result<Value, McpFailure>>,
  ): Promise<Result<Value, McpFailure>> {
    if (server.authType !== "oauth2") return ask(await this.#targetOf(server));
    if (userId === null) return fail({ words: needsSignIn(server), isRefused: true });
    let refused: string | undefined;
    for (;;) {
      const token = await this.#deps.signIns.accessToken(server, userId, refused);
      if (!token.ok) return token;
      const headers = { Authorization: `Bearer ${token.value}` };
      const answer = await ask({ ...wayTo(server), headers });
      if (answer.ok || !answer.failure.isRefused) return answer;
      if (refused !== undefined) return fail({ words: needsSignIn(server), isRefused: true });
      refused = token.value;
    }
  }

  async #targetOf(server: McpServer): Promise<McpTarget> {
    if (server.authType === "none") return { ...wayTo(server), headers: {} };
    const secret = await this.#deps.secrets.read(server.id);
    const headers = secret === undefined ? {} : Headers.parse(JSON.parse(secret.reveal()));
    return { ...wayTo(server), headers };
  }

  #toolOf(server: McpServer, tool: McpTool): ChatTool {
    const asksIntent = server.modelIntent && canTakeIntent(tool.inputSchema);
    return {
      name: toolNameOn(server, tool.name),
      description: tool.description ?? "",
      input: z.record(z.string(), z.unknown()),
      inputSchema: asksIntent ? withIntent(tool.inputSchema) : tool.inputSchema,
      kinds: kindsOfServer(server),
      run: async (input, { chat, callId, signal }) => {
        const { database, clock, client } = this.#deps;
        const call = { chatId: chat.id, callId, now: clock.now() };
        if (!(await beginCall(database.sql, call)) && !isRepeatable(tool)) {
          return { kind: "error", message: INTERRUPTED };
        }
        const given = input as Record<string, unknown>; // Parsed by `input`.
        const args = asksIntent ? withoutIntent(given) : given;
        const called = await this.#asked(server, chat.ownerId, (target) =>
          client.callTool(target, { name: tool.name, args }, signal),
        );
        if (called.ok) return outcomeOf(called.value);
        return { kind: "error", message: `${server.slug}: ${called.failure.words}` };
      },
    };
  }
}

function wayTo({ url, transport }: McpServer): Pick<McpTarget, "url" | "transport"> {
  return { url, transport };
}

/** In the place of its tools: the model learns why they are not there, and what to tell the person. */
function signInTool(server: McpServer): ChatTool {
  return {
    name: toolNameOn(server, "needs_sign_in"),
    description: `${nameOf(server)} needs sign-in before its tools can be used. Gives the words to tell the person.`,
    input: z.unknown(),
    inputSchema: { type: "object", properties: {} },
    kinds: kindsOfServer(server),
    run: async () => ({ kind: "error", message: needsSignIn(server) }),
  };
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
