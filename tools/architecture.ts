/**
 * The architecture as data. `npm run check` compares it with every import in the repository.
 * A new edge is a design decision: give the reason in the commit that adds it.
 */
export type World = "neutral" | "node";

/** lib → where its code runs, and the libs it may import. */
export const LIBS: Record<string, { readonly world: World; readonly uses: readonly string[] }> = {
  base: { world: "neutral", uses: [] },
  contract: { world: "neutral", uses: ["base"] },
  "model-wire": { world: "neutral", uses: ["base"] },
  database: { world: "node", uses: ["base"] },
  host: { world: "node", uses: ["base"] },
  tunnel: { world: "node", uses: ["base", "contract"] },
  testkit: { world: "node", uses: ["base", "database", "model-wire"] },
};

/** system → the libs it may import. Systems never import each other: they meet in `contract`. */
export const SYSTEMS: Record<string, readonly string[]> = {
  // No database: it could not query if it wanted to.
  gateway: ["base", "contract", "host", "model-wire"],
  "control-plane": ["base", "contract", "database", "host", "tunnel"],
  // Knows people, providers and workspaces by ports only; its tables are its own.
  "chat-daemon": ["base", "contract", "database", "host", "model-wire"],
  // Runs on people's machines: small, and nothing of the server.
  "workspace-agent": ["base", "contract", "tunnel"],
};

/** app → the systems and libs it may import. Of a system, only what stands beside its rooms. */
export const APPS: Record<string, readonly string[]> = {
  server: ["base", "contract", "database", "host", "control-plane", "gateway", "chat-daemon"],
  cli: ["base", "contract", "host", "tunnel"],
  dashboard: ["base", "contract"],
  "workspace-agent": ["base", "host", "workspace-agent"],
};

/** Apps that run in browsers: what they import has to run there too. */
export const BROWSER_APPS: readonly string[] = ["dashboard"];

/** system → room → the rooms it may import. */
export const ROOMS: Record<string, Record<string, readonly string[]>> = {
  gateway: {
    routing: [],
    // What several threads of one server know together: a leaf, like labels and timing.
    shared: [],
    callers: ["shared"],
    headers: ["callers", "routing"],
    keys: ["shared"],
    breaker: ["shared"],
    failures: ["keys"],
    upstream: [],
    labels: [],
    timing: [],
    observers: ["upstream"],
    tracing: ["observers", "upstream"],
    dump: ["labels", "observers", "upstream"],
    // An upstream client as any other: the relay sends to it without knowing of AWS.
    bedrock: ["upstream"],
    relay: [
      "routing",
      "callers",
      "headers",
      "shared",
      "keys",
      "breaker",
      "failures",
      "upstream",
      "labels",
      "timing",
      "observers",
      "tracing",
      "dump",
    ],
    // Clients' connections, read without node:http.
    listener: ["relay"],
    // Calls of this process itself, brought to the relay without a socket.
    delegated: ["relay"],
    // Tries providers out as requests would use them: their headers, routes and clients, not their keys' states.
    "provider-test": ["routing", "headers", "upstream"],
  },
  "control-plane": {
    access: [],
    audit: ["access"],
    http: ["access", "audit"],
    "audit-log": ["access", "audit", "http"],
    vault: [],
    deployment: ["access", "http"],
    organizations: [],
    users: ["access", "audit", "http", "organizations"],
    "sign-in": ["access", "audit", "http", "users"],
    "ai-providers": ["access", "audit", "http", "vault"],
    // A path names a provider here as it does there.
    "ai-user-keys": ["access", "audit", "http", "vault", "ai-providers"],
    /** What chats keep in the vault, without seeing it. */
    "chat-secrets": ["vault"],
    "record-spool": [],
    // Counting again what was recorded is written into the audit log.
    "ai-usage": ["access", "audit", "http", "record-spool"],
    "ai-prices": ["access", "audit", "http"],
    "connection-log": ["access", "http", "deployment"],
    workspaces: ["access", "audit", "http", "organizations", "deployment"],
    // Where the agents of workspaces are connected, and what users open to them.
    "workspace-links": ["access", "http", "deployment", "workspaces", "connection-log"],
    // What servers tell each other of chats that one drives and another shows.
    "chat-relay": ["http", "deployment"],
    // What people see and do in workspaces without a link: asks the machines by their port alone.
    "workspace-panel": ["audit", "http", "workspaces"],
    // Ports of workspaces on hosts of their own: asks the machines by their port alone, too.
    "workspace-previews": ["access", "http", "workspaces"],
  },
  "chat-daemon": {
    /** What messages consist of: pure readings of parts. */
    messages: [],
    /** The machine: the only code that changes a chat's execution state. */
    state: ["messages"],
    /** Parts that are being written: buffered for viewers of this server, kept for successors. */
    "live-parts": ["messages"],
    /** Which models there are, and the one choke point through which all are called. */
    models: [],
    /** What models were asked and answered, for people who look into it: written beside the work, or dropped. */
    "debug-runs": ["messages"],
    /** What administrators and people decide about chats. */
    "chat-settings": ["prompt"],
    /** What the model is sent, from committed history: pure. */
    prompt: ["messages"],
    /** What the model can call. */
    tools: ["messages"],
    /** Tool servers of other makers: who they are, and their tools as those of a chat. */
    mcp: ["tools", "messages"],
    /** One step after another: decide, call, retry, compact. */
    turn: [
      "messages",
      "state",
      "live-parts",
      "models",
      "prompt",
      "tools",
      "chat-settings",
      "debug-runs",
    ],
    /** Small model calls beside the turn: titles, labels. */
    quickgen: ["messages", "state", "models", "debug-runs"],
    /** Which chats this server drives. */
    worker: ["state", "live-parts", "turn"],
    /** What viewers are told. */
    "chat-stream": ["messages", "state", "live-parts"],
    /** What chats changed in their workspaces: looked at beside turns, by the connection of their tools. */
    diffs: ["state", "tools"],
    /** What people may spend on chats, and what they did. */
    spending: [],
    /** What was said in chats, as words that are searched. */
    search: [],
    /** With whom chats are shared. */
    sharing: [],
    /** Use cases of people. */
    chats: ["messages", "state", "prompt", "sharing"],
  },
  "workspace-agent": {
    effects: [],
    processes: ["effects"],
    /** What a path may look like, and what the machine's refusals mean. */
    paths: [],
    /** Changes below directories: for people's views of files, and for the state of git. */
    watching: ["paths"],
    files: ["effects", "paths", "watching"],
    terminals: [],
    git: ["paths", "watching"],
    ports: ["paths"],
    machine: ["paths"],
  },
};

/** role (the end of a file's name) → the roles it may import. Plain files are pure. */
export const ROLES: Record<string, readonly string[]> = {
  "": [""],
  "-store": ["", "-store"],
  "-actions": ["", "-store", "-actions"],
  "-task": ["", "-store", "-actions"],
  "-routes": ["", "-actions"],
  /** Moves bytes over sockets and files, and knows no database: what it needs of one is a parameter. */
  "-io": ["", "-io"],
};

/**
 * table → the room whose stores write it, and the rooms whose stores may also read it. Lists show
 * names beside ids, so many read `users`; nobody else writes it.
 */
export const TABLES: Record<
  string,
  { readonly owner: string; readonly readers: readonly string[] }
> = {
  organizations: { owner: "organizations", readers: ["workspaces"] },
  users: {
    owner: "users",
    readers: ["access", "audit", "ai-prices", "ai-usage", "ai-user-keys", "sign-in", "workspaces"],
  },
  api_keys: { owner: "sign-in", readers: ["access"] },
  audit_events: { owner: "audit", readers: [] },
  encryption_keys: { owner: "vault", readers: [] },
  ai_providers: { owner: "ai-providers", readers: ["ai-user-keys"] },
  ai_provider_keys: { owner: "ai-providers", readers: [] },
  user_ai_provider_keys: { owner: "ai-user-keys", readers: [] },
  ai_provider_changes: { owner: "ai-providers", readers: [] },
  ai_interceptions: { owner: "ai-usage", readers: [] },
  ai_token_usages: { owner: "ai-usage", readers: [] },
  ai_user_prompts: { owner: "ai-usage", readers: [] },
  ai_tool_usages: { owner: "ai-usage", readers: [] },
  ai_model_thoughts: { owner: "ai-usage", readers: [] },
  ai_sessions: { owner: "ai-usage", readers: [] },
  ai_filter_values: { owner: "ai-usage", readers: [] },
  ai_usage_totals: { owner: "ai-usage", readers: [] },
  ai_chat_totals: { owner: "ai-usage", readers: [] },
  ai_seen_models: { owner: "ai-usage", readers: ["ai-prices"] },
  // Requests are priced by the statement that records them.
  ai_model_prices: { owner: "ai-prices", readers: ["ai-usage"] },
  ai_price_tiers: { owner: "ai-prices", readers: ["ai-usage"] },
  workspaces: { owner: "workspaces", readers: [] },
  workspace_agents: { owner: "workspaces", readers: [] },
  workspace_links: { owner: "workspace-links", readers: ["workspaces"] },
  connection_log: { owner: "connection-log", readers: [] },
  replicas: {
    owner: "deployment",
    readers: ["ai-usage", "workspaces", "workspace-links", "connection-log"],
  },
  site_settings: { owner: "deployment", readers: [] },
  chats: {
    owner: "state",
    readers: [
      "access",
      "chats",
      "chat-stream",
      "worker",
      "turn",
      "quickgen",
      "live-parts",
      "spending",
      "sharing",
      "search",
      "debug-runs",
      "diffs",
    ],
  },
  // Lists show it beside the chat.
  chat_diff_statuses: { owner: "diffs", readers: ["chats"] },
  chat_messages: {
    owner: "state",
    readers: ["chats", "chat-stream", "turn", "quickgen", "search", "debug-runs"],
  },
  chat_queued_messages: { owner: "state", readers: ["chats", "chat-stream"] },
  chat_message_parts: { owner: "live-parts", readers: [] },
  chat_heartbeats: { owner: "state", readers: ["worker"] },
  chat_files: { owner: "chats", readers: ["state", "turn"] },
  chat_file_links: { owner: "state", readers: ["chats"] },
  chat_request_keys: { owner: "chats", readers: [] },
  chat_model_configs: { owner: "models", readers: ["state", "chats"] },
  chat_model_overrides: { owner: "models", readers: [] },
  chat_user_model_overrides: { owner: "models", readers: [] },
  chat_settings: { owner: "chat-settings", readers: [] },
  chat_user_settings: { owner: "chat-settings", readers: [] },
  // Written by triggers of the tables that turns go by.
  chat_turn_settings_version: { owner: "chat-settings", readers: [] },
  chat_words: { owner: "search", readers: ["chats"] },
  chat_readers: { owner: "sharing", readers: ["access", "chats"] },
  chat_debug_runs: { owner: "debug-runs", readers: [] },
  chat_debug_steps: { owner: "debug-runs", readers: [] },
  chat_usage_limit_config: { owner: "spending", readers: [] },
  chat_usage_limit_overrides: { owner: "spending", readers: [] },
  mcp_servers: { owner: "mcp", readers: [] },
  mcp_sign_ins: { owner: "mcp", readers: [] },
  mcp_sign_in_attempts: { owner: "mcp", readers: [] },
  mcp_calls: { owner: "mcp", readers: [] },
  chat_secrets: { owner: "chat-secrets", readers: [] },
  chat_prompt_prefixes: { owner: "turn", readers: [] },
};

/** What the path of a model request does without: measured, it costs many times the rest (bench/). */
export type HotPathRule = "web streams" | "whole JSON";

const SEES_ANSWERS = { "whole JSON": "answers beside the relay, event by event; never requests" };

/** Code that every model request runs through, and the files that may do what it does without. */
export const HOT_PATH: {
  readonly places: readonly string[];
  /** file → rule → why it is harmless there. */
  readonly exceptions: Readonly<Record<string, Partial<Record<HotPathRule, string>>>>;
} = {
  places: ["systems/gateway/src/**/*.ts", "libs/model-wire/src/**/*.ts"],
  exceptions: {
    "libs/model-wire/src/json-scanner.ts": { "whole JSON": "one string that has escapes" },
    "libs/model-wire/src/json-completion.ts": { "whole JSON": "tool input of a stream that broke" },
    "libs/model-wire/src/client-detection.ts": { "whole JSON": "one string, of a bounded length" },
    "libs/model-wire/src/loose-json.ts": { "whole JSON": "the reader; its callers are named here" },
    "libs/model-wire/src/observe-response.ts": SEES_ANSWERS,
    "libs/model-wire/src/chat-completions-observer.ts": SEES_ANSWERS,
    "libs/model-wire/src/messages-observer.ts": SEES_ANSWERS,
    "libs/model-wire/src/responses-observer.ts": SEES_ANSWERS,
    "systems/gateway/src/provider-test/test-plan.ts": { "whole JSON": "an operator waits for it" },
    "systems/gateway/src/provider-test/test-verdict.ts": {
      "whole JSON": "an operator waits for it",
    },
    "systems/gateway/src/bedrock/bedrock-error.ts": { "whole JSON": "an error's body, bounded" },
    "systems/gateway/src/bedrock/bedrock-stream.ts": {
      "whole JSON": "the envelope of each event, which has to be taken off",
    },
    "systems/gateway/src/bedrock/inference-profiles-io.ts": {
      "whole JSON": "an answer about a profile, once a while",
    },
    ...Object.fromEntries(
      ["in-process-transport-io", "memory-request-io", "memory-response-io"].map((name) => [
        `systems/gateway/src/delegated/${name}.ts`,
        { "web streams": "calls of this process, by libraries that speak fetch" },
      ]),
    ),
    "systems/gateway/src/delegated/memory-fetch-response.ts": {
      "web streams": "calls of this process, by libraries that speak fetch",
      "whole JSON": "where such a library asks for it",
    },
  },
};
