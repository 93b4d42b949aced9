/** The endpoints of what chats may cost, and did: libs/contract/src/http/chat-spending.ts. */
import { fail, ok } from "@atelier/base/result";
import { CHAT_COST_DAYS_MAX, COST_SUMMARY_ROWS_MAX } from "@atelier/contract/http/chat-spending";
import type { ChatCost } from "@atelier/contract/rpc/chat-ports";
import type { CHAT_SPENDING_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService } from "@atelier/contract/rpc/endpoint-service";
import { readPeoplesCosts, readSummary } from "./chat-costs-actions.ts";
import {
  changeLimits,
  dropOverride,
  readLimits,
  readOverrides,
  setOverride,
  standingOf,
  type Override,
  type SpendingDeps,
} from "./spending-actions.ts";
import { costDays, type CostDays, type UsageLimits } from "./spending.ts";

type Service = EndpointService<typeof CHAT_SPENDING_ENDPOINTS>;
type Costs = "listChatCosts" | "getChatCostSummary";

const NOT_FOUND = fail({ code: "resource.not_found" } as const);

export function chatSpendingService(deps: SpendingDeps): Service {
  return { ...limitsService(deps), ...costsService(deps) };
}

function limitsService(deps: SpendingDeps): Omit<Service, Costs> {
  const toLimits = (limits: UsageLimits) => ({
    enabled: limits.isEnabled,
    default_limit_micros: limits.defaultLimitMicros,
    period: limits.period,
    costs_recorded: deps.costs !== null,
  });
  return {
    getChatUsageLimits: async () => ok(toLimits(await readLimits(deps))),
    putChatUsageLimits: async ({ body, audit }) => {
      const { enabled: isEnabled, default_limit_micros: defaultLimitMicros, period } = body;
      const wanted = { isEnabled, defaultLimitMicros, period };
      return ok(toLimits(await changeLimits(deps, audit, wanted)));
    },
    listChatUsageLimitOverrides: async ({ query }) => {
      const { limit, after_id: afterId = null } = query;
      const { overrides, count } = await readOverrides(deps, { limit, afterId });
      return ok({ overrides: overrides.map(toOverride), count });
    },
    putChatUsageLimitOverride: async ({ subjectId, body, audit }) => {
      if (subjectId === null) return NOT_FOUND;
      const change = { audit, userId: subjectId };
      const set = await setOverride(deps, change, body.spend_limit_micros);
      return set.ok ? ok(toOverride(set.value)) : set;
    },
    deleteChatUsageLimitOverride: async ({ subjectId, audit }) =>
      subjectId === null ? NOT_FOUND : dropOverride(deps, { audit, userId: subjectId }),
    getChatUsageLimitStatus: async ({ caller }) => {
      const { limit, span, spent } = await standingOf(deps, caller.userId);
      return ok({
        is_limited: limit.limitMicros !== null,
        period: limit.period,
        from: span.from.toISOString(),
        resets_at: span.to.toISOString(),
        spent_micros: spent.costMicros ?? 0,
        limit_micros: limit.limitMicros,
        unpriced_request_count: spent.unpricedRequests,
      });
    },
  };
}

function costsService(deps: SpendingDeps): Pick<Service, Costs> {
  const daysOf = (query: AskedDays) => {
    const asked = { start: query.start_date, end: query.end_date };
    const days = costDays(asked, deps.clock.now(), CHAT_COST_DAYS_MAX);
    return days === null ? WRONG_DAYS : ok(days);
  };
  return {
    listChatCosts: async ({ query }) => {
      const days = daysOf(query);
      if (!days.ok) return days;
      const { limit, offset } = query;
      const { people, count } = await readPeoplesCosts(deps, days.value, { limit, offset });
      const users = people.map(({ person, ...cost }) => ({ user: person, ...toCost(cost) }));
      return ok({ ...toDays(days.value), users, count });
    },
    getChatCostSummary: async ({ caller, subjectId, query }) => {
      if (subjectId === null) return NOT_FOUND;
      const days = daysOf(query);
      if (!days.ok) return days;
      const who = { userId: subjectId, mayReadChats: caller.may("chat:read", subjectId) };
      const summary = await readSummary(deps, who, days.value, COST_SUMMARY_ROWS_MAX);
      return ok({
        ...toDays(days.value),
        ...toCost(summary.total),
        by_model: summary.models.map(({ model, provider, ...cost }) => ({
          ...{ model, provider },
          ...toCost(cost),
        })),
        by_chat: summary.chats.map(({ chatId, title, ...cost }) => ({
          chat_id: chatId,
          ...(title === undefined ? {} : { title }),
          ...toCost(cost),
        })),
      });
    },
  };
}

type AskedDays = {
  readonly start_date?: string | undefined;
  readonly end_date?: string | undefined;
};

const WRONG_DAYS = fail({
  code: "request.invalid",
  validations: [
    {
      field: "start_date",
      detail: `It comes after the last day, or is more than ${CHAT_COST_DAYS_MAX} days before it.`,
    },
  ],
} as const);

function toDays({ startDate, endDate }: CostDays) {
  return { start_date: startDate, end_date: endDate };
}

function toOverride({ person, limitMicros }: Override) {
  return { user: person, spend_limit_micros: limitMicros };
}

function toCost({ costMicros, requests, unpricedRequests }: ChatCost) {
  return {
    total_cost_micros: costMicros,
    request_count: requests,
    unpriced_request_count: unpricedRequests,
  };
}
