/** Limits on a real database, as their endpoints tell of them; what was spent, the test says. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { ChatCost, ChatCosts } from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit, ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { must } from "../state/chat-world-testkit.ts";
import { SpendingGate, type SpendingDeps } from "./spending-actions.ts";
import { chatSpendingService } from "./spending-routes.ts";

type Recorded = Parameters<ServiceAudit["record"]>[1];

async function spendingWorld(isRecorded = true) {
  const database = await testDatabase();
  const [annId, bobId] = [await addPerson(database, "ann"), await addPerson(database, "bob")];
  const names = new Map([
    [annId, { id: annId, username: "ann", name: "Ann" }],
    [bobId, { id: bobId, username: "bob", name: "Bob" }],
  ]);
  const clock = new FakeClock();
  /** Since when it was asked, and what is answered. */
  const spent = { since: [] as Date[], cost: cost(0) };
  const costs: ChatCosts = {
    ofChats: async () => new Map(),
    ofPerson: async (_userId, since) => {
      spent.since.push(since);
      return spent.cost;
    },
    byPerson: async () => ({ people: [], count: 0 }),
    summaryOf: async () => ({ total: spent.cost, models: [], chats: [] }),
  };
  const deps: SpendingDeps = {
    ...{ database, clock, costs: isRecorded ? costs : null },
    people: {
      defaultOrganizationId: async () => randomUUID(),
      usernameOf: async (id) => names.get(id)?.username,
      idOf: async (ref) => [...names.values()].find(({ username }) => username === ref)?.id,
      namesOf: async (ids) => new Map([...names].filter(([id]) => ids.includes(id))),
    },
  };
  const audited: Recorded[] = [];
  const caller: ServiceCaller = {
    ...{ userId: annId, username: "ann", apiKeyId: "k" },
    may: () => true,
  };
  const request = <Input extends object>(input: Input) => ({
    caller,
    subjectId: null,
    params: {},
    query: {},
    body: undefined,
    audit: {
      attempted: () => {},
      record: async (_: object, change: Recorded) => {
        audited.push(change);
      },
      piece: () => {
        throw new Error("nothing here is one statement");
      },
    },
    signal: new AbortController().signal,
    ...input,
  });
  return {
    ...{ database, clock, deps, spent, audited, annId, bobId, names, request },
    service: chatSpendingService(deps),
    refusal: (userId = annId) => new SpendingGate(deps).refusal(userId),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** A path that names this person. */
function of(subjectId: string) {
  return { subjectId, params: { user: subjectId } };
}

async function addPerson({ pool }: TestDatabase, username: string): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `insert into users (id, email, username, status, created_at, updated_at)
     values ($1, $2 || '@example.com', $2, 'active', now(), now())`,
    [id, username],
  );
  return id;
}

function cost(costMicros: number | null, unpricedRequests = 0): ChatCost {
  return { costMicros, requests: 3, unpricedRequests };
}

const TEN = { enabled: true, default_limit_micros: 10_000_000, period: "month" } as const;

test("where nobody decided nobody is limited, and people see what they spent", async () => {
  await using world = await spendingWorld();
  const { service, request, spent } = world;
  assert.deepEqual(must(await service.getChatUsageLimits(request({}))), {
    ...{ enabled: false, default_limit_micros: 0, period: "month", costs_recorded: true },
  });
  spent.cost = cost(7_000_000, 2);
  assert.equal(await world.refusal(), null);
  assert.deepEqual(must(await service.getChatUsageLimitStatus(request({}))), {
    ...{ is_limited: false, period: "month", limit_micros: null },
    ...{ from: "2026-01-01T00:00:00.000Z", resets_at: "2026-02-01T00:00:00.000Z" },
    ...{ spent_micros: 7_000_000, unpriced_request_count: 2 },
  });
});

test("who has spent the limit is refused until the period is over, and told so", async () => {
  await using world = await spendingWorld();
  const { service, request, spent, clock } = world;
  must(await service.putChatUsageLimits(request({ body: TEN })));
  spent.cost = cost(9_999_999);
  assert.equal(await world.refusal(), null);
  spent.cost = cost(10_000_000);
  assert.deepEqual(await world.refusal(), {
    code: "chat.usage_limit_reached",
    detail:
      "Your agents have cost $10.00 this month, of $10.00. From 2026-02-01 00:00 UTC on messages are taken again.",
    usageLimit: {
      ...{ spent_micros: 10_000_000, limit_micros: 10_000_000 },
      resets_at: "2026-02-01T00:00:00.000Z",
    },
  });
  assert.deepEqual(spent.since.at(-1), new Date("2026-01-01"));
  await clock.advance(31 * 86_400_000);
  await world.refusal();
  assert.deepEqual(spent.since.at(-1), new Date("2026-02-01"), "it begins at nothing again");
});

test("what has no known price counts for nothing", async () => {
  await using world = await spendingWorld();
  must(await world.service.putChatUsageLimits(world.request({ body: TEN })));
  world.spent.cost = cost(null, 3);
  assert.equal(await world.refusal(), null);
});

test("a person's own limit holds in place of everybody's, until it is taken away", async () => {
  await using world = await spendingWorld();
  const { service, request, spent, annId, bobId } = world;
  must(await service.putChatUsageLimits(request({ body: { ...TEN, default_limit_micros: 0 } })));
  const own = { ...of(annId), body: { spend_limit_micros: 20_000_000 } };
  assert.deepEqual(must(await service.putChatUsageLimitOverride(request(own))), {
    user: { id: annId, username: "ann", name: "Ann" },
    spend_limit_micros: 20_000_000,
  });
  spent.cost = cost(15_000_000);
  assert.equal(await world.refusal(annId), null);
  assert.equal((await world.refusal(bobId))?.usageLimit?.limit_micros, 0);
  must(await service.deleteChatUsageLimitOverride(request(of(annId))));
  assert.equal((await world.refusal(annId))?.usageLimit?.limit_micros, 0);
  const again = await service.deleteChatUsageLimitOverride(request(of(annId)));
  assert.deepEqual(again, { ok: false, failure: { code: "resource.not_found" } });
});

test("own limits are listed page by page, and those of deleted people are not", async () => {
  await using world = await spendingWorld();
  const { service, request, annId, bobId, names } = world;
  for (const subjectId of [annId, bobId]) {
    const body = { spend_limit_micros: 1 };
    must(await service.putChatUsageLimitOverride(request({ ...of(subjectId), body })));
  }
  const [firstId = "", secondId = ""] = [annId, bobId].toSorted();
  const page = async (query: object) => {
    const { overrides, count } = must(
      await service.listChatUsageLimitOverrides(request({ query: { limit: 50, ...query } })),
    );
    return [overrides.map(({ user }) => user.id), count];
  };
  assert.deepEqual(await page({ limit: 1 }), [[firstId], 2]);
  assert.deepEqual(await page({ limit: 1, after_id: firstId }), [[secondId], 2]);
  assert.deepEqual(await page({ after_id: secondId }), [[], 2]);
  names.delete(firstId);
  assert.deepEqual(await page({}), [[secondId], 2]);
});

test("the audit log has each change with what was before it", async () => {
  await using world = await spendingWorld();
  const { service, request, annId, audited } = world;
  must(await service.putChatUsageLimits(request({ body: TEN })));
  must(await service.putChatUsageLimits(request({ body: { ...TEN, period: "day" } })));
  const ann = of(annId);
  must(
    await service.putChatUsageLimitOverride(request({ ...ann, body: { spend_limit_micros: 1 } })),
  );
  must(
    await service.putChatUsageLimitOverride(request({ ...ann, body: { spend_limit_micros: 2 } })),
  );
  must(await service.deleteChatUsageLimitOverride(request(ann)));
  const off = { enabled: false, default_limit_micros: 0, period: "month" };
  const general = { resourceId: null, target: "usage_limits" };
  const own = { resourceId: annId, target: "usage_limit of ann" };
  assert.deepEqual(audited, [
    { ...general, before: off, after: TEN },
    { ...general, before: TEN, after: { ...TEN, period: "day" } },
    { ...own, before: null, after: { spend_limit_micros: 1 } },
    { ...own, before: { spend_limit_micros: 1 }, after: { spend_limit_micros: 2 } },
    { ...own, before: { spend_limit_micros: 2 }, after: null },
  ]);
});

test("changes at the same time are each told with what was before them", async () => {
  await using world = await spendingWorld();
  const { service, request, audited } = world;
  const limits = Array.from({ length: 8 }, (_, index) => ({ ...TEN, default_limit_micros: index }));
  await Promise.all(
    limits.map(async (body) => must(await service.putChatUsageLimits(request({ body })))),
  );
  const chain = audited.map(({ before }) => before?.["default_limit_micros"]);
  const after = audited.map((each) => each.after?.["default_limit_micros"]);
  assert.deepEqual(chain.slice(1), after.slice(0, -1));
  const held = must(await service.getChatUsageLimits(request({})));
  assert.equal(held.default_limit_micros, after.at(-1));
});

test("where nothing is recorded no limit holds, and that is said", async () => {
  await using world = await spendingWorld(false);
  const { service, request } = world;
  const body = { ...TEN, default_limit_micros: 0 };
  const put = must(await service.putChatUsageLimits(request({ body })));
  assert.deepEqual([put.enabled, put.costs_recorded], [true, false]);
  assert.equal(await world.refusal(), null);
  assert.equal(must(await service.getChatUsageLimitStatus(request({}))).is_limited, false);
});

test("titles are told only to those who may read the chats", async () => {
  await using world = await spendingWorld();
  const { database, service, request, annId, bobId, deps } = world;
  const [own, others] = [await addChat(database, annId), await addChat(database, bobId)];
  const chats = [own, others].map((chatId) => ({ chatId, ...cost(5) }));
  Object.assign(deps.costs ?? {}, {
    summaryOf: async () => ({ total: cost(10), models: [], chats }),
  });
  const titles = async (may: () => boolean) => {
    const asked = request({ ...of(annId), query: {}, caller: { ...request({}).caller, may } });
    const { by_chat: byChat } = must(await service.getChatCostSummary(asked));
    return byChat.map(({ title }) => title);
  };
  assert.deepEqual(await titles(() => true), ["Of ann", undefined]);
  assert.deepEqual(await titles(() => false), [undefined, undefined]);
});

async function addChat({ pool }: TestDatabase, ownerId: string): Promise<string> {
  const [id, model] = [randomUUID(), randomUUID()];
  await pool.query(
    `insert into chat_model_configs (id, organization_id, model, context_limit,
       compression_threshold, created_at, updated_at)
     select $1, id, 'scripted', 1000, 70, now(), now() from organizations`,
    [model],
  );
  await pool.query(
    `insert into chats (id, organization_id, owner_id, status, last_model_config_id, title,
       created_at, updated_at)
     select $1, o.id, u.id, 'waiting', $3, 'Of ' || u.username, now(), now()
     from organizations o, users u where u.id = $2`,
    [id, ownerId, model],
  );
  return id;
}

test("days in the wrong order are refused by their field", async () => {
  await using world = await spendingWorld();
  const { service, request } = world;
  const query = { limit: 50, offset: 0, start_date: "2026-01-02", end_date: "2026-01-01" };
  const refused = await service.listChatCosts(request({ query }));
  assert.ok(!refused.ok && refused.failure.code === "request.invalid");
  assert.equal(refused.failure.validations?.[0]?.field, "start_date");
});
