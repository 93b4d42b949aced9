import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";

const TOKENS = "/api/v2/users/me/keys/tokens";
const DAY_MS = 86_400_000;

test("a token's value is shown once, works, and only a hash of its secret is stored", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const body = { token_name: "ci", lifetime: 3_600_000_000_000 };
  const made = await api.call("POST", TOKENS, { token, body });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body.expires_at, "2026-01-01T01:00:00.000Z");
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: made.body.key })).status, 200);

  const [, secret] = made.body.key.split("-");
  for (const path of [TOKENS, "/api/v2/users/me/keys/ci", "/api/v2/audit"]) {
    const shown = await api.call("GET", path, { token });
    assert.equal(shown.status, 200);
    assert.ok(!shown.text.includes(secret), path);
  }
  const { rows } = await api.database.pool.query(
    "select api_keys::text as keys from api_keys where id = $1",
    [made.body.id],
  );
  assert.ok(!rows[0].keys.includes(secret));
});

test("tokens are listed with and without the expired ones, found by id and name, and revoked", async () => {
  await using api = await startTestControlPlane();
  const { token, id: userId } = await api.setUp();
  const make = async (body: unknown) => (await api.call("POST", TOKENS, { token, body })).body;
  const old = await make({ token_name: "old", lifetime: "1h" });
  await api.clock.leap(3_600_000);
  const ci = await make({ token_name: "CI", scopes: ["user:read"] });
  await api.clock.advance(1);
  const unnamed = await make(undefined);

  const list = async (query: string) => {
    const { body } = await api.call("GET", `${TOKENS}${query}`, { token });
    return [body.tokens.map((each: { id: string }) => each.id), body.count];
  };
  assert.deepEqual(await list(""), [[unnamed.id, ci.id], 2]);
  assert.deepEqual(await list("?include_expired=true"), [[unnamed.id, ci.id, old.id], 3]);
  assert.deepEqual(await list(`?limit=1&after_id=${unnamed.id}`), [[ci.id], 2]);
  assert.equal((await api.call("GET", `${TOKENS}?after_id=none`, { token })).status, 400);

  const shown = await api.call("GET", "/api/v2/users/me/keys/ci", { token });
  assert.deepEqual(shown.body, {
    id: ci.id,
    token_name: "CI",
    user_id: userId,
    scopes: ["user:read"],
    lifetime_seconds: 604_800,
    created_at: "2026-01-01T01:00:00.000Z",
    last_used_at: null,
    expires_at: "2026-01-08T01:00:00.000Z",
  });
  assert.equal((await api.call("DELETE", `/api/v2/users/me/keys/${ci.id}`, { token })).status, 204);
  // The other path of the same endpoint.
  assert.equal((await api.call("DELETE", `${TOKENS}/${unnamed.id}`, { token })).status, 204);
  assert.equal((await api.call("DELETE", `${TOKENS}/${unnamed.id}`, { token })).status, 404);
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: unnamed.key })).status, 401);
});

test("a name is taken while its token lives, in any case, and per user", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const ann = await api.addPerson("ann");
  const make = (who: string, name: string) =>
    api.call("POST", TOKENS, { token: who, body: { token_name: name, lifetime: "1h" } });
  assert.equal((await make(token, "ci")).status, 201);
  const again = await make(token, "CI");
  assert.deepEqual([again.status, again.body.code], [409, "api_token.name_taken"]);
  assert.equal((await make(ann.token, "ci")).status, 201);
  await api.clock.leap(3_600_000);
  assert.equal((await make(token, "ci")).status, 201);
});

test("lifetimes are between a second and the maximum", async () => {
  await using api = await startTestControlPlane({ config: { maxTokenLifetimeMs: 2 * DAY_MS } });
  const { token } = await api.setUp();
  for (const lifetime of ["3d", "soon", 1, 3 * DAY_MS * 1e6]) {
    const answer = await api.call("POST", TOKENS, { token, body: { lifetime } });
    assert.equal(answer.status, 400, String(lifetime));
    assert.equal(answer.body.validations[0].field, "lifetime");
  }
  assert.equal((await api.call("POST", TOKENS, { token, body: { lifetime: "48h" } })).status, 201);
});

test("scopes narrow what a token may do, and cannot be widened by it", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const body = { scope: "api_key:*" };
  const narrow = (await api.call("POST", TOKENS, { token, body })).body.key;
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: narrow })).status, 404);
  assert.equal((await api.call("GET", TOKENS, { token: narrow })).status, 200);
  const wider = await api.call("POST", TOKENS, { token: narrow, body: { scopes: ["user:read"] } });
  assert.deepEqual([wider.status, wider.body.code], [403, "api_token.scope_exceeds_yours"]);
  const all = await api.call("POST", TOKENS, { token: narrow });
  assert.equal(all.body.code, "api_token.scope_exceeds_yours");
  const same = await api.call("POST", TOKENS, {
    token: narrow,
    body: { scopes: ["api_key:read"] },
  });
  assert.equal(same.status, 201);
  const unknown = await api.call("POST", TOKENS, { token, body: { scopes: ["everything"] } });
  assert.equal(unknown.body.validations[0].field, "scopes");
});

test("nobody makes a token for somebody else, not even an owner", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  const answer = await api.call("POST", "/api/v2/users/ann/keys/tokens", { token });
  assert.equal(answer.status, 404);
});

test("a token of one user is not found under another's name", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  const made = await api.call("POST", TOKENS, { token, body: { token_name: "ci" } });
  for (const ref of [made.body.id, "ci"]) {
    for (const method of ["GET", "DELETE"]) {
      const answer = await api.call(method, `/api/v2/users/ann/keys/${ref}`, { token });
      assert.equal(answer.status, 404);
    }
  }
});

test("a session is not among the tokens, and cannot be revoked as one", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const [id] = token.split("-");
  assert.equal((await api.call("DELETE", `/api/v2/users/me/keys/${id}`, { token })).status, 404);
});

test("a token ends when its time is over", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const made = await api.call("POST", TOKENS, { token, body: { lifetime: "1h" } });
  const statusOf = async () =>
    (await api.call("GET", "/api/v2/users/me", { token: made.body.key })).status;
  await api.clock.leap(3_599_999);
  assert.equal(await statusOf(), 200);
  await api.clock.advance(1);
  assert.equal(await statusOf(), 401);
});

test("the scopes are listed", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const { body } = await api.call("GET", "/api/v2/auth/scopes", { token });
  assert.equal(body.count, body.scopes.length);
  assert.ok(body.scopes.includes("user:*") && body.scopes.includes("ai_gateway:use"));
});
