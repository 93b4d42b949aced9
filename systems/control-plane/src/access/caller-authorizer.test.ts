import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import type { Role } from "@atelier/contract/permissions";
import type { CallerAuthorization } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { CachedCallerAuthorizer } from "./caller-authorizer.ts";
import { KeyUsage } from "./key-usage.ts";
import type { Principal } from "./principal.ts";

const TOKEN = "abcdefghij-abcdefghijabcdefghijab";
const OTHER = "abcdefghik-abcdefghijabcdefghijab";

function principal(overrides: Partial<Principal> = {}, roles: readonly Role[] = []): Principal {
  const userId = "user-1";
  const { scopes = ["all"] } = overrides.actor ?? {};
  return {
    userStatus: "active",
    expiresAt: new Date(Date.UTC(2026, 0, 2)),
    lifetimeSeconds: 86_400,
    ...overrides,
    actor: {
      userId,
      username: "ann",
      email: "ann@example.com",
      roles,
      scopes,
      apiKeyId: "abcdefghij",
      keyKind: "token",
    },
  };
}

const AUTHORIZED: CallerAuthorization = {
  kind: "authorized",
  caller: { userId: "user-1", username: "ann", email: "ann@example.com", apiKeyId: "abcdefghij" },
};

function setUp(first: Principal | null = principal(), log: Logger = silentLogger) {
  const clock = new FakeClock();
  const usage = new KeyUsage();
  const state = { principal: first, isDown: false, loads: 0, isConnected: true };
  const listeners: { message(payload: string): void; resync(): void }[] = [];
  const gates: (() => void)[] = [];
  const load = async (): Promise<Principal | null> => {
    state.loads += 1;
    const read = state.principal;
    if (state.isDown) throw new Error("database away");
    if (gates.length > 0) await new Promise<void>((resolve) => gates.push(resolve));
    return read;
  };
  const authorizer = new CachedCallerAuthorizer({
    clock,
    usage,
    log,
    pubSub: {
      get isConnected() {
        return state.isConnected;
      },
      subscribe: (_channel, on) => {
        listeners.push(on);
        return { [Symbol.dispose]: () => {} };
      },
    },
    loadPrincipal: load,
    loadPrincipalOfKey: load,
  });
  const [listener] = listeners;
  assert.ok(listener !== undefined);
  return { authorizer, clock, usage, state, listener, gates };
}

test("the first answer is loaded, the next is there at once", async () => {
  const { authorizer, state } = setUp();
  assert.deepEqual(await authorizer.authorize(TOKEN), AUTHORIZED);
  assert.deepEqual(authorizer.authorize(TOKEN), AUTHORIZED);
  assert.equal(state.loads, 1);
});

test("who holds a token is answered alike, shares what is known, and learns of each change", async () => {
  const { authorizer, state, listener } = setUp();
  const holder = { token: TOKEN };
  assert.deepEqual(await authorizer.authorize(TOKEN, holder), AUTHORIZED);
  assert.deepEqual(authorizer.authorize(TOKEN, holder), AUTHORIZED);
  assert.deepEqual(authorizer.authorize(TOKEN, { token: TOKEN }), AUTHORIZED);
  assert.deepEqual(authorizer.authorize(TOKEN), AUTHORIZED);
  assert.equal(state.loads, 1);
  state.principal = null;
  listener.resync();
  assert.deepEqual(await authorizer.authorize(TOKEN, holder), { kind: "unauthorized" });
  assert.equal(state.loads, 2);
});

for (const { isConnected, freshMs } of [
  { isConnected: true, freshMs: 10_000 },
  { isConnected: false, freshMs: 1_000 },
]) {
  test(`an answer is fresh for ${freshMs} ms while messages ${isConnected ? "" : "do not "}arrive`, async () => {
    const { authorizer, clock, state } = setUp();
    state.isConnected = isConnected;
    await authorizer.authorize(TOKEN);
    await clock.advance(freshMs - 1);
    await authorizer.authorize(TOKEN);
    assert.equal(state.loads, 1);
    await clock.advance(1);
    await authorizer.authorize(TOKEN);
    assert.equal(state.loads, 2);
  });
}

test("a malformed token is refused without asking anybody", () => {
  const { authorizer, state } = setUp();
  for (const token of ["", "x", `${TOKEN}x`, "sk-ant-oat01-whatever"]) {
    assert.deepEqual(authorizer.authorize(token), { kind: "unauthorized" });
  }
  assert.equal(state.loads, 0);
});

test("an unknown token is remembered for a second", async () => {
  const { authorizer, clock, state } = setUp(null);
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unauthorized" });
  assert.deepEqual(authorizer.authorize(TOKEN), { kind: "unauthorized" });
  assert.equal(state.loads, 1);
  await clock.advance(1_000);
  state.principal = principal();
  assert.deepEqual(await authorizer.authorize(TOKEN), AUTHORIZED);
});

test("a message about the user or the key takes effect at once", async () => {
  for (const payload of ["user:user-1", "key:abcdefghij", "something else"]) {
    const { authorizer, state, listener } = setUp();
    await authorizer.authorize(TOKEN);
    state.principal = null;
    listener.message(payload);
    assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unauthorized" }, payload);
  }
});

test("a message about somebody else costs nothing", async () => {
  const { authorizer, state, listener } = setUp();
  await authorizer.authorize(TOKEN);
  listener.message("user:user-2");
  listener.message("key:other");
  assert.deepEqual(authorizer.authorize(TOKEN), AUTHORIZED);
  assert.equal(state.loads, 1);
});

test("after messages may have been missed everything is loaded again", async () => {
  const { authorizer, state, listener } = setUp();
  await authorizer.authorize(TOKEN);
  state.principal = null;
  listener.resync();
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unauthorized" });
});

test("what was read before a change is not kept, and not given to who asks after it", async () => {
  const { authorizer, state, listener, gates } = setUp();
  gates.push(() => {});
  const before = authorizer.authorize(TOKEN);
  state.principal = null;
  listener.message("user:user-1");
  const after = authorizer.authorize(TOKEN);
  for (const open of gates) open();
  assert.deepEqual(await before, AUTHORIZED);
  assert.deepEqual(await after, { kind: "unauthorized" });
  gates.length = 0;
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unauthorized" });
});

test("a key that expires is refused at that moment, however fresh the answer", async () => {
  const expiresAt = new Date(Date.UTC(2026, 0, 1, 0, 0, 5));
  const { authorizer, clock } = setUp(principal({ expiresAt }));
  await authorizer.authorize(TOKEN);
  await clock.advance(4_999);
  assert.deepEqual(authorizer.authorize(TOKEN), AUTHORIZED);
  await clock.advance(1);
  assert.deepEqual(authorizer.authorize(TOKEN), { kind: "unauthorized" });
});

test("in a database outage whoever was known within the hour is served, others are unavailable", async () => {
  const { authorizer, clock, state, listener } = setUp();
  await authorizer.authorize(TOKEN);
  state.isDown = true;
  listener.resync();
  await clock.advance(3_599_999);
  assert.deepEqual(await authorizer.authorize(TOKEN), AUTHORIZED);
  assert.deepEqual(await authorizer.authorize(OTHER), { kind: "unavailable" });
  await clock.advance(1);
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unavailable" });
});

test("a database that is silent counts as away after 3 s", async () => {
  const { authorizer, clock, gates } = setUp();
  await authorizer.authorize(TOKEN);
  await clock.advance(10_000);
  gates.push(() => {}); // From now on loads wait.
  const known = authorizer.authorize(TOKEN);
  const stranger = authorizer.authorize(OTHER);
  await clock.advance(3_000);
  assert.deepEqual(await known, AUTHORIZED);
  assert.deepEqual(await stranger, { kind: "unavailable" });
});

test("an outage is told every few seconds, with how many requests it met", async () => {
  const told: unknown[] = [];
  const warn: Logger["warn"] = (fields) => {
    told.push(Reflect.get(fields, "times"));
  };
  const { authorizer, clock, state } = setUp(principal(), { ...silentLogger, warn });
  state.isDown = true;
  for (let n = 0; n < 3; n += 1) await authorizer.authorize(TOKEN);
  assert.deepEqual(told, [1]);
  await clock.advance(5_000);
  await authorizer.authorize(TOKEN);
  assert.deepEqual(told, [1, 3]);
});

test("whoever was revoked before an outage is not served in it", async () => {
  const { authorizer, state, listener } = setUp();
  await authorizer.authorize(TOKEN);
  listener.message("key:abcdefghij");
  state.isDown = true;
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unavailable" });
});

test("many requests of one token at once load it once", async () => {
  const { authorizer, state } = setUp();
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => authorizer.authorize(TOKEN)),
  );
  assert.equal(state.loads, 1);
  assert.deepEqual(new Set(answers.map(({ kind }) => kind)), new Set(["authorized"]));
});

for (const { scopes, kind } of [
  { scopes: ["all"], kind: "authorized" },
  { scopes: ["coder:all"], kind: "authorized" },
  { scopes: ["ai_gateway:use"], kind: "authorized" },
  { scopes: ["ai_gateway:*"], kind: "authorized" },
  { scopes: ["user:read", "ai_provider:*"], kind: "unauthorized" },
]) {
  test(`a token with [${scopes.join()}] is ${kind}`, async () => {
    const actor = { ...principal().actor, scopes };
    const { authorizer } = setUp(principal({ actor }));
    assert.equal((await authorizer.authorize(TOKEN)).kind, kind);
  });
}

test("suspended users are refused", async () => {
  const { authorizer } = setUp(principal({ userStatus: "suspended" }));
  assert.deepEqual(await authorizer.authorize(TOKEN), { kind: "unauthorized" });
});

test("each use is noted for later, the latest per key", async () => {
  const { authorizer, clock, usage } = setUp();
  await authorizer.authorize(TOKEN);
  await clock.advance(5);
  await authorizer.authorize(TOKEN);
  const usedAt = new Date(Date.UTC(2026, 0, 1, 0, 0, 0, 5));
  assert.deepEqual(usage.take(), [{ keyId: "abcdefghij", userId: "user-1", usedAt }]);
  assert.deepEqual(usage.take(), []);
});

test("an API key's id is asked about like a token, but is none, and its use is no presence", async () => {
  const { authorizer, state, usage, listener } = setUp();
  assert.deepEqual(await authorizer.authorizeDelegated("abcdefghij"), AUTHORIZED);
  assert.deepEqual(authorizer.authorizeDelegated("abcdefghij"), AUTHORIZED);
  assert.equal(state.loads, 1);
  assert.deepEqual(usage.take(), []);
  for (const token of ["abcdefghij", "id:abcdefghij", "delegated"]) {
    assert.deepEqual(authorizer.authorize(token), { kind: "unauthorized" });
  }
  listener.message("key:abcdefghij");
  state.principal = null;
  assert.deepEqual(await authorizer.authorizeDelegated("abcdefghij"), { kind: "unauthorized" });
  state.isDown = true;
  assert.deepEqual(await authorizer.authorizeDelegated("other"), { kind: "unavailable" });
});
