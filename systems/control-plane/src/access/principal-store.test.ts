import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";
import { parseApiKey } from "./api-key.ts";
import { findPrincipal, findUserId } from "./principal-store.ts";

test("a principal is found by its whole credential only", async () => {
  await using api = await startTestControlPlane();
  const { sql } = api.database;
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  const other = parseApiKey(await api.logIn("owner"));
  assert.ok(key !== null && other !== null);
  const found = await findPrincipal(sql, key);
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
  assert.equal(await findPrincipal(sql, { id: key.id, secret: other.secret }), undefined);
});

test("a deleted user's credentials and names lead nowhere, even if their rows remained", async () => {
  await using api = await startTestControlPlane();
  const { sql, pool } = api.database;
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  assert.ok(key !== null);
  assert.equal(await findUserId(sql, "OWNER"), owner.id);
  await pool.query("update users set deleted_at = now()");
  assert.equal(await findPrincipal(sql, key), undefined);
  assert.equal(await findUserId(sql, "owner"), undefined);
  assert.equal(await findUserId(sql, owner.id), undefined);
});

test("a role that this version does not know grants nothing", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const key = parseApiKey(owner.token);
  assert.ok(key !== null);
  await api.database.pool.query("update users set roles = '{superhero,auditor}'");
  assert.deepEqual((await findPrincipal(api.database.sql, key))?.principal.actor.roles, [
    "auditor",
  ]);
});
