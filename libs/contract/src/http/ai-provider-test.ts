/** Testing a model provider: one tiny real call with each of its keys, and the result in words. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { MODEL_PROVIDER_TYPES, ModelProviderParams } from "./ai-providers.ts";
import { NoQuery } from "./common.ts";

/** `reachability`: without a credential. `credential`: costs nothing. `completion`: a few tokens. */
export const PROVIDER_CHECKS = ["reachability", "credential", "completion"] as const;
export type ProviderCheckKind = (typeof PROVIDER_CHECKS)[number];

export const PROVIDER_CHECK_OUTCOMES = [
  "ok",
  /** The name of the host was not found. */
  "dns",
  /** Nothing listens there. */
  "refused",
  /** No way there, or the connection was closed without an answer. */
  "unreachable",
  /** The connection could not be made safe. */
  "tls",
  "timeout",
  /** What answers does not speak this provider's protocol. */
  "not_a_provider",
  "redirected",
  /** 401: the key. */
  "unauthorized",
  /** 403: the key is known, but may not do this. */
  "forbidden",
  /** 404: the base URL or the model. */
  "not_found",
  /** 402 and 429: quota or credit. */
  "rate_limited",
  /** Another 4xx. */
  "rejected",
  "server_error",
  /** The person left, or the server stopped. */
  "cancelled",
] as const;
export type ProviderCheckOutcome = (typeof PROVIDER_CHECK_OUTCOMES)[number];

export const ProviderCheck = z.object({
  kind: z.enum(PROVIDER_CHECKS),
  outcome: z.enum(PROVIDER_CHECK_OUTCOMES),
  /** The provider's HTTP status. Null: there was none. */
  status: z.int().nullable(),
  latency_ms: z.int(),
  /** Of a completion. */
  model: z.string().nullable(),
  /** What the provider says, with the key masked. */
  message: z.string().nullable(),
  /** What happened, for people. */
  explanation: z.string(),
  /** What to do next. Null: nothing. */
  remedy: z.string().nullable(),
});

export const ProviderKeyTest = z.object({
  /** Null: without one of the provider's keys. */
  key: z.object({ id: z.uuid(), masked: z.string(), enabled: z.boolean() }).nullable(),
  passed: z.boolean(),
  checks: z.array(ProviderCheck),
  /** What was not tested and why, and what else an operator wants to know of the key. */
  notes: z.array(z.string()),
});

export const testModelProvider = endpoint({
  tag: "ai-providers",
  summary: "Test a model provider and its keys with tiny real requests",
  method: "POST",
  path: "/api/v2/ai/providers/:provider/test",
  access: "ai_provider:update",
  params: ModelProviderParams,
  query: NoQuery,
  body: z.strictObject({
    /** Asked for a completion. Absent: a cheap one, where the provider lists one that is known here. */
    model: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[\x21-\x7e]+$/, "Printable ASCII without spaces.")
      .optional(),
    /** The id of one key. Absent: all. */
    key: z.uuid().optional(),
  }),
  success: {
    status: 200,
    body: z.object({
      provider: z.object({ id: z.uuid(), name: z.string(), type: z.enum(MODEL_PROVIDER_TYPES) }),
      /** Something was tested, and all of it went well. */
      passed: z.boolean(),
      results: z.array(ProviderKeyTest),
      /** About the provider as a whole. */
      notes: z.array(z.string()),
    }),
  },
  failures: ["ai_provider.test_unavailable"],
  audit: { action: "write", resource: "ai_provider" },
});
