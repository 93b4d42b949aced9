/** What people may spend on agents, on a real server: reached, told, kept, and lifted again. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { ChatMessage } from "@atelier/contract/http/chats";
import { setUpChats, watchChat, type ChatPerson } from "./chat-world.ts";

const LIMITS = "/api/v2/chats/usage-limits";
const BODY = { content: [{ type: "text", text: "More" }] };
/** A dollar for each token: a word or two reach any limit of this test. */
const DEAR = { input: 1_000_000_000_000, output: 1_000_000_000_000 };
const PRICE = { provider: "anthropic", model: "claude-scripted", ...DEAR };
const DOLLAR = 1_000_000;

async function must(
  server: RealServer,
  person: ChatPerson,
  ...[method, path, body]: [method: string, path: string, body?: unknown]
): ReturnType<RealServer["api"]> {
  const answer = await person.call(server, method, path, body);
  assert(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

async function limit(server: RealServer, person: ChatPerson, dollars: number): Promise<void> {
  const body = { enabled: true, default_limit_micros: dollars * DOLLAR, period: "month" };
  await must(server, person, "PUT", LIMITS, body);
}

/** A moment after a request has ended it is recorded. */
async function spentBy(server: RealServer, person: ChatPerson, requests: number): Promise<number> {
  for (const late = AbortSignal.timeout(20_000); ;) {
    const { body } = await must(server, person, "GET", "/api/v2/chats/cost/me/summary");
    if (body.request_count >= requests && body.unpriced_request_count === 0) {
      return body.total_cost_micros;
    }
    assert(!late.aborted, JSON.stringify(body));
  }
}

test(
  "who has spent the limit is told when it resets, loses nothing, and goes on once it is lifted",
  { timeout: 90_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using world = await setUpChats(server);
    const { person } = world;
    await must(server, person, "PUT", "/api/v2/ai-gateway/prices", PRICE);
    await limit(server, person, 1);
    const chat = await person.create(server, "Hello there");
    using view = await watchChat(server, person, chat.id);
    await view.screen.until(() => view.screen.status === "waiting");
    const spent = await spentBy(server, person, 1);
    assert(spent > DOLLAR);

    const status = await must(server, person, "GET", `${LIMITS}/status`);
    const { resets_at: resetsAt } = status.body;
    assert.deepEqual(
      [status.body.is_limited, status.body.spent_micros >= spent, status.body.limit_micros],
      [true, true, DOLLAR],
    );
    const at = `/api/v2/chats/${chat.id}/messages`;
    const [said] = (await must(server, person, "GET", at)).body.messages.filter(
      ({ role }: ChatMessage) => role === "user",
    );
    const key = { idempotency_key: randomUUID() };
    for (const [method, path] of [
      ["POST", at],
      ["PATCH", `${at}/${said.id}`],
      ["POST", "/api/v2/chats"],
    ] as const) {
      const body = method === "POST" ? { ...BODY, ...key } : BODY;
      const refused = await person.call(server, method, path, body);
      const { request_id: _id, detail, spent_micros: toldMicros, ...problem } = refused.body;
      assert.equal(refused.status, 409);
      assert.deepEqual(problem, {
        message: "You have spent what you may spend on agents.",
        code: "chat.usage_limit_reached",
        ...{ limit_micros: DOLLAR, resets_at: resetsAt },
      });
      assert(toldMicros >= status.body.spent_micros);
      assert.match(detail, new RegExp(`From ${resetsAt.slice(0, 10)} 00:00 UTC on`));
    }
    assert.equal(view.screen.messages.size, 2);

    await must(server, person, "PUT", `${LIMITS}/overrides/me`, { spend_limit_micros: 1e12 });
    const sent = await must(server, person, "POST", at, { ...BODY, ...key });
    assert.equal(sent.body.queued, false, "the same request, under the same key");
    await view.screen.until(() => view.screen.messages.size === 4);

    const costs = await must(server, person, "GET", "/api/v2/chats/cost/users");
    assert.equal(costs.body.users.length, 1);
    const summary = await must(server, person, "GET", "/api/v2/chats/cost/me/summary");
    const [model] = summary.body.by_model;
    const [dearest] = summary.body.by_chat;
    assert.deepEqual([model.model, dearest.chat_id], ["claude-scripted", chat.id]);
    assert.equal(typeof dearest.title, "string");
  },
);

test(
  "two hundred messages at once against a limit that is almost spent are taken or refused, each whole",
  { timeout: 120_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({
      postgresUrl: database.url,
      args: ["--chat-max-queued-messages", "500"],
    });
    await using world = await setUpChats(server);
    const { person } = world;
    await must(server, person, "PUT", "/api/v2/ai-gateway/prices", PRICE);
    const keys = Array.from({ length: 200 }, () => randomUUID());
    const chats = await Promise.all(
      ["One", "Two", "Three", "Four"].map(async (text) => person.create(server, text)),
    );
    // A turn, a title and a label each. The next answer is above the limit.
    const spent = await spentBy(server, person, 3 * chats.length);
    await limit(server, person, (spent + 1) / DOLLAR);
    const send = async (key: string, index: number) => {
      const path = `/api/v2/chats/${chats[index % chats.length]?.id}/messages`;
      const content = [{ type: "text", text: `message ${key}` }];
      const answer = await person.call(server, "POST", path, { content, idempotency_key: key });
      return { key, status: answer.status, code: answer.body.code };
    };
    const sent = await Promise.all(keys.map(send));
    const taken = sent.filter(({ status }) => status === 200);
    const refused = sent.filter(({ status }) => status === 409);
    assert.equal(taken.length + refused.length, keys.length);
    assert(taken.length > 0);
    const later: Awaited<ReturnType<typeof send>>[] = [];
    for (const late = AbortSignal.timeout(30_000); later.at(-1)?.status !== 409;) {
      later.push(await send(randomUUID(), later.length));
      assert(!late.aborted, "what was taken reaches the limit");
    }
    for (const { code } of [...refused, ...later.slice(-1)])
      assert.equal(code, "chat.usage_limit_reached");

    /** Each that was taken is there once, none of those that were refused is anywhere. */
    const { rows } = await database.pool.query<{ key: string; count: string }>(
      `select substring(text from 'message (.*)') as key, count(*) as count from (
       select content -> 0 ->> 'text' as text from chat_messages where role = 'user' and not deleted
       union all select content -> 0 ->> 'text' from chat_queued_messages
     ) as texts where text like 'message %' group by 1`,
    );
    const wanted = [...taken, ...later.filter(({ status }) => status === 200)];
    assert.deepEqual(
      rows.map(({ key, count }) => `${key} ${count}`).toSorted(),
      wanted.map(({ key }) => `${key} 1`).toSorted(),
    );
    const again = await Promise.all(keys.map(send));
    assert.deepEqual(
      again.filter(({ status }) => status === 200).map(({ key }) => key),
      taken.map(({ key }) => key),
      "what was taken is answered as then, and nothing more is",
    );
  },
);
