/** Sums of usage over HTTP. Paths and schemas: libs/contract/src/http/ai-costs.ts. */
import { assert } from "@atelier/base/assert";
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-costs";
import { usageCsv } from "@atelier/contract/usage-csv";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import { applyPrices } from "./usage-repricing-actions.ts";
import { readUsageTotals, type TotalsDeps } from "./usage-totals-actions.ts";
import type { UsageGroup, UsageTotals } from "./usage-totals.ts";
import { knownCost } from "./usage.ts";

export function usageTotalsRoutes(deps: TotalsDeps): Route[] {
  return [
    route(contract.getAiUsage, async ({ actor, query }) => {
      const read = await readUsageTotals(deps, actor, { ...toQuery(query), limit: query.limit });
      if (!read.ok) return read;
      const { span, total, groups, count } = read.value;
      return ok({
        from: span.from,
        to: span.to,
        time_zone: span.timeZone,
        group_by: [...toQuery(query).dimensions],
        total: toWireTotals(total),
        rows: groups.map(toWireRow),
        count,
      });
    }),

    route(contract.exportAiUsage, async ({ actor, query }) => {
      const limit = contract.USAGE_CSV_ROWS_MAX;
      const read = await readUsageTotals(deps, actor, { ...toQuery(query), limit });
      if (!read.ok) return read;
      const { span, groups } = read.value;
      return ok({
        bytes: Buffer.from(usageCsv(groups.map(toWireRow), toQuery(query).dimensions)),
        mediaType: "text/csv",
        fileName: `usage-${span.from}-${span.to}.csv`,
        isInline: false,
      });
    }),

    route(contract.applyModelPrices, async ({ audit, body }) => {
      const { from, to, provider = null, model = null, after = null, requests } = body;
      const isUnpricedOnly = requests === "unpriced";
      const span = { from: new Date(from), to: new Date(to) };
      const asked = { ...span, provider, model, isUnpricedOnly, after };
      const applied = await applyPrices(deps, audit, asked);
      if (!applied.ok) return applied;
      const { examined, changed, costChangeMicros, next } = applied.value;
      return ok({ examined, changed, cost_change_micros: costChangeMicros, next });
    }),
  ];
}

type Query = Omit<z.output<(typeof contract.getAiUsage)["query"]>, "limit">;

function toQuery({ from, to, time_zone: timeZone, group_by: text, q }: Query) {
  const dimensions = contract.dimensionsOf(text);
  assert(dimensions !== null, "the edge checks what is grouped by");
  return { from, to, timeZone, dimensions, q };
}

function toWireRow(group: UsageGroup): contract.UsageRow {
  const { day, user, model, client, provider } = group;
  return { day, user, model, client, provider, ...toWireTotals(group) };
}

function toWireTotals(totals: UsageTotals): z.output<typeof contract.UsageTotals> {
  return {
    requests: totals.requests,
    errors: totals.errors,
    input_tokens: totals.tokens.input,
    output_tokens: totals.tokens.output,
    cache_read_input_tokens: totals.tokens.cacheReadInput,
    cache_write_input_tokens: totals.tokens.cacheWriteInput,
    cost_micros: knownCost(totals),
    unpriced_requests: totals.unpricedRequests,
  };
}
