/**
 * What people may spend on chats: deciding it, and asking whether somebody may begin something more.
 *
 * It is asked when somebody sends, edits, promotes or begins, and not while an agent works: a turn that
 * has begun ends, so people can get above their limit by what it still asks for
 * (docs/decisions/0024-limits-at-admission.md).
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { ChatCost, ChatCosts, ChatPeople, ChatPerson } from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit, ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import type { Database } from "@atelier/database/database";
import {
  deleteOverride,
  findOverride,
  getLimits,
  getLimitsFor,
  listOverrides,
  lockLimits,
  NO_LIMITS_HOLD_TEXT,
  putLimits,
  putOverride,
} from "./spending-store.ts";
import {
  isLimitReached,
  limitOf,
  limitText,
  periodAt,
  type PeriodSpan,
  type PersonsLimit,
  type UsageLimits,
} from "./spending.ts";

export type SpendingDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly people: ChatPeople;
  /** Null: chats ask models directly, nobody records what it costs, and no limit holds. */
  readonly costs: ChatCosts | null;
};

const ANYBODY: ServiceCondition = { name: "any", text: () => "true", values: [] };
const UNLIMITED: ServiceCondition = {
  ...{ name: "unlimited", text: () => NO_LIMITS_HOLD_TEXT, values: [] },
};

type AskingDeps = Pick<SpendingDeps, "database" | "clock" | "costs">;

/**
 * Asks before work begins. Where no limits held when it was asked last, none hold most probably: then a
 * statement can make sure of it that is run anyway.
 */
export class SpendingGate {
  readonly #deps: AskingDeps;
  #isLimited = false;

  constructor(deps: AskingDeps) {
    this.#deps = deps;
  }

  /** Null: they may. */
  async refusal(userId: string): Promise<Failure<"chat.usage_limit_reached"> | null> {
    if (this.#deps.costs === null) return null;
    const found = await limitFor(this.#deps, userId);
    this.#isLimited = found.limit.limitMicros !== null;
    return spendingRefusal(this.#deps.costs, userId, found);
  }

  /** A condition under which everybody may, in place of asking. Null: it has to be asked. */
  get condition(): ServiceCondition | null {
    if (this.#deps.costs === null) return ANYBODY;
    return this.#isLimited ? null : UNLIMITED;
  }
}

async function spendingRefusal(
  costs: ChatCosts,
  userId: string,
  { limit, span }: { readonly limit: PersonsLimit; readonly span: PeriodSpan },
): Promise<Failure<"chat.usage_limit_reached"> | null> {
  const { limitMicros, period } = limit;
  if (limitMicros === null) return null;
  const spent = (await costs.ofPerson(userId, span.from)).costMicros ?? 0;
  if (!isLimitReached(limitMicros, spent)) return null;
  return {
    code: "chat.usage_limit_reached",
    detail: limitText({ limitMicros, period }, spent, span.to),
    usageLimit: {
      spent_micros: spent,
      limit_micros: limitMicros,
      resets_at: span.to.toISOString(),
    },
  };
}

async function limitFor(
  { database, clock }: Pick<SpendingDeps, "database" | "clock">,
  userId: string,
): Promise<{ readonly limit: PersonsLimit; readonly span: PeriodSpan }> {
  const { limits, ownLimitMicros } = await getLimitsFor(database.sql, userId);
  const limit = limitOf(limits, ownLimitMicros);
  return { limit, span: periodAt(limit.period, clock.now()) };
}

export type Standing = {
  readonly limit: PersonsLimit;
  readonly span: PeriodSpan;
  readonly spent: ChatCost;
};

export async function standingOf(deps: SpendingDeps, userId: string): Promise<Standing> {
  const { limit, span } = await limitFor(deps, userId);
  if (deps.costs === null) return { limit: { ...limit, limitMicros: null }, span, spent: NOTHING };
  return { limit, span, spent: await deps.costs.ofPerson(userId, span.from) };
}

const NOTHING: ChatCost = { costMicros: 0, requests: 0, unpricedRequests: 0 };

export function readLimits({ database }: SpendingDeps): Promise<UsageLimits> {
  return getLimits(database.sql);
}

const TARGET = "usage_limits";

export async function changeLimits(
  { database, clock }: SpendingDeps,
  audit: ServiceAudit,
  limits: UsageLimits,
): Promise<UsageLimits> {
  audit.attempted({ resourceId: null, target: TARGET });
  await database.transaction(async (sql) => {
    await lockLimits(sql);
    const before = await getLimits(sql);
    await putLimits(sql, limits, clock.now());
    const change = { before: audited(before), after: audited(limits) };
    await audit.record(sql, { resourceId: null, target: TARGET, ...change });
  });
  return limits;
}

function audited(limits: UsageLimits): Readonly<Record<string, unknown>> {
  const { isEnabled: enabled, defaultLimitMicros: default_limit_micros, period } = limits;
  return { enabled, default_limit_micros, period };
}

export type Override = { readonly person: ChatPerson; readonly limitMicros: number };

/** Deleted people are not shown: they send nothing. */
export async function readOverrides(
  { database, people }: SpendingDeps,
  page: { readonly limit: number; readonly afterId: string | null },
): Promise<{ readonly overrides: readonly Override[]; readonly count: number }> {
  const { overrides, count } = await listOverrides(database.sql, page);
  const names = await people.namesOf(overrides.map(({ userId }) => userId));
  const shown = overrides.flatMap(({ userId, limitMicros }) => {
    const person = names.get(userId);
    return person === undefined ? [] : [{ person, limitMicros }];
  });
  return { overrides: shown, count };
}

type Change = { readonly audit: ServiceAudit; readonly userId: string };
type NotFound = Failure<"resource.not_found">;

export async function setOverride(
  { database, clock, people }: SpendingDeps,
  { audit, userId }: Change,
  limitMicros: number,
): Promise<Result<Override, NotFound>> {
  const person = (await people.namesOf([userId])).get(userId);
  if (person === undefined) return fail({ code: "resource.not_found" });
  const what = { resourceId: userId, target: `usage_limit of ${person.username}` };
  audit.attempted(what);
  await database.transaction(async (sql) => {
    await lockLimits(sql);
    const before = await findOverride(sql, userId);
    await putOverride(sql, { userId, limitMicros }, clock.now());
    const change = { before: auditedOverride(before), after: auditedOverride(limitMicros) };
    await audit.record(sql, { ...what, ...change });
  });
  return ok({ person, limitMicros });
}

export async function dropOverride(
  { database, people }: SpendingDeps,
  { audit, userId }: Change,
): Promise<Result<undefined, NotFound>> {
  const username = await people.usernameOf(userId);
  const what = { resourceId: userId, target: `usage_limit of ${username ?? userId}` };
  audit.attempted(what);
  return database.transaction(async (sql) => {
    await lockLimits(sql);
    const before = await findOverride(sql, userId);
    if (before === undefined) return fail({ code: "resource.not_found" } as const);
    await deleteOverride(sql, userId);
    await audit.record(sql, { ...what, before: auditedOverride(before), after: null });
    return ok(undefined);
  });
}

function auditedOverride(limit: number | undefined): Readonly<Record<string, unknown>> | null {
  return limit === undefined ? null : { spend_limit_micros: limit };
}
