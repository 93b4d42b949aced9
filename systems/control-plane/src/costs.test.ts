/** What models cost, over the API of a whole control plane: priced when recorded, summed up, exported. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { UsageRow } from "@atelier/contract/http/ai-costs";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";

const NEVER = new AbortController().signal;
const PRICES = "/api/v2/ai-gateway/prices";
const USAGE = "/api/v2/ai-gateway/usage";

type Spec = {
  readonly user?: string;
  readonly at?: string;
  readonly provider?: InterceptionStart["provider"];
  readonly model?: string;
  readonly client?: string;
  readonly session?: string;
  readonly input?: number;
  readonly output?: number;
  readonly error?: InterceptionEnd["error"];
};

/** Through the recorder of this server, to the disk of the database. */
async function record(world: TestControlPlane, spec: Spec): Promise<string> {
  const id = randomUUID();
  const startedAt = new Date(spec.at ?? world.clock.now());
  const { recorder } = world.plane;
  await recorder.start({
    id,
    caller: { userId: spec.user ?? "", username: "", email: "", apiKeyId: "k" },
    provider: spec.provider ?? { type: "openai-compat", name: "own" },
    model: spec.model ?? "m",
    client: spec.client ?? "Codex",
    clientSessionId: spec.session ?? null,
    userAgent: "",
    correlatingToolCallId: null,
    credentialKind: "centralized",
    credentialHint: "",
    startedAt,
  });
  const { input = 1_000, output = 100 } = spec;
  const tokens = {
    responseId: "r",
    input,
    output,
    cacheReadInput: 0,
    cacheWriteInput: 0,
    extra: {},
  };
  recorder.end({
    ...{ id, startedAt, endedAt: startedAt, credentialHint: "", error: spec.error ?? null },
    ...{
      tokens: input + output > 0 ? [tokens] : [],
      prompts: [],
      toolCalls: [],
      thoughts: [],
      trail: null,
    },
  });
  await recorder.drain(NEVER);
  return id;
}

/** A model's own price: dollars for a million tokens of input and output. */
async function setPrice(world: TestControlPlane, { token }: Person, input: number, output: number) {
  const price = { input: input * 1_000_000, output: output * 1_000_000 };
  const body = { provider: "openai-compat", model: "m", ...price };
  const set = await world.call("PUT", PRICES, { token, body });
  assert.equal(set.status, 200, set.text);
}

async function usage(world: TestControlPlane, { token }: Person, query = "") {
  const span = "from=2026-01-01&to=2026-01-31";
  const answer = await world.call("GET", `${USAGE}?${span}&${query}`, { token });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

test("a price counts for what begins after it was set, and rewrites nothing", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  const user = owner.id;
  await record(world, { user, session: "s" });
  await world.clock.advance(1_000);
  await setPrice(world, owner, 2, 10);
  await record(world, { user, session: "s" });
  await world.clock.advance(1_000);
  await setPrice(world, owner, 4, 20);
  await record(world, { user, session: "s" });
  // It began before the second price, and comes in late.
  await record(world, { user, session: "s", at: "2026-01-01T00:00:01.500Z" });
  await world.clock.advance(1_000);
  const path = `${PRICES}?provider=openai-compat&model=m`;
  const { token } = owner;
  assert.equal((await world.call("DELETE", path, { token })).status, 204);
  assert.equal((await world.call("DELETE", path, { token })).status, 404);
  await record(world, { user, session: "s" });
  const list = await world.call("GET", "/api/v2/ai-gateway/interceptions", { token });
  const costs = list.body.results.map((each: { cost_micros: number }) => each.cost_micros);
  assert.deepEqual(costs, [null, 6_000, 3_000, 3_000, null]);
  const sessions = await world.call("GET", "/api/v2/ai-gateway/sessions", { token });
  const [session] = sessions.body.sessions;
  assert.deepEqual([session.cost_micros, session.unpriced_requests], [12_000, 2]);
  const { total } = await usage(world, owner);
  assert.deepEqual([total.requests, total.cost_micros, total.unpriced_requests], [5, 12_000, 2]);
});

test("what has no known price is null in sums, and an error without tokens costs nothing", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  const error = { type: "overloaded", message: "" } as const;
  await record(world, { user: owner.id, model: "x", input: 0, output: 0, error });
  const [failed] = (await usage(world, owner, "group_by=model")).rows;
  assert.deepEqual([failed.cost_micros, failed.unpriced_requests, failed.errors], [0, 0, 1]);
  await record(world, { user: owner.id, model: "x" });
  const [mixed] = (await usage(world, owner, "group_by=model")).rows;
  assert.deepEqual([mixed.cost_micros, mixed.unpriced_requests, mixed.requests], [null, 1, 2]);
});

test("prices are applied to the past only when somebody asks, and every sum follows", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  const user = owner.id;
  const chat = randomUUID();
  for (let index = 0; index < 3; index++) {
    await record(world, { user, session: chat, client: "Atelier Agents" });
  }
  await world.clock.advance(1_000);
  await setPrice(world, owner, 1, 1);
  await record(world, { user, session: chat, client: "Atelier Agents" });
  await world.clock.advance(1_000);
  await setPrice(world, owner, 10, 10);
  const span = { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" };
  const apply = async (body: object) => {
    const { token } = owner;
    const answer = await world.call("POST", `${PRICES}/apply`, {
      token,
      body: { ...span, ...body },
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  };
  const sums = async () => {
    const { total } = await usage(world, owner);
    const { token } = owner;
    const sessions = await world.call("GET", "/api/v2/ai-gateway/sessions", { token });
    const [session] = sessions.body.sessions;
    const { rows } = await world.database.pool.query("select * from ai_chat_totals");
    return [
      [total.cost_micros, total.unpriced_requests],
      [session.cost_micros, session.unpriced_requests],
      [rows[0].cost_micros, rows[0].unpriced_requests],
    ];
  };
  assert.deepEqual(await sums(), [[1_100, 3], [1_100, 3], [1_100, 3]]); // prettier-ignore
  assert.deepEqual(await apply({ model: "other" }), {
    ...{ examined: 0, changed: 0, cost_change_micros: 0, next: null },
  });
  assert.deepEqual(await apply({}), {
    ...{ examined: 3, changed: 3, cost_change_micros: 33_000, next: null },
  });
  assert.deepEqual(await sums(), [[34_100, 0], [34_100, 0], [34_100, 0]]); // prettier-ignore
  // Again it is already so.
  assert.deepEqual(await apply({}), {
    ...{ examined: 0, changed: 0, cost_change_micros: 0, next: null },
  });
  assert.deepEqual(await apply({ requests: "all" }), {
    ...{ examined: 4, changed: 1, cost_change_micros: 9_900, next: null },
  });
  assert.deepEqual(await sums(), [[44_000, 0], [44_000, 0], [44_000, 0]]); // prettier-ignore
});

test("sums are by what is asked, in the days of a time zone, and members see their own", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  const ann = await world.addPerson("ann");
  const auditor = await world.addPerson("aude", ["auditor"]);
  await setPrice(world, owner, 1, 1);
  await record(world, { user: ann.id, at: "2026-01-09T18:29:59Z" });
  // Midnight in India.
  await record(world, { user: ann.id, at: "2026-01-09T18:30:00Z" });
  await record(world, { user: owner.id, at: "2026-01-09T23:59:59Z", client: "Zed", input: 9_900 });
  await record(world, { user: owner.id, at: "2026-01-31T23:59:59Z", model: "dear" });
  await record(world, { user: owner.id, at: "2026-02-01T00:00:00Z" });
  const rows = async (person: Person, query: string) =>
    ((await usage(world, person, query)).rows as UsageRow[]).map((row) =>
      [row.day, row.user?.username, row.model, row.client, row.provider, row.requests, row.cost_micros]
        .flatMap((each) => each ?? [])
        .join(" "),
    ); // prettier-ignore
  assert.deepEqual(await rows(auditor, ""), ["2026-01-09 3 12200", "2026-01-31 1"]);
  assert.deepEqual(await rows(auditor, "time_zone=Asia/Kolkata"), [
    "2026-01-09 1 1100",
    "2026-01-10 2 11100",
  ]);
  assert.deepEqual(await rows(auditor, "group_by=user"), ["owner 2 10000", "ann 2 2200"]);
  assert.deepEqual(await rows(auditor, "group_by=model,client"), [
    "m Zed 1 10000",
    "m Codex 2 2200",
    "dear Codex 1",
  ]);
  assert.deepEqual(await rows(auditor, "group_by=provider&q=initiator:ann"), ["own 2 2200"]);
  assert.deepEqual(await rows(auditor, "group_by=model&q=client:Zed"), ["m 1 10000"]);
  assert.deepEqual(await rows(auditor, "q=initiator:nobody"), []);
  assert.deepEqual(await rows(ann, "group_by=day,user"), ["2026-01-09 ann 2 2200"]);
  assert.deepEqual(await rows(ann, "q=initiator:owner"), []);
  const first = await usage(world, auditor, "group_by=user&limit=1");
  assert.deepEqual(
    [first.rows.length, first.count, first.total.requests, first.total.cost_micros],
    [1, 2, 4, 12_200],
  );
});

test("chats are summed up by person, and a person's by model and by chat, in a span and nowhere else", async () => {
  await using world = await startTestControlPlane();
  const { costs } = world.plane.chats;
  const owner = await world.setUp();
  const ann = await world.addPerson("ann");
  await setPrice(world, owner, 1, 1);
  const [first, second] = [randomUUID(), randomUUID()];
  const client = "Atelier Agents";
  const asked = async (user: string, session: string, more: Spec) =>
    record(world, { user, session, client, at: "2026-01-02T00:00:00Z", ...more });
  await asked(ann.id, first, { input: 900 });
  await asked(ann.id, first, { model: "unknown" });
  await asked(ann.id, second, { input: 9_900, at: "2026-01-02T23:59:59Z" });
  await asked(owner.id, randomUUID(), { input: 4_900 });
  // Before the span, after it, and past chats.
  await asked(ann.id, first, { at: "2026-01-01T23:59:59Z" });
  await asked(ann.id, first, { at: "2026-01-03T00:00:00Z" });
  await record(world, { user: ann.id, at: "2026-01-02T00:00:00Z" });
  const span = { from: new Date("2026-01-02"), to: new Date("2026-01-03") };
  const cost = (costMicros: number | null, requests: number, unpricedRequests = 0) => ({
    ...{ costMicros, requests, unpricedRequests },
  });
  const annName = { id: ann.id, username: "ann", name: "" };
  const byPerson = async (limit: number, offset: number) => costs.byPerson(span, { limit, offset });
  const everybody = await byPerson(9, 0);
  assert.deepEqual(
    [everybody.count, everybody.people.map(({ person, ...sums }) => [person.username, sums])],
    [2, [["ann", cost(11_000, 3, 1)], ["owner", cost(5_000, 1)]]],
  ); // prettier-ignore
  assert.deepEqual(everybody.people[0]?.person, annName);
  assert.equal((await byPerson(1, 1)).people[0]?.person.username, "owner");
  assert.deepEqual(await byPerson(9, 9), { people: [], count: 2 });
  assert.deepEqual(await costs.summaryOf(ann.id, span, 9), {
    total: cost(11_000, 3, 1),
    models: [
      { model: "m", provider: "own", ...cost(11_000, 2) },
      { model: "unknown", provider: "own", ...cost(null, 1, 1) },
    ],
    chats: [
      { chatId: second, ...cost(10_000, 1) },
      { chatId: first, ...cost(1_000, 2, 1) },
    ],
  });
  const short = await costs.summaryOf(ann.id, span, 1);
  assert.deepEqual([short.models.length, short.chats.length], [1, 1]);
  assert.deepEqual(await costs.ofPerson(ann.id, span.to), cost(1_100, 1));
});

test("a table for spreadsheets runs nothing", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  await setPrice(world, owner, 1, 1);
  await record(world, { user: owner.id, client: '=cmd("x"),1' });
  await record(world, { user: owner.id, model: "free", client: "Zed" });
  const path = `${USAGE}.csv?from=2026-01-01&to=2026-01-01&group_by=day,user,client`;
  const answer = await world.call("GET", path, { token: owner.token });
  assert.equal(answer.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.match(answer.headers.get("content-disposition") ?? "", /^attachment; .*usage-2026-01-01-/);
  const counts = "requests,errors,input_tokens,output_tokens,cache_read_input_tokens";
  assert.deepEqual(answer.text.split("\r\n"), [
    `day,user,client,${counts},cache_write_input_tokens,cost_usd,unpriced_requests`,
    `2026-01-01,owner,"'=cmd(""x""),1",1,0,1000,100,0,0,0.001100,0`,
    "2026-01-01,owner,Zed,1,0,1000,100,0,0,,1",
    "",
  ]);
});

test("spans, zones and groups that make no sense are refused with words", async () => {
  await using world = await startTestControlPlane();
  const { token } = await world.setUp();
  for (const query of [
    "from=2026-02-01&to=2026-01-01",
    "from=2024-01-01&to=2026-01-01",
    "from=yesterday",
    "time_zone=%2B05:30",
    "time_zone=Mars/Olympus",
    "group_by=moon",
    "group_by=day,day",
    "group_by=day,user,model,client",
    "q=session_id:x",
  ]) {
    const answer = await world.call("GET", `${USAGE}?${query}`, { token });
    assert.deepEqual([query, answer.status, answer.body.code], [query, 400, "request.invalid"]);
  }
  const answer = await world.call("GET", USAGE, { token });
  assert.deepEqual([answer.body.from, answer.body.to], ["2025-12-03", "2026-01-01"]);
  assert.deepEqual(answer.body.rows, []);
});

test("the catalog prices a model from its first request on, however many servers there are", async () => {
  await using world = await startTestControlPlane();
  const owner = await world.setUp();
  await using other = await startTestControlPlane({ database: world.database, clock: world.clock });
  const provider = { type: "anthropic", name: "claude" } as const;
  const model = "claude-sonnet-4-5-20250929";
  await Promise.all([
    record(world, { user: owner.id, provider, model, session: "s" }),
    record(other, { user: owner.id, provider, model, session: "s" }),
  ]);
  const { token } = owner;
  await untilTrue(async () => (await usage(world, owner)).total.unpriced_requests === 0);
  await record(other, { user: owner.id, provider, model, session: "s", input: 200_001, output: 0 });
  // 3 and 15 dollars, and 6 dollars for long prompts.
  const cost = 2 * (3_000 + 1_500) + 1_200_006;
  assert.equal((await usage(world, owner)).total.cost_micros, cost);
  const listed = await world.call("GET", `${PRICES}?search=sonnet`, { token });
  const [price] = listed.body.prices;
  assert.deepEqual(
    [listed.body.count, price.model, price.origin, price.catalog_version],
    [1, model, "catalog", "genai-prices 0.1.8"],
  );
  assert.deepEqual(price.tiers, [
    { from_tokens: 0, input: 3e6, output: 15e6, cache_read: 3e5, cache_write: 3.75e6, cache_write_1h: 6e6 },
    { from_tokens: 200_001, input: 6e6, output: 22.5e6, cache_read: 6e5, cache_write: 7.5e6, cache_write_1h: 12e6 },
  ]); // prettier-ignore
  await record(world, { user: owner.id, model: "own-model" });
  const unpriced = await world.call("GET", `${PRICES}?unpriced=true`, { token });
  assert.deepEqual(
    unpriced.body.prices.map((each: { model: string; origin: null; tiers: [] }) => [each.model, each.origin, each.tiers]),
    [["own-model", null, []]],
  ); // prettier-ignore
});

async function untilTrue(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(60_000);
  while (!(await isSo())) assert(!deadline.aborted, "it became so in time");
}
