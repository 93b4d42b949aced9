/** What went through the gateway: sessions, their threads, interceptions, and filter values. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { NoParams, Timestamp, limitOf } from "./common.ts";
import { RequestTrail } from "./request-trail.ts";

/** More matches than this are counted as this many. */
export const COUNT_MAX = 10_000;

export const UsageUser = z.object({ id: z.uuid(), username: z.string(), name: z.string() });

/** Input excludes cached tokens, which stand beside it. */
export const TokenTotals = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_input_tokens: z.int(),
  cache_write_input_tokens: z.int(),
});

/** In micro-dollars. Null: not known, because a price is not known. */
export const CostMicros = z.int().nullable();

export const TokenUsage = z.object({
  ...TokenTotals.shape,
  cost_micros: CostMicros,
  id: z.uuid(),
  interception_id: z.uuid(),
  provider_response_id: z.string(),
  /** The provider's further token classes, such as `output_reasoning`. */
  metadata: z.record(z.string(), z.unknown()),
  created_at: Timestamp,
});

export const UserPrompt = z.object({
  id: z.uuid(),
  interception_id: z.uuid(),
  provider_response_id: z.string(),
  prompt: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  created_at: Timestamp,
});

export const ToolUsage = z.object({
  id: z.uuid(),
  interception_id: z.uuid(),
  provider_response_id: z.string(),
  provider_tool_call_id: z.string(),
  tool: z.string(),
  /** JSON text, or the raw text of a free-form tool. */
  input: z.string(),
  injected: z.boolean(),
  server_url: z.string().nullable(),
  invocation_error: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  created_at: Timestamp,
});

export const ModelThought = z.object({
  id: z.uuid(),
  interception_id: z.uuid(),
  content: z.string(),
  /** `thinking`, `reasoning_summary`, `reasoning` or `commentary`. */
  source: z.string(),
  created_at: Timestamp,
});

export const Interception = z.object({
  id: z.uuid(),
  api_key_id: z.string(),
  initiator: UsageUser,
  provider: z.string(),
  provider_name: z.string(),
  model: z.string(),
  client: z.string(),
  session_id: z.string(),
  client_session_id: z.string().nullable(),
  thread_parent_id: z.uuid().nullable(),
  thread_root_id: z.uuid().nullable(),
  credential_kind: z.enum(["centralized", "byok"]),
  credential_hint: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  started_at: Timestamp,
  ended_at: Timestamp,
  error_type: z.string().nullable(),
  error_message: z.string().nullable(),
  /** Null: not known. */
  trail: RequestTrail.nullable(),
  cost_micros: CostMicros,
  token_usages: z.array(TokenUsage),
  user_prompts: z.array(UserPrompt),
  tool_usages: z.array(ToolUsage),
  model_thoughts: z.array(ModelThought),
});

export const AiSession = z.object({
  id: z.string(),
  initiator: UsageUser,
  /** Provider types. */
  providers: z.array(z.string()),
  provider_names: z.array(z.string()),
  models: z.array(z.string()),
  client: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  started_at: Timestamp,
  /** Null while a request of the session is under way. */
  ended_at: Timestamp.nullable(),
  threads: z.int(),
  interceptions: z.int(),
  token_usage_summary: TokenTotals,
  /** Of the requests with a known price. Null: no request has one. */
  cost_micros: CostMicros,
  /** Requests whose price is not known: `cost_micros` is without them. */
  unpriced_requests: z.int(),
  last_prompt: z.string().nullable(),
  last_active_at: Timestamp,
  /** Requests that ended with an error. */
  errors: z.int(),
});

export const AgenticAction = z.object({
  interception_id: z.uuid(),
  model: z.string(),
  provider_name: z.string(),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
  token_usage: TokenTotals,
  cost_micros: CostMicros,
  tool_calls: z.array(
    ToolUsage.pick({
      tool: true,
      server_url: true,
      input: true,
      injected: true,
      provider_tool_call_id: true,
      created_at: true,
    }),
  ),
  thinking: z.array(z.string()),
  error_type: z.string().nullable(),
  error_message: z.string().nullable(),
  /** Null: not known, or not over. */
  trail: RequestTrail.nullable(),
});

export const AiThread = z.object({
  id: z.uuid(),
  prompt: z.string().nullable(),
  model: z.string(),
  provider: z.string(),
  provider_name: z.string(),
  credential_kind: z.enum(["centralized", "byok"]),
  credential_hint: z.string(),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
  token_usage: TokenTotals,
  /** Of the requests with a known price. Null: no request has one. */
  cost_micros: CostMicros,
  unpriced_requests: z.int(),
  error_type: z.string().nullable(),
  error_message: z.string().nullable(),
  agentic_actions: z.array(AgenticAction),
});

/** `key:value` terms separated by spaces; a value with spaces is written in double quotes. */
const Search = z.string().max(1_024).optional();

export const listAiSessions = endpoint({
  tag: "ai-usage",
  summary: "List sessions, latest activity first; without a wider role only your own",
  method: "GET",
  path: "/api/v2/ai-gateway/sessions",
  aliases: ["/api/v2/aibridge/sessions"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({
    limit: limitOf(100, 1_000),
    after_session_id: z.string().min(1).max(512).optional(),
    offset: z.coerce.number().int().min(0).max(100_000).optional(),
    /** initiator, provider, provider_name, model, client, session_id, started_after, started_before. */
    q: Search,
  }),
  body: null,
  success: {
    status: 200,
    /** `count` stops at 10,000. */
    body: z.object({ sessions: z.array(AiSession), count: z.int() }),
  },
  failures: [],
  audit: null,
});

export const getAiSession = endpoint({
  tag: "ai-usage",
  summary: "One session with a page of its threads, latest first",
  method: "GET",
  path: "/api/v2/ai-gateway/sessions/:session",
  aliases: ["/api/v2/aibridge/sessions/:session"],
  access: "signed_in",
  params: z.strictObject({ session: z.string().min(1).max(512) }),
  query: z.strictObject({
    limit: limitOf(50, 200),
    after_id: z.uuid().optional(),
    before_id: z.uuid().optional(),
    /** Whose, where two people used the same id: a user id or name. */
    initiator: z.string().min(1).max(64).optional(),
  }),
  body: null,
  success: {
    status: 200,
    body: z.object({ ...AiSession.shape, threads: z.array(AiThread), thread_count: z.int() }),
  },
  failures: [],
  audit: null,
});

export const listInterceptions = endpoint({
  tag: "ai-usage",
  summary: "List ended interceptions, latest start first; without a wider role only your own",
  method: "GET",
  path: "/api/v2/ai-gateway/interceptions",
  aliases: ["/api/v2/aibridge/interceptions"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({
    limit: limitOf(100, 1_000),
    after_id: z.uuid().optional(),
    /** initiator, provider, provider_name, model, client, session_id, started_after, started_before. */
    q: Search,
  }),
  body: null,
  success: { status: 200, body: z.object({ results: z.array(Interception), count: z.int() }) },
  failures: [],
  audit: null,
});

const filterValues = (what: "models" | "clients" | "providers", summary: string) =>
  endpoint({
    tag: "ai-usage",
    summary,
    method: "GET",
    path: `/api/v2/ai-gateway/${what}`,
    aliases: [`/api/v2/aibridge/${what}`],
    access: "signed_in",
    params: NoParams,
    query: z.strictObject({
      limit: limitOf(100, 1_000),
      /** Values that begin with this. */
      q: z.string().max(256).optional(),
    }),
    body: null,
    success: { status: 200, body: z.object({ results: z.array(z.string()), count: z.int() }) },
    failures: [],
    audit: null,
  });

export const listUsedModels = filterValues("models", "Models seen, for filters");
export const listUsedClients = filterValues("clients", "Clients seen, for filters");
export const listUsedProviders = filterValues("providers", "Provider names seen, for filters");
