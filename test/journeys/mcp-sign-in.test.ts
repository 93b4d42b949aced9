/** A person signs in to a tool server with a browser, and their chat uses its tools in their name. */
import { startGuardedRemote } from "@atelier/chat-daemon/mcp/mcp-oauth-testkit";
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { setUpChats, watchChat } from "./chat-world.ts";

test("a chat uses a tool server as the person who signed in", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using world = await setUpChats(server);
  await using remote = await startGuardedRemote();
  const { person } = world;
  const made = await person.call(server, "POST", "/api/v2/mcp-servers", {
    ...{ slug: "wiki", url: remote.url, availability: "default_on", auth: { type: "oauth2" } },
  });
  assert.deepEqual([made.status, made.body.sign_in], [201, "needed"]);
  const signIn = `/api/v2/mcp-servers/${made.body.id}/sign-in`;
  const tested = await person.call(server, "POST", `/api/v2/mcp-servers/${made.body.id}/test`);
  assert.match(tested.body.message, /needs sign-in/);

  const begun = await person.call(server, "POST", signIn);
  assert.equal(begun.status, 201);
  const answer = remote.agree(begun.body.authorization_url);
  const query = new URLSearchParams({ state: answer.state, code: answer.code, iss: answer.iss });
  const callback = `${server.url}/api/v2/mcp-servers/oauth2/callback?${query.toString()}`;
  const stranger = await fetch(callback);
  assert.equal(stranger.status, 401, "the state alone lets nobody in");
  // As a browser comes back: a page of another site sent it here, with our cookie.
  const headers = { cookie: `coder_session_token=${person.token}`, "sec-fetch-site": "cross-site" };
  const page = await fetch(callback, { headers });
  assert.equal(page.status, 200, await page.clone().text());
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(await page.text(), /Signed in to wiki/);
  const again = await fetch(callback, { headers });
  assert.equal(again.status, 502);
  assert.match(((await again.json()) as { detail: string }).detail, /not begun by you/);

  const listed = await person.call(server, "GET", "/api/v2/mcp-servers");
  assert.equal(listed.body.servers[0].sign_in, "done");
  const chat = await person.create(server, '[[call:wiki__add {"a": 40, "b": 2}]]');
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.status === "waiting");
  assert.match(screen.texts.join("\n"), /tool: "42"/);

  assert.equal((await person.call(server, "DELETE", signIn)).status, 204);
  assert.equal(remote.state.refresh.size, 0, "revoked");
  const { rows } = await database.pool.query(
    "select action, resource_target from audit_events where resource_type = 'mcp_server'",
  );
  const events = rows.map((row) => `${row.action} ${row.resource_target}`).toSorted();
  // One names nothing: the state that came twice.
  assert.deepEqual(events, ["create wiki", "login ", "login wiki", "logout wiki"]);
});
