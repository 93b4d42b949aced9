/**
 * What models cost: usage summed up by who, what and when, and the prices by which it is counted.
 *
 * Money is in micro-dollars, prices are in micro-dollars for a million tokens, and all of it is whole
 * numbers. What a request cost is fixed when it is recorded: a later price changes nothing of it, unless
 * somebody asks for exactly that.
 */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { RawAnswer } from "../raw-body.ts";
import { MODEL_PROVIDER_TYPES } from "./ai-providers.ts";
import { CostMicros, TokenTotals, UsageUser } from "./ai-usage.ts";
import { NoParams, Timestamp, limitOf } from "./common.ts";

export const USAGE_DIMENSIONS = ["day", "user", "model", "client", "provider"] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** Longest span that one answer sums up. */
export const USAGE_DAYS_MAX = 366;

export const UsageTotals = z.object({
  requests: z.int(),
  /** Requests that ended with an error. */
  errors: z.int(),
  ...TokenTotals.shape,
  /** Of the requests with a known price. Null: there are requests, and none has one. */
  cost_micros: CostMicros,
  /** Requests whose price is not known: `cost_micros` is without them. */
  unpriced_requests: z.int(),
});

/** What it is grouped by stands in it; the other names are null. */
export const UsageRow = z.object({
  day: z.iso.date().nullable(),
  user: UsageUser.nullable(),
  model: z.string().nullable(),
  client: z.string().nullable(),
  /** The provider's name, as in its path. */
  provider: z.string().nullable(),
  ...UsageTotals.shape,
});
export type UsageRow = z.output<typeof UsageRow>;

const TimeZone = z
  .string()
  .max(64)
  // An offset would mean its opposite to the database.
  .refine((zone) => /^[A-Za-z]/.test(zone) && isTimeZone(zone), {
    message: 'Write a time zone as "Europe/Berlin".',
  });

const Dimensions = z
  .string()
  .max(64)
  .default("day")
  .refine((text) => dimensionsOf(text) !== null, {
    message: `Write one to three of ${USAGE_DIMENSIONS.join(", ")}, with commas between them.`,
  });

/** Of a query's `group_by`. Null: it is none. */
export function dimensionsOf(text: string): readonly UsageDimension[] | null {
  const words = text.split(",").map((word) => word.trim());
  const found = USAGE_DIMENSIONS.filter((dimension) => words.includes(dimension));
  if (found.length !== words.length || found.length > 3) return null;
  return words.flatMap((word) => found.filter((dimension) => dimension === word));
}

const UsageQuery = {
  /** The first day. Without it: 30 days, the last one included. */
  from: z.iso.date().optional(),
  /** The last day, which is included. Without it: today. */
  to: z.iso.date().optional(),
  /** In which a day begins. */
  time_zone: TimeZone.default("UTC"),
  /** One to three of day, user, model, client and provider, with commas between them. */
  group_by: Dimensions,
  /** initiator, provider, provider_name, model, client, credential_kind. */
  q: z.string().max(1_024).optional(),
};

export const getAiUsage = endpoint({
  tag: "ai-usage",
  summary: "Usage and its cost, summed up; without a wider role only your own",
  method: "GET",
  path: "/api/v2/ai-gateway/usage",
  aliases: ["/api/v2/aibridge/usage"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({ ...UsageQuery, limit: limitOf(1_000, 10_000) }),
  body: null,
  success: {
    status: 200,
    body: z.object({
      from: z.iso.date(),
      to: z.iso.date(),
      time_zone: z.string(),
      group_by: z.array(z.enum(USAGE_DIMENSIONS)),
      /** Of all rows, those beyond the limit too. */
      total: UsageTotals,
      /** By day if they are grouped by it, and then the dearest first. Days without usage have none. */
      rows: z.array(UsageRow),
      count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});

export const USAGE_CSV_ROWS_MAX = 100_000;

export const exportAiUsage = endpoint({
  tag: "ai-usage",
  summary: "The same as a table for spreadsheets, at most 100,000 rows",
  method: "GET",
  path: "/api/v2/ai-gateway/usage.csv",
  aliases: ["/api/v2/aibridge/usage.csv"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject(UsageQuery),
  body: null,
  rawAnswer: { mediaTypes: ["text/csv"] },
  success: { status: 200, body: RawAnswer },
  failures: [],
  audit: null,
});

/** A million dollars for a million tokens: above it somebody mistook the unit. */
export const PRICE_MICROS_MAX = 1_000_000_000_000;

const Price = z.int().min(0).max(PRICE_MICROS_MAX);

/** Micro-dollars for a million tokens. Null: not known, and what needs it has no cost. */
const PRICES = {
  input: Price.nullable(),
  output: Price.nullable(),
  cache_read: Price.nullable(),
  /** Of entries that live for five minutes. */
  cache_write: Price.nullable(),
  /** Of entries that live for an hour. Null: as `cache_write`. */
  cache_write_1h: Price.nullable(),
};

/** Prices of a request whose whole prompt, cached tokens included, is at least this long. */
export const PriceTier = z.object({ from_tokens: z.int(), ...PRICES });
export type PriceTier = z.output<typeof PriceTier>;

export const ModelPrice = z.object({
  /** The type of the provider. */
  provider: z.string(),
  model: z.string(),
  /** Null: no price is known. */
  origin: z.enum(["override", "catalog"]).nullable(),
  /** The first holds from 0 tokens; empty when no price is known. */
  tiers: z.array(PriceTier),
  /** Of the price list that came with the server. */
  catalog_version: z.string().nullable(),
  /** Since when this price is in force. */
  valid_from: Timestamp.nullable(),
  /** Who set it. */
  set_by: UsageUser.nullable(),
});
export type ModelPrice = z.output<typeof ModelPrice>;

export const listModelPrices = endpoint({
  tag: "ai-usage",
  summary: "Prices of the models that were used, and of those that were given one",
  method: "GET",
  path: "/api/v2/ai-gateway/prices",
  aliases: ["/api/v2/aibridge/prices"],
  access: "ai_provider:read",
  params: NoParams,
  query: z.strictObject({
    limit: limitOf(200, 1_000),
    provider: z.string().max(64).optional(),
    /** Models whose name contains this. */
    search: z.string().max(256).optional(),
    /** Only models without a known price. */
    unpriced: z.stringbool().optional(),
    /** The last of the page before, as `<provider>/<model>`. */
    after: z.string().max(512).optional(),
  }),
  body: null,
  success: { status: 200, body: z.object({ prices: z.array(ModelPrice), count: z.int() }) },
  failures: [],
  audit: null,
});

const PricedModel = {
  provider: z.enum(MODEL_PROVIDER_TYPES),
  model: z.string().min(1).max(256),
};

const TIERS_MAX = 8;

export const setModelPrice = endpoint({
  tag: "ai-usage",
  summary: "Give a model a price, which counts from now on instead of the catalog's",
  method: "PUT",
  path: "/api/v2/ai-gateway/prices",
  aliases: ["/api/v2/aibridge/prices"],
  access: "ai_provider:update",
  params: NoParams,
  query: z.strictObject({}),
  body: z.strictObject({
    ...PricedModel,
    input: Price,
    output: Price,
    cache_read: Price.nullable().default(null),
    cache_write: Price.nullable().default(null),
    cache_write_1h: Price.nullable().default(null),
    /** What long prompts cost instead, whole requests. */
    tiers: z
      .array(z.strictObject({ from_tokens: z.int().min(1).max(1_000_000_000_000), ...PRICES }))
      .max(TIERS_MAX)
      .default([])
      .refine((tiers) => new Set(tiers.map((tier) => tier.from_tokens)).size === tiers.length, {
        message: "Two tiers begin at the same length.",
      }),
  }),
  success: { status: 200, body: ModelPrice },
  failures: [],
  audit: { action: "write", resource: "ai_price" },
});

export const deleteModelPrice = endpoint({
  tag: "ai-usage",
  summary: "Take a model's own price away: from now on the catalog's counts again",
  method: "DELETE",
  path: "/api/v2/ai-gateway/prices",
  aliases: ["/api/v2/aibridge/prices"],
  access: "ai_provider:update",
  params: NoParams,
  query: z.strictObject(PricedModel),
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "ai_price" },
});

export const applyModelPrices = endpoint({
  tag: "ai-usage",
  summary: "Count what was recorded again, with the prices that are in force now, a part at a time",
  method: "POST",
  path: "/api/v2/ai-gateway/prices/apply",
  aliases: ["/api/v2/aibridge/prices/apply"],
  access: "ai_provider:update",
  params: NoParams,
  query: z.strictObject({}),
  body: z.strictObject({
    /** `unpriced`: only requests whose price was not known. */
    requests: z.enum(["unpriced", "all"]).default("unpriced"),
    /** Began at this time or later. */
    from: Timestamp,
    /** Began before this time. */
    to: Timestamp,
    /** Only of this model. */
    provider: z.enum(MODEL_PROVIDER_TYPES).optional(),
    model: z.string().min(1).max(256).optional(),
    /** `next` of the part before. */
    after: z.string().max(128).optional(),
  }),
  success: {
    status: 200,
    body: z.object({
      examined: z.int(),
      changed: z.int(),
      /** What these requests cost more than before. */
      cost_change_micros: z.int(),
      /** Null: this was the last part. */
      next: z.string().nullable(),
    }),
  },
  failures: [],
  audit: { action: "write", resource: "ai_price" },
});

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
