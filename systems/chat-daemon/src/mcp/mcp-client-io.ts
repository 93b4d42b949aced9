/**
 * Asks tool servers: over streamable HTTP or the older HTTP with server-sent events, with one connection
 * per question, so that nothing is held open between the steps of a chat. The library is loaded when the
 * first server is asked.
 */
import type * as library from "@modelcontextprotocol/client";
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import type {
  CallToolResult,
  Client,
  FetchLike,
  Tool,
  Transport,
} from "@modelcontextprotocol/client";
import type { McpFailure } from "./mcp-server.ts";

export type McpTarget = {
  readonly url: string;
  readonly transport: "streamable_http" | "sse";
  readonly headers: Readonly<Record<string, string>>;
};

export type McpClientDeps = {
  readonly clock: Clock;
  readonly fetch: ModelFetch;
  readonly version: string;
};

export type McpTool = Pick<Tool, "name" | "description" | "inputSchema" | "annotations">;

const CONNECT_MS_MAX = 10_000;
const CALL_MS_MAX = 60_000;
const TOOLS_MAX = 500;

/** All of its tools. */
export function listMcpTools(
  deps: McpClientDeps,
  target: McpTarget,
  signal: AbortSignal,
): Promise<Result<readonly McpTool[], McpFailure>> {
  return asked(deps, { ms: CONNECT_MS_MAX, signal }, (limit) =>
    connected(deps, { target, limit, ms: CONNECT_MS_MAX }, async (client) => {
      const tools: McpTool[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.listTools(cursor === undefined ? {} : { cursor }, {
          signal: limit,
        });
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor !== undefined && tools.length < TOOLS_MAX);
      return tools.slice(0, TOOLS_MAX);
    }),
  );
}

export function callMcpTool(
  deps: McpClientDeps,
  target: McpTarget,
  call: { readonly name: string; readonly args: Record<string, unknown> },
  signal: AbortSignal,
): Promise<Result<CallToolResult, McpFailure>> {
  return asked(deps, { ms: CALL_MS_MAX, signal }, (limit) =>
    connected(deps, { target, limit, ms: CALL_MS_MAX }, (client) =>
      client.callTool(
        { name: call.name, arguments: call.args },
        { signal: limit, timeout: CALL_MS_MAX },
      ),
    ),
  );
}

async function connected<Value>(
  { fetch, version }: McpClientDeps,
  {
    target,
    limit,
    ms,
  }: { readonly target: McpTarget; readonly limit: AbortSignal; readonly ms: number },
  ask: (client: Client) => Promise<Value>,
): Promise<Value> {
  const loaded = await import("@modelcontextprotocol/client");
  const client = new loaded.Client({ name: "atelier", version });
  let refused: number | null = null;
  const transport = transportTo(loaded, target, async (input, init) => {
    const answer = await fetch(input, init);
    if (answer.status >= 400) refused = answer.status;
    return answer;
  });
  // Whoever waits for an event stream to begin is not told of the limit by the library.
  const cut = (): void => {
    transport.close().catch(() => {});
  };
  limit.addEventListener("abort", cut, { once: true });
  try {
    await client.connect(transport, { signal: limit, timeout: Math.min(ms, CONNECT_MS_MAX) });
    return await ask(client);
  } catch (error) {
    // The older transport says so in words only, and quotes the server in them.
    if (target.transport === "sse" && refused !== null) throw new RefusedByServer(refused);
    throw error;
  } finally {
    limit.removeEventListener("abort", cut);
    await client.close();
  }
}

class RefusedByServer extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

function transportTo(
  { StreamableHTTPClientTransport, SSEClientTransport }: typeof library,
  { url, transport, headers }: McpTarget,
  fetch: FetchLike,
): Transport {
  const options = { fetch, requestInit: { headers: { ...headers } } };
  return transport === "sse"
    ? new SSEClientTransport(new URL(url), options)
    : new StreamableHTTPClientTransport(new URL(url), options);
}

async function asked<Value>(
  deps: McpClientDeps,
  limits: { readonly ms: number; readonly signal: AbortSignal },
  work: (limit: AbortSignal) => Promise<Value>,
): Promise<Result<Value, McpFailure>> {
  const done = await within(deps, limits, (limit) =>
    work(limit).then(ok, (error: unknown) => {
      if (limit.aborted) throw error;
      return fail({ words: wordsOf(error), isRefused: statusOf(error) === 401 });
    }),
  );
  return done.ok ? done.value : fail({ words: done.failure, isRefused: false });
}

/** Fails only with the time, also where the library would wait on. Else what is thrown goes on. */
export async function within<Value>(
  { clock }: Pick<McpClientDeps, "clock">,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
  work: (limit: AbortSignal) => Promise<Value>,
): Promise<Result<Value, string>> {
  signal.throwIfAborted();
  const done = new AbortController();
  const limit = new AbortController();
  const late = clock.sleep(ms, AbortSignal.any([signal, done.signal])).then(
    () => limit.abort(),
    () => {},
  );
  const either = AbortSignal.any([signal, limit.signal]);
  const cut = new Promise<never>((_resolve, reject) => {
    either.addEventListener("abort", () => reject(either.reason as Error), { once: true });
  });
  try {
    return ok(await Promise.race([work(either), cut]));
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.signal.aborted) throw error;
    return fail(`It did not answer within ${ms / 1_000} s.`);
  } finally {
    done.abort();
    await late;
  }
}

const WORDS_LENGTH_MAX = 300;

/** Of the refusal; answers of servers may repeat what they were sent, so none of them is quoted. */
function wordsOf(error: unknown): string {
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    return `It refuses the credentials (HTTP ${status}): an administrator has to renew them.`;
  }
  if (status !== null) return `It answers HTTP ${status}.`;
  const message = error instanceof Error ? error.message : "unknown";
  return message.slice(0, WORDS_LENGTH_MAX);
}

function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null) return null;
  if ("status" in error && typeof error.status === "number") return error.status;
  if (!("data" in error) || typeof error.data !== "object" || error.data === null) return null;
  return "status" in error.data && typeof error.data.status === "number" ? error.data.status : null;
}
