/** People's own provider keys over the real API, and as the server's own calls get them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { silentLogger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { DELEGATED_MARKER, type ProviderAuth } from "@atelier/contract/rpc/model-transport";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
  type TestOptions,
} from "../control-plane-on-postgres-testkit.ts";
import { rotateEncryptionKeys } from "../rotate-encryption.ts";
import { createVault, sealingKeyId, VaultError } from "../vault/vault.ts";
import { findSealedUserKey } from "./user-provider-key-store.ts";

const KEY = "sk-own-0123456789abcdef";
const OTHER_KEY = "sk-new-0123456789abcdef";
const ME = "/api/v2/users/me/ai/provider-keys";
const OLD = new Secret(Buffer.alloc(32, 7).toString("base64"));
const NEW = new Secret(Buffer.alloc(32, 8).toString("base64"));

type World = TestControlPlane & {
  readonly owner: Person;
  readonly ann: Person;
  readonly openai: { readonly id: string; readonly type: "openai" };
  readonly anthropic: { readonly id: string; readonly type: "anthropic" };
  set(person: Person, provider: string, key?: string): ReturnType<TestControlPlane["call"]>;
  /** The headers that the server's own calls for this person carry. */
  headersOf(person: Person, provider: World["openai"] | World["anthropic"]): Promise<string[]>;
};

async function makeWorld(options: TestOptions = {}): Promise<World> {
  const api = await startTestControlPlane(options);
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  const make = async (type: string): Promise<string> => {
    const body = { type, name: type, base_url: "https://models.example", api_keys: ["sk-central"] };
    const made = await api.call("POST", "/api/v2/ai/providers", { token: owner.token, body });
    assert.equal(made.status, 201, made.text);
    return made.body.id;
  };
  const anthropic = { id: await make("anthropic"), type: "anthropic" } as const;
  const openai = { id: await make("openai"), type: "openai" } as const;
  return {
    ...api,
    owner,
    ann,
    openai,
    anthropic,
    set: ({ token }, provider, key = KEY) =>
      api.call("PUT", `${ME}/${provider}`, { token, body: { api_key: key } }),
    headersOf: async ({ id }, provider) => shown(await api.plane.providerAuth.authOf(id, provider)),
  };
}

function shown(auth: ProviderAuth): string[] {
  const headers = new Headers();
  auth.applyTo(headers);
  return [...headers].map(([name, value]) => `${name}: ${value}`);
}

const MARKER = `x-coder-ai-governance-token: ${DELEGATED_MARKER}`;

test("a person sets, replaces and removes a key of their own; the API shows a hint of it", async () => {
  await using world = await makeWorld();
  const { ann, clock } = world;
  const { token } = ann;
  const set = await world.set(ann, "openai");
  assert.equal(set.status, 200, set.text);
  const first = {
    provider_id: world.openai.id,
    provider_name: "openai",
    provider_display_name: "",
    provider_type: "openai",
    provider_enabled: true,
    allow_user_api_key: true,
    user_api_key_required: false,
    is_set: true,
    masked: "sk-o...cdef",
    created_at: clock.now().toISOString(),
    updated_at: clock.now().toISOString(),
  };
  assert.deepEqual(set.body, first);
  await clock.advance(1_000);
  const replaced = await world.set(ann, world.openai.id, OTHER_KEY);
  const second = { ...first, masked: "sk-n...cdef", updated_at: clock.now().toISOString() };
  assert.deepEqual(replaced.body, second);
  const none = {
    provider_id: world.anthropic.id,
    provider_name: "anthropic",
    provider_display_name: "",
    provider_type: "anthropic",
    provider_enabled: true,
    allow_user_api_key: true,
    user_api_key_required: false,
    is_set: false,
    masked: null,
    created_at: null,
    updated_at: null,
  };
  const listed = await world.call("GET", ME, { token });
  assert.deepEqual(listed.body, { provider_keys: [none, second], count: 2, byok_enabled: true });
  assert.deepEqual(await world.headersOf(ann, world.openai), [
    `authorization: Bearer ${OTHER_KEY}`,
    MARKER,
  ]);
  assert.equal((await world.call("DELETE", `${ME}/openai`, { token })).status, 204);
  assert.equal((await world.call("DELETE", `${ME}/openai`, { token })).status, 404);
  assert.deepEqual(await world.headersOf(ann, world.openai), []);
});

test("one's own key serves its person and provider, in the header that the provider takes", async () => {
  await using world = await makeWorld();
  await world.set(world.ann, "anthropic");
  const { ann, owner, openai, anthropic } = world;
  assert.deepEqual(await world.headersOf(ann, anthropic), [`x-api-key: ${KEY}`, MARKER]);
  assert.deepEqual(await world.headersOf(ann, openai), []);
  assert.deepEqual(await world.headersOf(owner, anthropic), []);
});

test("that there is no key is remembered for two seconds at most; a key is read each time", async () => {
  await using world = await makeWorld();
  const { ann, openai, database, clock } = world;
  assert.deepEqual(await world.headersOf(ann, openai), []);
  // Another server, which shares the database only.
  await using other = await startTestControlPlane({ database, clock });
  const { token } = ann;
  const body = { api_key: KEY };
  const set = await other.call("PUT", `${ME}/openai`, { token, body });
  assert.equal(set.status, 200, set.text);
  await clock.advance(2_000);
  assert.equal((await world.headersOf(ann, openai)).length, 2);
  assert.equal((await other.call("DELETE", `${ME}/openai`, { token })).status, 204);
  assert.deepEqual(await world.headersOf(ann, openai), []);
  // Set at the same server, it serves the next call.
  assert.equal((await world.set(ann, "openai")).status, 200);
  assert.equal((await world.headersOf(ann, openai)).length, 2);
});

test("administrators see that a key is set and take it away, but never set or use one", async () => {
  await using world = await makeWorld();
  await world.set(world.ann, "openai");
  const admin = await world.addPerson("admin", ["user-admin"]);
  const bob = await world.addPerson("bob");
  const auditor = await world.addPerson("auditor", ["auditor"]);
  const path = "/api/v2/users/ann/ai/provider-keys";
  for (const { token } of [world.owner, admin]) {
    const listed = await world.call("GET", path, { token });
    assert.deepEqual(
      listed.body.provider_keys.map((each: { masked: string | null }) => each.masked),
      [null, "sk-o...cdef"],
    );
    const body = { api_key: OTHER_KEY };
    assert.equal((await world.call("PUT", `${path}/openai`, { token, body })).status, 404);
  }
  for (const { token } of [bob, auditor]) {
    assert.equal((await world.call("GET", path, { token })).status, 404);
    assert.equal((await world.call("DELETE", `${path}/openai`, { token })).status, 404);
  }
  assert.equal((await world.headersOf(world.ann, world.openai)).length, 2);
  const { token } = admin;
  assert.equal((await world.call("DELETE", `${path}/openai`, { token })).status, 204);
  assert.deepEqual(await world.headersOf(world.ann, world.openai), []);
});

test("while people's own keys are not allowed, none is taken and none serves; they can go", async () => {
  await using world = await makeWorld();
  await world.set(world.ann, "openai");
  const config = { allowByok: false };
  const { database, clock } = world;
  await using forbidding = await startTestControlPlane({ database, clock, config });
  const { token, id } = world.ann;
  const body = { api_key: OTHER_KEY };
  const refused = await forbidding.call("PUT", `${ME}/openai`, { token, body });
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.message],
    [403, "ai_user_key.byok_disabled", "Bring Your Own Key (BYOK) mode is not enabled."],
  );
  assert.deepEqual(shown(await forbidding.plane.providerAuth.authOf(id, world.openai)), []);
  const listed = await forbidding.call("GET", ME, { token });
  assert.equal(listed.body.byok_enabled, false);
  assert.equal(listed.body.provider_keys[1].is_set, true);
  assert.equal((await forbidding.call("DELETE", `${ME}/openai`, { token })).status, 204);
});

test("a disabled provider is listed as such, and its key is kept", async () => {
  await using world = await makeWorld();
  await world.set(world.ann, "openai");
  const { token } = world.owner;
  await world.call("PATCH", "/api/v2/ai/providers/openai", { token, body: { enabled: false } });
  const listed = await world.call("GET", ME, { token: world.ann.token });
  const [, openai] = listed.body.provider_keys;
  assert.deepEqual([openai.provider_enabled, openai.is_set], [false, true]);
});

for (const { name, path } of [
  { name: "provider", path: "/api/v2/ai/providers/openai" },
  { name: "person", path: "/api/v2/users/ann" },
]) {
  test(`with a deleted ${name} the key goes, and nothing of it stays`, async () => {
    await using world = await makeWorld();
    await world.set(world.ann, "openai");
    await world.set(world.owner, "anthropic");
    assert.equal((await world.call("DELETE", path, { token: world.owner.token })).status, 204);
    assert.deepEqual(await world.headersOf(world.ann, world.openai), []);
    const { rows } = await world.database.pool.query("select user_id from user_ai_provider_keys");
    assert.deepEqual(rows, [{ user_id: world.owner.id }]);
    assert.equal((await world.set(world.ann, "openai")).status, name === "person" ? 401 : 404);
  });
}

test("each change is in the audit log, with hints only", async () => {
  await using world = await makeWorld();
  await world.set(world.ann, "openai");
  await world.set(world.ann, "openai", OTHER_KEY);
  await world.set(world.ann, "nothing");
  await world.call("DELETE", "/api/v2/users/ann/ai/provider-keys/openai", {
    token: world.owner.token,
  });
  const { rows } = await world.database.pool.query(
    `select action, user_id, resource_id, resource_target, diff, status_code, additional_fields
     from audit_events where resource_type = 'ai_user_key' order by time, id`,
  );
  const additional_fields = {
    user_id: world.ann.id,
    provider_id: world.openai.id,
    provider_name: "openai",
  };
  const entry = (action: string, user: Person, [from, to]: (string | null)[], status: number) => ({
    action,
    user_id: user.id,
    resource_id: world.openai.id,
    resource_target: to ?? from,
    diff: { api_key: { secret: true }, masked: { old: from, new: to } },
    status_code: status,
    additional_fields,
  });
  const byAction = (each: (typeof rows)[number]) => `${each.action} ${each.resource_target}`;
  const expected = [
    entry("write", world.ann, [null, "sk-o...cdef"], 200),
    entry("write", world.ann, ["sk-o...cdef", "sk-n...cdef"], 200),
    entry("delete", world.owner, ["sk-n...cdef", null], 204),
    {
      action: "write",
      user_id: world.ann.id,
      resource_id: null,
      resource_target: "nothing",
      diff: {},
      status_code: 404,
      additional_fields: {},
    },
  ];
  assert.deepEqual(
    rows.toSorted((a, b) => (byAction(a) < byAction(b) ? -1 : 1)),
    expected.toSorted((a, b) => (byAction(a) < byAction(b) ? -1 : 1)),
  );
});

test("what is not a key is refused without being repeated", async () => {
  await using world = await makeWorld();
  const { token } = world.ann;
  for (const body of [
    {},
    { api_key: "" },
    { api_key: " sk-canary" },
    { api_key: "sk-canary\n" },
    { api_key: "sk-cänary" },
    { api_key: `sk-canary${"x".repeat(8_192)}` },
    { api_key: ["sk-canary"] },
    { api_key: "sk-0123456789", "sk-canary-0123456789abcdef0123": 1 },
    "sk-canary",
    { key: "sk-canary" },
  ]) {
    const answer = await world.call("PUT", `${ME}/openai`, { token, body });
    assert.equal(answer.status, 400, answer.text);
    assert.doesNotMatch(answer.text, /canary/);
  }
});

test("a key is stored sealed, bound to its person and provider, and rotation takes it along", async () => {
  await using world = await makeWorld();
  const { database, clock, ann, owner, openai } = world;
  await world.set(ann, "openai");
  await world.set(owner, "openai", OTHER_KEY);
  const id = { userId: ann.id, providerId: openai.id };
  const before = await findSealedUserKey(database.sql, id);
  assert.ok(before !== undefined && !Buffer.from(before).includes(KEY));
  const rotated = await rotateEncryptionKeys(
    { database, clock },
    { newKey: NEW, oldKeys: [OLD] },
    () => {},
  );
  assert.ok(rotated.ok);
  const after = await findSealedUserKey(database.sql, id);
  const vault = createVault([NEW]);
  assert.ok(vault.ok && after !== undefined);
  assert.equal(sealingKeyId(after), vault.value.keyIds[0]);
  const config = { encryptionKeys: [NEW] };
  await using next = await startTestControlPlane({ database, clock, config });
  const auth = await next.plane.providerAuth.authOf(ann.id, openai);
  assert.deepEqual(shown(auth), [`authorization: Bearer ${KEY}`, MARKER]);

  // Whoever can write to the database gives one person's key to another: it does not open.
  await database.pool.query("update user_ai_provider_keys set sealed_key = $1", [after]);
  await assert.rejects(next.plane.providerAuth.authOf(owner.id, openai), VaultError);
});

test("rotation walks through any number of keys, in several batches", async () => {
  await using world = await makeWorld();
  const { database, clock, openai } = world;
  const vault = createVault([OLD]);
  assert.ok(vault.ok);
  for (let i = 0; i < 205; i += 1) {
    const userId = systemRandom.uuid();
    const place = `user_ai_provider_keys/sealed_key/${userId}/${openai.id}`;
    await database.pool.query(
      `insert into users (id, email, username, status, created_at, updated_at)
       values ($1, $2, $2, 'active', now(), now())`,
      [userId, `u${i}`],
    );
    await database.pool.query(
      "insert into user_ai_provider_keys values ($1, $2, $3, 'x...y', now(), now())",
      [userId, openai.id, vault.value.seal(KEY, place)],
    );
  }
  const keys = { newKey: NEW, oldKeys: [OLD] };
  const rotated = await rotateEncryptionKeys({ database, clock }, keys, () => {});
  // And the two providers' own.
  assert.equal(rotated.ok && rotated.value.rewrapped, 207);
});

test("a key that cannot be opened is an error, not a reason to let the company pay", async () => {
  await using world = await makeWorld({ log: silentLogger });
  await world.set(world.ann, "openai");
  await world.database.pool.query(
    "update user_ai_provider_keys set sealed_key = set_byte(sealed_key, 80, 1)",
  );
  await assert.rejects(world.headersOf(world.ann, world.openai), VaultError);
  await world.set(world.ann, "openai", OTHER_KEY);
  assert.equal((await world.headersOf(world.ann, world.openai)).length, 2);
});
