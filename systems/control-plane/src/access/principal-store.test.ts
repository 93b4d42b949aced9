import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "@atelier/base/system-random";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";
import { parseApiKey } from "./api-key.ts";
import { findKeyAtChat, findPrincipal, findUserId, presentedAtChat } from "./principal-store.ts";

test("a principal is found by its whole credential only", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  const other = parseApiKey(await api.logIn("owner"));
  assert.ok(key !== null && other !== null);
  const found = await findPrincipal(api.database, key);
  assert.deepEqual(found, {
    principal: {
      actor: {
        userId: owner.id,
        username: "owner",
        email: "owner@example.com",
        roles: ["owner"],
        scopes: ["all"],
        apiKeyId: key.id,
        keyKind: "session",
      },
      userStatus: "active",
      expiresAt: new Date("2026-01-02T00:00:00Z"),
      lifetimeSeconds: 86_400,
    },
    lastUsedAt: new Date("2026-01-01T00:00:00Z"),
  });
  assert.equal(await findPrincipal(api.database, { id: key.id, secret: other.secret }), undefined);
});

test("with a principal comes a chat as this user finds it: a child is shared with its root", async () => {
  await using api = await startTestControlPlane();
  const { pool } = api.database;
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  assert.ok(key !== null);
  const [model, root, child, none] = Array.from({ length: 4 }, () => systemRandom.uuid());
  await pool.query(
    `insert into chat_model_configs (id, organization_id, model, context_limit,
       compression_threshold, created_at, updated_at)
     select $1, id, 'scripted', 1000, 70, now(), now() from organizations`,
    [model],
  );
  await pool.query(
    `insert into chats (id, organization_id, owner_id, parent_chat_id, root_chat_id, status,
       last_model_config_id, created_at, updated_at)
     select given.id, organizations.id, $1, given.root, given.root, 'waiting', $2, now(), now()
     from organizations, (values ($3::uuid, null), ($4::uuid, $3::uuid)) as given (id, root)`,
    [owner.id, model, root, child],
  );
  const find = async (chatId = "", presented = key) => {
    const found = await findKeyAtChat(api.database, key.id, chatId);
    return found && presentedAtChat(presented, found);
  };
  const principal = await findPrincipal(api.database, key);
  const own = { ownerId: owner.id, isShared: false };
  assert.deepEqual(await find(none), { ...principal, chat: undefined });
  assert.deepEqual(await find(child), { ...principal, chat: own });
  await pool.query("insert into chat_readers values ($1, $2, now())", [root, owner.id]);
  for (const id of [root, child]) {
    assert.deepEqual((await find(id))?.chat, { ...own, isShared: true });
  }
  const other = parseApiKey(await api.logIn("owner"));
  const forged = { id: key.id, secret: other?.secret ?? assert.fail("there is another") };
  assert.equal(await find(child, forged), undefined);
});

test("a deleted user's credentials and names lead nowhere, even if their rows remained", async () => {
  await using api = await startTestControlPlane();
  const { sql, pool } = api.database;
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  assert.ok(key !== null);
  assert.equal(await findUserId(sql, "OWNER"), owner.id);
  await pool.query("update users set deleted_at = now()");
  assert.equal(await findPrincipal(api.database, key), undefined);
  assert.equal(await findUserId(sql, "owner"), undefined);
  assert.equal(await findUserId(sql, owner.id), undefined);
});

test("a role that this version does not know grants nothing", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  assert.ok(key !== null);
  await api.database.pool.query("update users set roles = '{superhero,auditor}'");
  assert.deepEqual((await findPrincipal(api.database, key))?.principal.actor.roles, ["auditor"]);
});
