/** Sums of usage: everybody their own, and with the right to it everybody's (spec gateway 9.7). */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { UsageDimension } from "@atelier/contract/http/ai-costs";
import type { Database } from "@atelier/database/database";
import type { Actor } from "../access/actor.ts";
import { resolveInitiator, viewOf } from "./usage-actions.ts";
import { parseTotalsFilter } from "./usage-query.ts";
import { sumUsage, type TotalsPage } from "./usage-totals-store.ts";
import { spanOf, type DaySpan } from "./usage-totals.ts";

export type TotalsDeps = { readonly database: Database; readonly clock: Clock };

export type TotalsQuery = {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly timeZone: string;
  readonly dimensions: readonly UsageDimension[];
  readonly q: string | undefined;
  readonly limit: number;
};

const NOTHING: TotalsPage = {
  groups: [],
  count: 0,
  total: {
    requests: 0,
    errors: 0,
    tokens: { input: 0, output: 0, cacheReadInput: 0, cacheWriteInput: 0 },
    costMicros: 0,
    pricedRequests: 0,
    unpricedRequests: 0,
  },
};

export async function readUsageTotals(
  { database, clock }: TotalsDeps,
  actor: Actor,
  query: TotalsQuery,
): Promise<
  Result<TotalsPage & { readonly span: DaySpan }, Failure<"request.invalid" | "resource.not_found">>
> {
  const view = viewOf(actor);
  if (view === null) return fail({ code: "resource.not_found" });
  const span = spanOf(query, clock.now());
  if (!span.ok) return fail({ code: "request.invalid", validations: span.failure });
  const filter = parseTotalsFilter(query.q);
  if (!filter.ok) return fail({ code: "request.invalid", validations: filter.failure });
  const search = { view, span: span.value, filter: filter.value, dimensions: query.dimensions };
  try {
    return await database.readOnlyTransaction(async (sql) => {
      const initiatorId = await resolveInitiator(sql, actor, filter.value);
      if (initiatorId === "nobody") return ok({ ...NOTHING, span: span.value });
      const page = await sumUsage(sql, { ...search, initiatorId }, query.limit);
      return ok({ ...page, span: span.value });
    });
  } catch (error) {
    if (!isUnknownZone(error)) throw error;
    const detail = "The database does not know this time zone.";
    return fail({ code: "request.invalid", validations: [{ field: "time_zone", detail }] });
  }
}

/** Postgres has names of its own; ours come from the runtime. */
function isUnknownZone(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === "22023";
}
