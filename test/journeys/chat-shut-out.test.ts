/** Whoever wrote a moment ago is known, and who may not any more is nobody at once: on every server. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { setUpChats } from "./chat-world.ts";

const env = { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString("base64") };
const BEN = { email: "ben@example.com", password: "correct-horse-battery-8" };

test(
  "who is shut out on one server sends nothing by another, however often they just have",
  { timeout: 90_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url, env });
    await using other = await startRealServer({ postgresUrl: database.url, env });
    const owner = await setUpFirstUser(server);
    await using world = await setUpChats(server, { token: owner.session });
    const { person } = world;
    const made = await person.call(server, "POST", "/api/v2/users", { ...BEN, username: "ben" });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const login = async (): Promise<string> =>
      (await server.api("POST", "/api/v2/users/login", { body: BEN })).body.session_token;
    const ben = { ...person, token: await login() };
    const create = { content: [{ type: "text", text: "Hello there" }] };
    const chat = await server.api("POST", "/api/v2/chats", { token: ben.token, body: create });
    assert.equal(chat.status, 201, JSON.stringify(chat.body));
    const path = `/api/v2/chats/${chat.body.id}/messages`;
    // By the database: whoever is shut out watches nothing any more either.
    const rests = async (turns: number) => {
      for (const late = AbortSignal.timeout(60_000); ;) {
        const { rows } = await database.pool.query(
          `select from chats where status = 'waiting' and (
             select count(*) from chat_messages where role = 'assistant') = $1`,
          [turns],
        );
        if (rows.length === 1) return;
        assert.ok(!late.aborted, `turn ${turns} ends`);
      }
    };
    await rests(1);
    let turns = 1;
    const sends = async (token: string, status: number) => {
      const body = { content: [{ type: "text", text: `Turn ${turns + 1}, ${status}` }] };
      assert.equal((await server.api("POST", path, { token, body })).status, status);
      if (status === 200) await rests((turns += 1));
    };
    const sendsThrice = async (token: string) => {
      for (let i = 0; i < 3; i += 1) await sends(token, 200);
    };
    const setStatus = async (to: "suspend" | "activate") => {
      const done = await person.call(other, "PUT", `/api/v2/users/ben/status/${to}`);
      assert.ok(done.status < 300, JSON.stringify(done.body));
    };

    await sendsThrice(ben.token);
    await setStatus("suspend");
    await sends(ben.token, 401);
    await setStatus("activate");
    const again = await login();
    await sendsThrice(again);
    const over = await other.api("POST", "/api/v2/users/logout", { token: again });
    assert.ok(over.status < 300, JSON.stringify(over.body));
    await sends(again, 401);
    await sends(again, 401);
    await sends(await login(), 200);

    const kept = await database.pool.query("select content::text from chat_messages");
    const everything = JSON.stringify([kept.rows, world.model.requests]);
    assert.match(everything, /Turn 8, 200/);
    assert.doesNotMatch(everything, /, 401/, "nothing is kept, and no model was asked");
  },
);
