import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type { Endpoint } from "@atelier/contract/endpoint";
import { FAILURES } from "@atelier/contract/failures";
import * as contract from "@atelier/contract/http/ai-usage";
import type { RequestTrail } from "@atelier/contract/http/request-trail";
import type { Role } from "@atelier/contract/permissions";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { createMetrics } from "@atelier/host/metrics";
import { testDatabase } from "@atelier/testkit/test-database";
import fc from "fast-check";
import { sql as text } from "kysely";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { createInterceptionRecorder } from "./interception-recorder-actions.ts";
import { usageRoutes } from "./usage-routes.ts";

type Session = z.output<typeof contract.AiSession>;
type Thread = z.output<typeof contract.AiThread>;

function person(username: string, id: string, roles: Role[] = [], scopes = ["all"]): Actor {
  const email = `${username}@example.com`;
  return { userId: id, username, email, roles, scopes, apiKeyId: "k", keyKind: "session" };
}

const ANN = person("ann", "0000000a-0000-4000-8000-000000000000");
const BOB = person("bob", "0000000b-0000-4000-8000-000000000000");
const OWNER = person("olga", "0000000c-0000-4000-8000-000000000000", ["owner"]);
const AUDITOR = person("aude", "0000000d-0000-4000-8000-000000000000", ["auditor"]);
const NARROW = person("ann", ANN.userId, [], ["ai_gateway:use"]);
const NARROW_OWNER = person("olga", OWNER.userId, ["owner"], ["user:read"]);

type Spec = {
  readonly actor?: Actor;
  readonly second: number;
  readonly session?: string;
  readonly model?: string;
  readonly after?: string;
  readonly calls?: string[];
  readonly prompt?: string;
  readonly live?: boolean;
  readonly error?: InterceptionEnd["error"];
  readonly trail?: InterceptionEnd["trail"];
  readonly changes?: Partial<InterceptionStart>;
};

async function startApi() {
  const database = await testDatabase();
  for (const { userId, username, email } of [ANN, BOB, OWNER, AUDITOR]) {
    await text`
      insert into users (id, email, username, name, status, created_at, updated_at)
      values (${userId}, ${email}, ${username}, ${username.toUpperCase()}, 'active', now(), now())
    `.execute(database.sql);
  }
  const recorder = createInterceptionRecorder({
    database,
    clock: systemClock,
    log: silentLogger,
    metrics: createMetrics(),
    replicaId: randomUUID(),
    logRecords: false,
  });
  const routes = usageRoutes({ database });
  /** Calls a route as the HTTP edge does. */
  const send = async (endpoint: Endpoint, actor: Actor, request: { params?: object; query?: object } = {}) => {
    const handler = routes.find((each) => each.endpoint === endpoint)?.handler;
    const params = endpoint.params.safeParse(request.params ?? {});
    const query = endpoint.query.safeParse(request.query ?? {});
    if (!params.success || !query.success) return { want: "400 request.invalid", body: null };
    const outcome = await handler?.({ actor, params: params.data, query: query.data } as never);
    assert(outcome !== undefined);
    if (!outcome.ok) {
      const { code } = outcome.failure;
      return { want: `${FAILURES[code].status} ${code}`, body: null };
    }
    return { want: "200", body: endpoint.success.body?.parse(outcome.value) };
  }; // prettier-ignore
  return {
    database,
    send,
    async record(spec: Spec): Promise<string> {
      const { actor = ANN, session = null, model = "sonnet" } = spec;
      const startedAt = new Date(Date.UTC(2026, 10, 20) + spec.second * 1_000);
      const id = randomUUID();
      await recorder.start({
        id,
        caller: { userId: actor.userId, username: "", email: "", apiKeyId: "key1" },
        provider: { type: "anthropic", name: "claude" },
        model,
        client: "Claude Code",
        clientSessionId: session,
        userAgent: "ua",
        correlatingToolCallId: spec.after ?? null,
        credentialKind: "centralized",
        credentialHint: "",
        startedAt,
        ...spec.changes,
      });
      const responseId = `r-${id}`;
      const tokens = { responseId, input: 10, output: 1, cacheReadInput: 2, cacheWriteInput: 3 };
      const calls = (spec.calls ?? []).map((toolCallId) => ({ responseId, toolCallId, tool: "bash", input: "{}" })); // prettier-ignore
      if (spec.live !== true) {
        recorder.end({
          id,
          startedAt,
          endedAt: new Date(startedAt.getTime() + 500),
          credentialHint: "sk",
          error: spec.error ?? null,
          tokens: [{ ...tokens, extra: { output_reasoning: 7 } }],
          prompts: spec.prompt === undefined ? [] : [{ responseId, prompt: spec.prompt }],
          toolCalls: calls,
          thoughts: [{ source: "thinking", content: `thought ${spec.second}` }],
          trail: spec.trail ?? null,
        });
      }
      await recorder.drain(new AbortController().signal);
      return id;
    },
    async sessions(actor: Actor, query: object = {}) {
      const answer = await send(contract.listAiSessions, actor, { query });
      assert.equal(answer.want, "200");
      return answer.body as { sessions: Session[]; count: number };
    },
    async session(actor: Actor, id: string, query: object = {}) {
      const answer = await send(contract.getAiSession, actor, { params: { session: id }, query });
      assert.equal(answer.want, "200");
      return answer.body as Omit<Session, "threads"> & { threads: Thread[]; thread_count: number };
    },
    async [Symbol.asyncDispose]() {
      await recorder[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const idsOf = (list: { sessions: Session[] }): string[] => list.sessions.map(({ id }) => id);

test("a session is listed with everything it sums up", async () => {
  await using api = await startApi();
  await api.record({ second: 0, session: "s", calls: ["t"], prompt: "Fix it" });
  await api.record({ second: 2, session: "s", after: "t", model: "opus", error: { type: "timeout", message: "m" } }); // prettier-ignore
  assert.deepEqual(await api.sessions(OWNER), {
    sessions: [
      {
        id: "s",
        initiator: { id: ANN.userId, username: "ann", name: "ANN" },
        providers: ["anthropic"],
        provider_names: ["claude"],
        models: ["opus", "sonnet"],
        client: "Claude Code",
        metadata: { request_user_agent: "ua" },
        started_at: "2026-11-20T00:00:00.000Z",
        ended_at: "2026-11-20T00:00:02.500Z",
        threads: 1,
        interceptions: 2,
        token_usage_summary: {
          input_tokens: 20,
          output_tokens: 2,
          cache_read_input_tokens: 4,
          cache_write_input_tokens: 6,
        },
        cost_micros: null,
        unpriced_requests: 2,
        last_prompt: "Fix it",
        last_active_at: "2026-11-20T00:00:02.000Z",
        errors: 1,
      },
    ],
    count: 1,
  });
});

test("a session with a request under way is open, and counts it", async () => {
  await using api = await startApi();
  await api.record({ second: 0, session: "s", calls: ["t"] });
  await api.record({ second: 1, session: "s", live: true });
  await api.record({ second: 2, session: "s", after: "t", live: true });
  const [session] = (await api.sessions(ANN)).sessions;
  assert.deepEqual([session?.ended_at, session?.interceptions, session?.threads], [null, 3, 2]);
  const detail = await api.session(ANN, "s");
  assert.deepEqual(detail.threads.map((thread) => thread.ended_at), [null, null]); // prettier-ignore
  const list = await api.send(contract.listInterceptions, ANN);
  assert.equal((list.body as { count: number }).count, 1, "only ended ones are listed");
});

const LISTS = [contract.listAiSessions, contract.listInterceptions, contract.listUsedModels, contract.listUsedClients, contract.listUsedProviders]; // prettier-ignore
const VIEWS: [name: string, actor: Actor, sees: number | null][] = [
  ["an owner", OWNER, 2],
  ["an auditor", AUDITOR, 2],
  ["a member with records", ANN, 1],
  ["a token without the scope", NARROW, null],
  ["an owner's token without the scope", NARROW_OWNER, null],
  ["a member without records", person("new", randomUUID()), 0],
]; // prettier-ignore
for (const [name, actor, sees] of VIEWS) {
  test(`${name} sees ${sees === null ? "404" : `the records of ${sees}`} in every list`, async () => {
    await using api = await startApi();
    for (const each of [ANN, BOB]) {
      const { username: client } = each;
      const provider = { type: "openai", name: client };
      const changes = { client, provider };
      await api.record({ actor: each, second: 1, session: client, model: client, changes });
    }
    for (const endpoint of LISTS) {
      const answer = await api.send(endpoint, actor);
      const seen = (answer.body as { count: number } | null)?.count ?? null;
      assert.equal(seen, sees, endpoint.path);
      if (sees === null) assert.equal(answer.want, "404 resource.not_found");
    }
    const bobs = await api.send(contract.getAiSession, actor, { params: { session: "bob" } });
    assert.equal(bobs.want, sees === 2 ? "200" : "404 resource.not_found");
    const asked = { query: { q: "initiator:bob" } };
    const others = await api.send(contract.listAiSessions, actor, asked);
    if (sees !== null) assert.equal((others.body as { count: number }).count, sees === 2 ? 1 : 0);
  });
}

test("sessions and interceptions are narrowed by each key, alone and together", async () => {
  await using api = await startApi();
  await api.record({ second: 0, session: "one", model: "a b" });
  const provider = { type: "openai", name: "oa" };
  await api.record({ second: 10, session: "two", model: "m2", changes: { provider, client: "Codex" } }); // prettier-ignore
  await api.record({ actor: BOB, second: 20, session: "three", model: "m2" });
  for (const [q, want] of [
    ["", ["three", "two", "one"]],
    ["initiator:ann", ["two", "one"]],
    [`initiator:${BOB.userId}`, ["three"]],
    ["initiator:ANN model:m2", ["two"]],
    ["initiator:me", []],
    ["initiator:nobody", []],
    ["provider:openai", ["two"]],
    ["provider_name:claude", ["three", "one"]],
    ['model:"a b"', ["one"]],
    ["client:Codex", ["two"]],
    ["session_id:two", ["two"]],
    ["started_after:2026-11-20T00:00:10Z", ["three"]],
    ["started_before:2026-11-20T01:00:10+01:00", ["one"]],
  ] as const) {
    const list = await api.sessions(OWNER, { q });
    assert.deepEqual(idsOf(list), want, q);
    assert.equal(list.count, want.length);
    const { body } = await api.send(contract.listInterceptions, OWNER, { query: { q } });
    const { results } = body as { results: { session_id: string }[] };
    assert.deepEqual(results.map((each) => each.session_id), want, q); // prettier-ignore
  }
});

const BAD_QUERIES: [endpoint: Endpoint, query: object][] = [
  [contract.listAiSessions, { q: "nonsense:1" }],
  [contract.listAiSessions, { q: "started_after:yesterday" }],
  [contract.listAiSessions, { limit: 1_001 }],
  [contract.listAiSessions, { limit: 0 }],
  [contract.listAiSessions, { after_session_id: "unknown" }],
  [contract.listAiSessions, { after_session_id: "s", offset: 1 }],
  [contract.listInterceptions, { after_id: randomUUID() }],
  [contract.listInterceptions, { after_id: "x" }],
  [contract.listInterceptions, { limit: 1_001 }],
  [contract.listUsedModels, { limit: 1_001 }],
  [contract.getAiSession, { after_id: randomUUID() }],
  [contract.getAiSession, { before_id: randomUUID() }],
  [contract.getAiSession, { limit: 201 }],
];
test("a query that cannot be answered is 400", async () => {
  await using api = await startApi();
  const id = await api.record({ second: 0, session: "s" });
  const both: [Endpoint, object] = [contract.getAiSession, { after_id: id, before_id: id }];
  for (const [endpoint, query] of [...BAD_QUERIES, both]) {
    const params = endpoint === contract.getAiSession ? { session: "s" } : {};
    const answer = await api.send(endpoint, OWNER, { params, query });
    assert.equal(answer.want, "400 request.invalid", JSON.stringify(query));
  }
  const unknown = await api.send(contract.getAiSession, OWNER, { params: { session: "unknown" } });
  assert.equal(unknown.want, "404 resource.not_found");
});

test("somebody else's session or interception is no cursor", async () => {
  await using api = await startApi();
  const id = await api.record({ actor: BOB, second: 0, session: "bobs" });
  const sessions = await api.send(contract.listAiSessions, ANN, { query: { after_session_id: "bobs" } }); // prettier-ignore
  const interceptions = await api.send(contract.listInterceptions, ANN, {
    query: { after_id: id },
  });
  assert.deepEqual([sessions.want, interceptions.want], ["400 request.invalid", "400 request.invalid"]); // prettier-ignore
});

test("any pages, put together, are the whole list: by cursor and by offset", async () => {
  await using api = await startApi();
  // Times that repeat, so that the order of equals counts too; ids that two people share.
  for (let index = 0; index < 23; index += 1) {
    const actor = index % 2 === 0 ? ANN : BOB;
    await api.record({ actor, second: index % 4, session: `s${index % 19}` });
  }
  const { sessions: all } = await api.sessions(OWNER);
  assert.equal(all.length, 23);
  const key = (session: Session) => `${session.initiator.id}/${session.id}`;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 25 }), async (limit) => {
      const byCursor: string[] = [];
      const byOffset: string[] = [];
      for (let after: string | undefined; ; after = byCursor.at(-1)) {
        const query = after === undefined ? { limit } : { limit, after_session_id: after };
        const { sessions, count } = await api.sessions(OWNER, query);
        assert.equal(count, 23);
        byCursor.push(...sessions.map(key));
        if (sessions.length < limit) break;
      }
      for (let offset = 0; offset < 23; offset += limit) {
        byOffset.push(...(await api.sessions(OWNER, { limit, offset })).sessions.map(key));
      }
      assert.deepEqual(byCursor, all.map(key));
      assert.deepEqual(byOffset, all.map(key));
    }),
    { numRuns: 10 },
  );
  const plain = await api.send(contract.listAiSessions, OWNER, {
    query: { after_session_id: "s1" },
  });
  assert.equal(plain.want, "400 request.invalid", "an id of two people is ambiguous");
  const own = await api.sessions(ANN, { after_session_id: "s0" });
  assert(own.sessions.length > 0, "but not among one's own");
});

test("interceptions are paged by their start, with all their records", async () => {
  await using api = await startApi();
  const ids: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    ids.push(await api.record({ second: index % 3, session: "s", prompt: `p${index}`, calls: [`t${index}`] })); // prettier-ignore
  }
  const read = async (query: object) => {
    const { body } = await api.send(contract.listInterceptions, ANN, { query });
    return (body as { results: z.output<typeof contract.Interception>[] }).results;
  };
  const all = await read({});
  assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(ids));
  const paged: string[] = [];
  for (let page = await read({ limit: 2 }); page.length > 0;) {
    paged.push(...page.map(({ id }) => id));
    page = await read({ limit: 2, after_id: paged.at(-1) });
  }
  assert.deepEqual(paged, all.map(({ id }) => id)); // prettier-ignore
  const [first] = all;
  assert.equal(first?.user_prompts.length, 1);
  assert.equal(first?.tool_usages[0]?.tool, "bash");
  assert.deepEqual(first?.token_usages[0]?.metadata, { output_reasoning: 7 });
  assert.equal(first?.model_thoughts[0]?.source, "thinking");
});

test("a session's threads hold their steps, are paged both ways, and sum up their tokens", async () => {
  await using api = await startApi();
  const roots: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    const call = `t${index}`;
    roots.unshift(await api.record({ second: index * 10, session: "s", prompt: `do ${index}`, calls: [call] })); // prettier-ignore
    await api.record({ second: index * 10 + 1, session: "s", after: call, model: "opus" });
  }
  const detail = await api.session(OWNER, "s");
  assert.deepEqual(detail.threads.map(({ id }) => id), roots); // prettier-ignore
  assert.equal(detail.thread_count, 5);
  const [latest] = detail.threads;
  assert.deepEqual(
    [latest?.prompt, latest?.model, latest?.credential_hint, latest?.ended_at],
    ["do 4", "sonnet", "sk", "2026-11-20T00:00:41.500Z"],
  );
  assert.equal(latest?.token_usage.input_tokens, 20);
  assert.deepEqual(
    latest?.agentic_actions.map(({ model, tool_calls: calls, thinking }) => [model, calls.length, thinking]),
    [["sonnet", 1, ["thought 40"]], ["opus", 0, ["thought 41"]]],
  ); // prettier-ignore
  const page = async (query: object) =>
    (await api.session(OWNER, "s", query)).threads.map(({ id }) => id);
  assert.deepEqual(await page({ limit: 2 }), roots.slice(0, 2));
  assert.deepEqual(await page({ limit: 2, after_id: roots[1] }), roots.slice(2, 4));
  assert.deepEqual(await page({ limit: 2, after_id: roots[4] }), []);
  assert.deepEqual(await page({ limit: 2, before_id: roots[4] }), roots.slice(2, 4));
  assert.deepEqual(await page({ limit: 9, before_id: roots[1] }), roots.slice(0, 1));
});

test("how a request was served is with it in its session and in lists", async () => {
  await using api = await startApi();
  const attempt = {
    ...{ keyHint: "sk-1", reason: "first", passedOver: [], waitedMs: null, offsetMs: 0 } as const,
    ...{ durationMs: 300, outcome: "set_aside", status: 429, cause: null, isRepaired: false } as const,
    keyEffect: { state: "temporary", until: new Date("2026-11-20T12:04:10Z") } as const,
  };
  const trail = {
    ...{ kind: "told", attemptsLeftOut: 0, refusal: null, breaker: null } as const,
    attempts: [attempt, { ...attempt, keyHint: "sk-2", reason: "next", outcome: "answered", status: 200, keyEffect: null } as const],
  };
  await api.record({ second: 0, session: "s", trail: { kind: "plain", reason: "first" } });
  await api.record({ second: 1, session: "s", trail });
  await api.record({ second: 2, session: "s" });
  await api.record({ second: 3, session: "s", live: true });
  const storyOf = (each: { trail: z.output<typeof RequestTrail> | null }) =>
    each.trail?.attempts.map((one) => [one.key_hint, one.reason, one.outcome, one.status, one.key_effect?.until ?? null].join(" ")) ?? null;
  const want = [null, ["sk-1 first set_aside 429 2026-11-20T12:04:10.000Z", "sk-2 next answered 200 "], ["sk first answered 200 "]];
  const { threads } = await api.session(ANN, "s");
  assert.deepEqual(threads.flatMap((thread) => thread.agentic_actions.map(storyOf)), [null, ...want]);
  assert.equal(threads[0]?.agentic_actions[0]?.provider_name, "claude");
  const { body } = await api.send(contract.listInterceptions, OWNER);
  const { results } = body as z.output<typeof contract.listInterceptions.success.body>;
  assert.deepEqual(results.map(storyOf), want);
}); // prettier-ignore

test("of a session id that two people used, one's own comes first, else whose it is can be said", async () => {
  await using api = await startApi();
  await api.record({ actor: ANN, second: 0, session: "s" });
  await api.record({ actor: BOB, second: 9, session: "s" });
  const admin = person("ann", ANN.userId, ["owner"]);
  assert.equal((await api.session(admin, "s")).initiator.username, "ann");
  assert.equal((await api.session(OWNER, "s")).initiator.username, "bob", "the latest");
  assert.equal((await api.session(OWNER, "s", { initiator: "ann" })).initiator.username, "ann");
  assert.equal((await api.session(ANN, "s")).initiator.username, "ann");
});

test("filter values begin with the prefix, each once, sorted", async () => {
  await using api = await startApi();
  for (const [index, model] of ["gpt-5", "gpt-4", "claude", "gpt-5"].entries()) {
    await api.record({ actor: index % 2 === 0 ? ANN : BOB, second: index, model });
  }
  const read = async (actor: Actor, query: object) =>
    (await api.send(contract.listUsedModels, actor, { query })).body as { results: string[] };
  assert.deepEqual((await read(OWNER, { q: "gpt" })).results, ["gpt-4", "gpt-5"]);
  assert.deepEqual((await read(OWNER, { q: "%" })).results, []);
  assert.deepEqual((await read(OWNER, { limit: 1 })).results, ["claude"]);
  assert.deepEqual((await read(ANN, {})).results, ["claude", "gpt-5"]);
});
