/** What a model was asked, and what it cost: through the gateway and by a chat, on a real server. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { setUpChats, watchChat, type ChatPerson } from "./chat-world.ts";

const USAGE = "/api/v2/ai-gateway/usage";
/** Dollars for a million tokens, as micro-dollars: what is asked is what is billed, to the digit. */
const PRICE = { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 };

type Tokens = {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_write_input_tokens: number;
};

function billOf(tokens: Tokens): number {
  const part = (count: number, price: number): number => Math.floor((count * price) / 1_000_000);
  return (
    part(tokens.input_tokens, PRICE.input) +
    part(tokens.output_tokens, PRICE.output) +
    part(tokens.cache_read_input_tokens, PRICE.cache_read) +
    part(tokens.cache_write_input_tokens, PRICE.cache_write)
  );
}

test("what a chat asked is what is billed, wherever one looks", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using world = await setUpChats(server);
  const { person } = world;
  const price = { provider: "anthropic", model: "claude-scripted", ...PRICE };
  const set = await person.call(server, "PUT", "/api/v2/ai-gateway/prices", price);
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const chat = await person.create(server, "Hello there");
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.status === "waiting");
  await person.send(server, chat.id, "And once more");
  await screen.until(() => screen.messages.size === 4 && screen.status === "waiting");
  await direct(server, person);

  const recorded = await settled(server, person);
  const bill = recorded.reduce((sum, each) => sum + each.cost_micros, 0);
  for (const { cost_micros: cost, token_usages: usages } of recorded) {
    assert.equal(
      cost,
      usages.reduce((sum, each) => sum + billOf(each), 0),
    );
    assert(cost > 0);
  }
  const ofChat = recorded.filter(({ session_id: session }) => session === chat.id);
  const chatBill = ofChat.reduce((sum, each) => sum + each.cost_micros, 0);
  assert(ofChat.length >= 2 && chatBill < bill);

  const cost = await person.call(server, "GET", `/api/v2/chats/${chat.id}/cost`);
  const sums = { request_count: ofChat.length, unpriced_request_count: 0 };
  const { month, ...whole } = cost.body;
  assert.deepEqual(whole, { chat_id: chat.id, total_cost_micros: chatBill, ...sums });
  assert.deepEqual([month.total_cost_micros, month.request_count], [chatBill, ofChat.length]);
  const [listed] = (await person.call(server, "GET", "/api/v2/chats")).body;
  assert.deepEqual(listed.cost, { total_cost_micros: chatBill, ...sums });

  const byClient = await person.call(server, "GET", `${USAGE}?group_by=client`);
  assert.equal(byClient.body.total.cost_micros, bill);
  const rows = byClient.body.rows as { client: string; cost_micros: number }[];
  const agents = rows.find(({ client }) => client === "Atelier Agents");
  assert.equal(agents?.cost_micros, chatBill);
  const sessions = await person.call(server, "GET", "/api/v2/ai-gateway/sessions");
  const ofSessions = (sessions.body.sessions as { cost_micros: number }[]).map(
    (each) => each.cost_micros,
  );
  assert.equal(
    ofSessions.reduce((sum, each) => sum + each, 0),
    bill,
  );
});

type Recorded = {
  readonly session_id: string;
  readonly cost_micros: number;
  readonly token_usages: readonly Tokens[];
};

/** Past the chat: a client of the gateway. */
async function direct(server: RealServer, { token }: ChatPerson): Promise<void> {
  const answer = await fetch(`${server.url}/api/v2/ai-gateway/scripted/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: "claude-scripted", max_tokens: 50 },
      messages: [{ role: "user", content: "Directly" }],
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** When what was asked is recorded, with the one that came directly. */
async function settled(server: RealServer, person: ChatPerson): Promise<readonly Recorded[]> {
  for (const late = AbortSignal.timeout(60_000); ;) {
    const { body } = await person.call(server, "GET", "/api/v2/ai-gateway/interceptions");
    const live = await person.call(server, "GET", "/api/v2/ai-gateway/sessions");
    const open = (live.body.sessions as { ended_at: string | null }[]).some(
      (each) => each.ended_at === null,
    );
    const clients = new Set((body.results as { client: string }[]).map(({ client }) => client));
    if (!open && clients.size === 2) return body.results as Recorded[];
    assert(!late.aborted, JSON.stringify(body));
  }
}
