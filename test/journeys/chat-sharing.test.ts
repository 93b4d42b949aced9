/** A chat is shared with a person, who reads it at any server, does nothing else, and is shut out at once. */
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats, watchChat, type ChatPerson } from "./chat-world.ts";

const PASSWORD = "correct-horse-battery-9";

/** Several servers over one database know the same key. */
const ENV = { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString("base64") };

/** Somebody who administers nothing. */
async function addMember(server: RealServer, owner: ChatPerson, username: string) {
  const email = `${username}@example.com`;
  const made = await owner.call(server, "POST", "/api/v2/users", {
    ...{ email, username, password: PASSWORD },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const login = await server.api("POST", "/api/v2/users/login", {
    body: { email, password: PASSWORD },
  });
  const member: ChatPerson = { ...owner, token: login.body.session_token };
  const call: ChatPerson["call"] = (target, method, path, body) =>
    target.api(method, path, { token: member.token, ...(body === undefined ? {} : { body }) });
  return { ...member, call, id: String(made.body.id), email, password: PASSWORD };
}

test("who a chat is shared with reads it and nothing else, until it is shared no longer", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url, env: ENV });
  await using other = await startRealServer({ postgresUrl: database.url, env: ENV });
  await using world = await setUpChats(server);
  const ann = world.person;
  const bob = await addMember(server, ann, "bob");
  const carl = await addMember(server, ann, "carl");
  const upload = await fetch(`${server.url}/api/v2/chats/files`, {
    method: "POST",
    headers: { "coder-session-token": ann.token, "content-type": "text/plain" },
    body: "Bees dance.\n",
  });
  const file = ((await upload.json()) as { id: string }).id;
  const chat = await ann.create(server, "Read this", {
    content: [
      { type: "text", text: "Read this" },
      { type: "file", file_id: file },
    ],
  });
  const at = `/api/v2/chats/${chat.id}`;
  const shared = "/api/v2/chats?q=source:shared_with_me";
  assert.equal(chat.shared, false);
  using own = await watchChat(server, ann, chat.id);
  await own.screen.until(() => own.screen.status === "waiting");
  assert.equal((await bob.call(server, "GET", at)).status, 404);
  assert.deepEqual((await bob.call(server, "GET", shared)).body, []);

  const share = (roles: object, who = ann) =>
    who.call(server, "PATCH", `${at}/acl`, { user_roles: roles });
  const nobody = await share({ bob: "read", linus: "read" });
  assert.equal(nobody.status, 400);
  assert.equal(nobody.body.validations[0].field, "user_roles.linus");
  assert.equal((await share({ ann: "read" })).status, 400);
  assert.equal((await bob.call(server, "GET", at)).status, 404, "nothing of a wrong list is done");
  assert.equal((await share({ BOB: "read", linus: "" })).status, 204);
  const readers = await ann.call(server, "GET", `${at}/acl`);
  assert.deepEqual(
    readers.body.users.map((each: { username: string; role: string }) => [
      ...[each.username, each.role],
    ]),
    [["bob", "read"]],
  );

  const seen = await bob.call(other, "GET", at);
  assert.deepEqual([seen.status, seen.body.shared, seen.body.owner_username], [200, true, "ann"]);
  const listed = (await bob.call(other, "GET", shared)).body;
  assert.deepEqual(
    listed.map((each: { id: string; owner_username: string }) => [each.id, each.owner_username]),
    [[chat.id, "ann"]],
  );
  assert.deepEqual((await bob.call(other, "GET", "/api/v2/chats")).body, [], "it is not his own");
  const wrong = await bob.call(other, "GET", `${shared}%20section:idle`);
  assert.equal(wrong.status, 400);
  const messages = await bob.call(other, "GET", `${at}/messages`);
  assert.equal(messages.body.messages.length, own.screen.messages.size);
  assert.equal((await bob.call(other, "GET", `/api/v2/chats/files/${file}`)).status, 200);
  assert.equal((await carl.call(other, "GET", `/api/v2/chats/files/${file}`)).status, 404);
  assert.equal((await carl.call(other, "GET", at)).status, 404);
  const refused = await Promise.all([
    bob.call(other, "PATCH", at, { title: "Mine" }),
    bob.call(other, "POST", `${at}/messages`, { content: [{ type: "text", text: "Hi" }] }),
    bob.call(other, "POST", `${at}/interrupt`),
    bob.call(other, "POST", `${at}/compact`),
    bob.call(other, "POST", `${at}/title/propose`),
    share({ carl: "read" }, bob),
  ]);
  assert.deepEqual(
    refused.map(({ status }) => status),
    [404, 404, 404, 404, 404, 404],
  );

  using view = await watchChat(other, bob, chat.id);
  await view.screen.until(() => view.screen.texts.length === own.screen.texts.length);
  await ann.send(server, chat.id, "Go on");
  await view.screen.until(() => view.screen.texts.includes("assistant: You said: Go on"));
  // What one was shown is not unread for the owner's sake, nor read: nothing of hers has moved.
  assert.equal((await share({ [bob.id]: "" })).status, 204);
  assert.equal(
    typeof (await view.closed),
    "number",
    "his stream ends at once, at the other server",
  );
  assert.equal((await bob.call(other, "GET", at)).status, 404);
  assert.equal((await bob.call(other, "GET", `/api/v2/chats/files/${file}`)).status, 404);
  assert.equal((await ann.call(server, "GET", at)).body.shared, false);

  const audit = await ann.call(server, "GET", "/api/v2/audit?q=resource_type:chat%20action:write");
  const diffs = audit.body.audit_logs.map((each: { diff: object }) => each.diff);
  assert.ok(
    diffs.some((diff: object) => JSON.stringify(diff).includes(bob.id)),
    JSON.stringify(diffs),
  );
  type Entry = { resource_id: string; status_code: number; diff: object };
  const sent = audit.body.audit_logs.filter(
    (each: Entry) =>
      each.resource_id === chat.id &&
      each.status_code === 200 &&
      "{}" === JSON.stringify(each.diff),
  );
  assert.equal(sent.length, 1, "a message has one entry");
});

test("a deployment without sharing shows nobody what was shared before", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url, env: ENV });
  await using world = await setUpChats(server);
  const ann = world.person;
  const bob = await addMember(server, ann, "bob");
  const chat = await ann.create(server, "Hello");
  const at = `/api/v2/chats/${chat.id}`;
  const roles = { user_roles: { bob: "read" } };
  assert.equal((await ann.call(server, "PATCH", `${at}/acl`, roles)).status, 204);
  const args = ["--chat-sharing-enabled=false"];
  await using strict = await startRealServer({ postgresUrl: database.url, args, env: ENV });
  assert.equal((await bob.call(server, "GET", at)).status, 200);
  assert.equal((await bob.call(strict, "GET", at)).status, 404);
  assert.deepEqual(
    (await bob.call(strict, "GET", "/api/v2/chats?q=source:shared_with_me")).body,
    [],
  );
  const refused = await ann.call(strict, "PATCH", `${at}/acl`, roles);
  assert.deepEqual([refused.status, refused.body.code], [403, "chat.sharing_disabled"]);
  const away = { user_roles: { bob: "" } };
  assert.equal((await ann.call(strict, "PATCH", `${at}/acl`, away)).status, 204);
  assert.equal((await bob.call(server, "GET", at)).status, 404);
});

test(
  "in the browser a person lets another read along, who finds it among what is shared",
  { ...WITHOUT_CHROMIUM, timeout: 400_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url, env: ENV });
    const owner = await setUpFirstUser(server);
    const model = await startScriptedModel();
    await using chats = await setUpChats(server, { token: owner.session, model });
    const bob = await addMember(server, chats.person, "bob");
    const chat = await chats.person.create(server, "Mend the roof");
    await using world = await openBrowser(server.url);
    const { page } = world;
    const findings: string[] = [];
    await signIn(page, owner);
    await page.goto(`chats/${chat.id}`);
    await page.getByText("You said: Mend the roof").waitFor();
    await page.getByRole("button", { name: "About this chat" }).click();
    const readers = page.getByRole("region", { name: "Who may read it" });
    await readers.getByText("You and administrators.").waitFor();
    const field = readers.getByLabel("Let somebody read it");
    await field.fill("linus");
    await readers.getByRole("button", { name: "Share", exact: true }).click();
    await readers.getByText("There is nobody of this name.").waitFor();
    assert.equal(await field.inputValue(), "linus", "what was typed stays");
    await field.fill("bob");
    await readers.getByRole("button", { name: "Share", exact: true }).click();
    const remove = readers.getByRole("button", { name: "Remove bob" });
    await remove.waitFor();
    findings.push(...(await judgePage(page, "chat-shared-with")));

    const bobs = await world.newPage();
    await signIn(bobs, bob);
    await bobs.goto("chats?view=shared");
    await bobs.getByRole("heading", { name: "Shared with you" }).waitFor();
    await bobs.getByText("by ann").waitFor();
    assert.equal(await bobs.getByRole("button", { name: /^Archive/ }).count(), 1, "no rows' own");
    findings.push(...(await judgePage(bobs, "chats-shared")));
    await bobs.getByRole("link", { name: chat.title }).click();
    await bobs.getByText("You said: Mend the roof").waitFor();
    await bobs.getByText("Only ann writes here. You read along.").waitFor();
    findings.push(...(await judgePage(bobs, "chat-read-along")));

    await remove.click();
    await readers.getByText("You and administrators.").waitFor();
    await bobs.getByText("This chat is gone").waitFor();
    await bobs.goto("chats?view=shared");
    await bobs.getByText("Nobody shares an agent with you").waitFor();
    findings.push(...(await judgePage(bobs, "chats-shared-empty")));
    assert.deepEqual(findings, []);
  },
);
