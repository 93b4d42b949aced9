/** What chats are told of people, workspaces and providers, on a real database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestControlPlane } from "./control-plane-on-postgres-testkit.ts";

test("people and their workspaces, and that one was used", async () => {
  await using api = await startTestControlPlane();
  const { chats } = api.plane;
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  assert.equal(await chats.people.usernameOf(ann.id), "ann");
  assert.equal(await chats.people.usernameOf("00000000-0000-4000-8000-000000000000"), undefined);
  const organizationId = await chats.people.defaultOrganizationId();
  const made = await api.call("POST", "/api/v2/users/me/workspaces", {
    token: ann.token,
    body: { name: "box" },
  });
  assert.equal(made.status, 201, made.text);
  const [agent] = made.body.agents;
  const want = {
    ...{ id: made.body.id, ownerId: ann.id, organizationId, name: "box" },
    agents: [
      { id: agent.id, name: "main", isConnected: false, operatingSystem: null, directory: null },
    ],
  };
  assert.deepEqual(await chats.workspaces.find(want.id), want);
  assert.deepEqual(await chats.workspaces.listOf(ann.id), [want]);
  assert.deepEqual(await chats.workspaces.listOf(owner.id), []);
  await api.clock.advance(1_000);
  chats.workspaces.touched(want.id);
  const usedAt = async (): Promise<string> => {
    const path = `/api/v2/workspaces/${want.id}`;
    return (await api.call("GET", path, { token: ann.token })).body.last_used_at;
  };
  const deadline = AbortSignal.timeout(60_000);
  while ((await usedAt()) !== api.clock.now().toISOString()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const chatId = "00000000-0000-4000-8000-00000000000c";
  const asked = {
    id: "00000000-0000-4000-8000-00000000000d",
    ownerId: ann.id,
    name: "new",
    chatId,
  };
  const created = await chats.workspaces.create(asked);
  assert.ok(created.ok && created.value.id === asked.id && created.value.ownerId === ann.id);
  assert.deepEqual(await chats.workspaces.create(asked), created, "a call that comes again");
  const taken = await chats.workspaces.create({ ...asked, id: chatId });
  assert.deepEqual(taken, { ok: false, failure: "name_taken" });
  const { rows } = await api.database.pool.query(
    "select user_id, additional_fields from audit_events where resource_id = $1",
    [asked.id],
  );
  assert.deepEqual(rows, [
    { user_id: ann.id, additional_fields: { chat_id: chatId, system: true } },
  ]);
  await api.call("DELETE", `/api/v2/workspaces/${want.id}`, { token: ann.token });
  assert.equal(await chats.workspaces.find(want.id), undefined);
});

test("providers without their keys, those of Bedrock as such, and the deleted not at all", async () => {
  await using api = await startTestControlPlane();
  const { providers } = api.plane.chats;
  const { token, id: userId } = await api.setUp();
  const add = async (body: object): Promise<string> => {
    const made = await api.call("POST", "/api/v2/ai/providers", { token, body });
    assert.equal(made.status, 201, made.text);
    return made.body.id;
  };
  const base_url = "https://bedrock-runtime.eu-west-1.amazonaws.com";
  const keys = { access_key: "AKIA0123456789EXAMPLE", access_key_secret: "secret-0123456789" };
  const claude = await add({
    type: "anthropic",
    name: "claude",
    base_url,
    settings: { region: "eu-west-1", ...keys },
  });
  const plain = await add({
    type: "openai",
    name: "plain",
    base_url: "http://x.test/v1",
    api_keys: ["sk-first-0123456789", "sk-second-0123456789"],
  });
  const bare = await add({ type: "openai", name: "bare", base_url: "http://x.test/v1" });
  const seen = (await providers.list()).map((each) => [
    each.name,
    each.isBedrock,
    each.hasCentralCredentials,
  ]);
  assert.deepEqual(seen, [
    ["bare", false, false],
    ["claude", true, true],
    ["plain", false, true],
  ]);
  const first = await providers.directCredentials(userId, plain);
  assert.deepEqual([first.source, first.key?.reveal()], ["central", "sk-first-0123456789"]);
  assert.equal((await providers.directCredentials(userId, bare)).source, "none");
  const signed = await providers.directCredentials(userId, claude);
  assert.deepEqual(
    [signed.key, signed.bedrock?.accessKey?.reveal(), signed.bedrock?.region],
    [null, keys.access_key, "eu-west-1"],
  );
  const own = "/api/v2/users/me/ai/provider-keys/claude";
  const set = await api.call("PUT", own, { token, body: { api_key: "own-0123456789abcdef" } });
  assert.equal(set.status, 200, set.text);
  const mine = await providers.directCredentials(userId, claude);
  assert.deepEqual(
    [mine.source, mine.bedrock?.accessKey, mine.bedrock?.bearerToken?.reveal()],
    ["user", null, "own-0123456789abcdef"],
  );
  await api.call("DELETE", "/api/v2/ai/providers/plain", { token });
  assert.equal(await providers.find(plain), undefined);
  assert.equal((await providers.directCredentials(userId, plain)).source, "none");
});

test("what chats do by themselves is on record as nobody's doing, in the change's own transaction", async () => {
  await using api = await startTestControlPlane();
  const { audit } = api.plane.chats;
  const entry = {
    ...{ resourceId: "00000000-0000-4000-8000-00000000000c", target: "My chat" },
    ...{ before: { archived: false }, after: { archived: true } },
    by: "chat_auto_archive",
  } as const;
  const undone = api.database.transaction(async (sql) => {
    await audit.record(sql, entry);
    throw new Error("undone");
  });
  await assert.rejects(undone, /undone/);
  await api.database.transaction((sql) => audit.record(sql, entry));
  const { rows } = await api.database.pool.query(
    `select user_id, action, resource_type, resource_target, diff, additional_fields from audit_events
     where resource_id = $1`,
    [entry.resourceId],
  );
  assert.deepEqual(rows, [
    {
      ...{ user_id: null, action: "write", resource_type: "chat", resource_target: "My chat" },
      diff: { archived: { old: false, new: true } },
      additional_fields: { subsystem: "chat_auto_archive", system: true },
    },
  ]);
});

test("what an administrator changes of a provider counts for chats when it is answered", async () => {
  await using api = await startTestControlPlane();
  const { providers } = api.plane.chats;
  const { token } = await api.setUp();
  const body = { type: "openai", name: "openai", base_url: "https://models.example" };
  const { id } = (await api.call("POST", "/api/v2/ai/providers", { token, body })).body;
  assert.equal((await providers.find(id))?.enabled, true);
  const path = `/api/v2/ai/providers/${id}`;
  await api.call("PATCH", path, { token, body: { enabled: false } });
  assert.equal((await providers.find(id))?.enabled, false);
  await api.call("DELETE", path, { token });
  assert.equal(await providers.find(id), undefined);
});
