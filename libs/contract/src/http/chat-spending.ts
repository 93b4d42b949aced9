/** What people may spend on chats, and what chats cost by person, model and chat: spec agents 4.9. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { UsageUser } from "./ai-usage.ts";
import { limitOf, NoParams, NoQuery, Timestamp, UserParams } from "./common.ts";

/** When a period ends, all begin at nothing again. Periods begin at midnight UTC, weeks on Mondays. */
export const SPENDING_PERIODS = ["day", "week", "month"] as const;
export type SpendingPeriod = (typeof SPENDING_PERIODS)[number];

/** A million dollars: above it somebody mistook the unit. */
export const SPEND_LIMIT_MICROS_MAX = 1_000_000_000_000;

/** Longest span that one answer sums up. */
export const CHAT_COST_DAYS_MAX = 366;

const Period = z.enum(SPENDING_PERIODS);
const Micros = z.int().min(0).max(SPEND_LIMIT_MICROS_MAX);

const CHANGE = { action: "write", resource: "chat_setting" } as const;

export const ChatUsageLimits = z.object({
  /** False: nobody is limited, whatever else is set. */
  enabled: z.boolean(),
  /** Of everybody without a limit of their own. 0: they send nothing. */
  default_limit_micros: Micros,
  period: Period,
});
export type ChatUsageLimits = z.output<typeof ChatUsageLimits>;

const LIMITS = {
  tag: "chat spending",
  path: "/api/v2/chats/usage-limits",
  aliases: ["/api/experimental/chats/usage-limits"],
  params: NoParams,
  query: NoQuery,
  failures: [],
} as const;

const LimitsAnswer = ChatUsageLimits.extend({
  /** False: chats ask models past the gateway, nothing is recorded, and no limit can hold. */
  costs_recorded: z.boolean(),
});

export const getChatUsageLimits = endpoint({
  ...LIMITS,
  summary: "What people may spend on chats",
  method: "GET",
  access: "chat_setting:read",
  body: null,
  success: { status: 200, body: LimitsAnswer },
  audit: null,
});

export const putChatUsageLimits = endpoint({
  ...LIMITS,
  summary: "Limit what people may spend on chats, or stop limiting it",
  method: "PUT",
  access: "chat_setting:update",
  body: z.strictObject({
    enabled: z.boolean(),
    default_limit_micros: Micros,
    period: Period.default("month"),
  }),
  success: { status: 200, body: LimitsAnswer },
  audit: CHANGE,
});

const Override = z.object({ user: UsageUser, spend_limit_micros: Micros });
export type ChatUsageLimitOverride = z.output<typeof Override>;

export const listChatUsageLimitOverrides = endpoint({
  tag: "chat spending",
  summary: "People with a limit of their own",
  method: "GET",
  path: "/api/v2/chats/usage-limits/overrides",
  aliases: ["/api/experimental/chats/usage-limits/overrides"],
  access: "chat_setting:read",
  params: NoParams,
  query: z.strictObject({ limit: limitOf(200, 1_000), after_id: z.uuid().optional() }),
  body: null,
  success: { status: 200, body: z.object({ overrides: z.array(Override), count: z.int() }) },
  failures: [],
  audit: null,
});

const OVERRIDE = {
  tag: "chat spending",
  path: "/api/v2/chats/usage-limits/overrides/:user",
  aliases: ["/api/experimental/chats/usage-limits/overrides/:user"],
  access: "chat_setting:update",
  params: UserParams,
  query: NoQuery,
  failures: [],
} as const;

export const putChatUsageLimitOverride = endpoint({
  ...OVERRIDE,
  summary: "Give a person a limit of their own",
  method: "PUT",
  body: z.strictObject({ spend_limit_micros: Micros.positive() }),
  success: { status: 200, body: Override },
  audit: CHANGE,
});

export const deleteChatUsageLimitOverride = endpoint({
  ...OVERRIDE,
  summary: "Take a person's own limit away: everybody's counts again",
  method: "DELETE",
  body: null,
  success: { status: 204, body: null },
  audit: { action: "delete", resource: "chat_setting" },
});

export const getChatUsageLimitStatus = endpoint({
  tag: "chat spending",
  summary: "What you spent on chats in this period, and may",
  method: "GET",
  path: "/api/v2/chats/usage-limits/status",
  aliases: ["/api/experimental/chats/usage-limits/status"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      /** Whether a limit holds for you. */
      is_limited: z.boolean(),
      period: Period,
      /** When this period began. */
      from: Timestamp,
      resets_at: Timestamp,
      /** Of requests with a known price. */
      spent_micros: z.int(),
      /** Null: there is none. */
      limit_micros: z.int().nullable(),
      /** Requests whose price is not known: `spent_micros` is without them. */
      unpriced_request_count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});

/** In micro-dollars, as the gateway recorded it. */
const COST = {
  /** Of requests with a known price. Null: there are requests, and none has one. */
  total_cost_micros: z.int().nullable(),
  request_count: z.int(),
  /** Requests whose price is not known: `total_cost_micros` is without them. */
  unpriced_request_count: z.int(),
};

/** Days of UTC. Without them: 30 days, the last one today. */
const SPAN = {
  start_date: z.iso.date().optional(),
  /** The last day, which is included. */
  end_date: z.iso.date().optional(),
};
const SpanAnswer = { start_date: z.iso.date(), end_date: z.iso.date() };

export const listChatCosts = endpoint({
  tag: "chat spending",
  summary: "What chats cost by person, the dearest first",
  method: "GET",
  path: "/api/v2/chats/cost/users",
  aliases: ["/api/experimental/chats/cost/users"],
  access: "ai_usage:read",
  params: NoParams,
  query: z.strictObject({
    ...SPAN,
    limit: limitOf(50, 1_000),
    offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  }),
  body: null,
  success: {
    status: 200,
    body: z.object({
      ...SpanAnswer,
      users: z.array(z.object({ user: UsageUser, ...COST })),
      count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});

/** The dearest, in a summary. */
export const COST_SUMMARY_ROWS_MAX = 100;

export const getChatCostSummary = endpoint({
  tag: "chat spending",
  summary: "What a person's chats cost, by model and by chat",
  method: "GET",
  path: "/api/v2/chats/cost/:user/summary",
  aliases: ["/api/experimental/chats/cost/:user/summary"],
  access: "ai_usage:read",
  params: UserParams,
  query: z.strictObject(SPAN),
  body: null,
  success: {
    status: 200,
    body: z.object({
      ...SpanAnswer,
      ...COST,
      /** At most 100, the dearest first. */
      by_model: z.array(z.object({ model: z.string(), provider: z.string(), ...COST })),
      /** The same; as far back as single requests are kept. Children count as their chat. */
      by_chat: z.array(
        z.object({
          chat_id: z.uuid(),
          /** Absent: the chat is gone, or you may not read it. */
          title: z.string().optional(),
          ...COST,
        }),
      ),
    }),
  },
  failures: [],
  audit: null,
});
