/** Signing in to tool servers, against a real authorization server in this process and a real database. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { McpAuth } from "@atelier/contract/http/mcp-servers";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { startGuardedRemote, type GuardedRemote } from "./mcp-oauth-testkit.ts";
import { changeServer, dropServer } from "./mcp-server-actions.ts";
import type { McpServer } from "./mcp-server.ts";
import { ACCESS_URL, mcpWorld } from "./mcp-testkit.ts";

const { signal } = new AbortController();

test("a person signs in, and the chat has the tools in the person's name; nobody else has", async () => {
  await using place = await signInWorld();
  const { world, remote, server, chat } = place;
  const before = await world.tools.toolsOf(chat);
  assert.deepEqual(
    before.map(({ name }) => name),
    ["ours__needs_sign_in"],
  );
  const told = await before[0]?.run({}, world.context());
  assert.ok(told?.kind === "error" && /needs sign-in.*mcp-servers connect ours/.test(told.message));

  const begun = await place.begin();
  const page = new URL(begun.authorizationUrl);
  assert.equal(
    page.searchParams.get("redirect_uri"),
    `${ACCESS_URL}/api/v2/mcp-servers/oauth2/callback`,
  );
  assert.equal(page.searchParams.get("resource"), remote.url);
  assert.equal(page.searchParams.get("scope"), "wiki:read");
  assert.equal(page.searchParams.get("code_challenge_method"), "S256");
  assert.ok((await place.finish(remote.agree(begun.authorizationUrl))).ok);

  const tools = await world.tools.toolsOf(chat);
  const add = tools.find(({ name }) => name === "ours__add");
  assert.deepEqual(await add?.run({ a: 2, b: 3 }, world.context()), { kind: "text", text: "5" });
  const stranger = { ...chat, ownerId: randomUUID() };
  const theirs = await world.tools.toolsOf(stranger);
  assert.deepEqual(
    theirs.map(({ name }) => name),
    ["ours__needs_sign_in"],
  );
  assert.deepEqual([...(await world.signIns.signedInTo(world.ownerId))], [server.id]);
  await place.holdsNoSecret();
});

test("a state serves once, in time, and only the person who began", async () => {
  const clock = new FakeClock();
  await using place = await signInWorld({ clock });
  const { remote, world } = place;
  const answer = remote.agree((await place.begin()).authorizationUrl);
  const stranger = await world.signIns.finish(world.audit, randomUUID(), answer);
  assert.ok(!stranger.ok && /not begun by you/.test(stranger.failure.detail ?? ""));
  assert.ok((await place.finish(answer)).ok);
  assert.equal((await place.finish(answer)).ok, false);
  const late = remote.agree((await place.begin()).authorizationUrl);
  await clock.advance(10 * 60_000 + 1);
  assert.equal((await place.finish(late)).ok, false);
  // Begun and never finished: the next one takes its secret away.
  await place.begin();
  await clock.advance(10 * 60_000 + 1);
  await place.begin();
  const { rows } = await world.database.pool.query("select id from mcp_sign_in_attempts");
  assert.equal(rows.length, 1);
  assert.equal(world.kept.size, 3, "the client, the sign-in, and one attempt");
});

test("an answer of another authorization server, a refusal and a wrong verifier sign nobody in", async () => {
  await using place = await signInWorld();
  const { remote } = place;
  const mixed = {
    ...remote.agree((await place.begin()).authorizationUrl),
    iss: "https://evil.example",
  };
  const refusedMix = await place.finish(mixed);
  assert.ok(!refusedMix.ok && /another authorization server/.test(refusedMix.failure.detail ?? ""));
  const denied = {
    ...remote.agree((await place.begin()).authorizationUrl),
    code: undefined,
    error: "access_denied",
  };
  const refused = await place.finish(denied);
  assert.ok(!refused.ok && refused.failure.detail === "It was refused there.");
  const foreign = remote.agree((await place.begin()).authorizationUrl);
  const swapped = { ...remote.agree((await place.begin()).authorizationUrl), code: foreign.code };
  assert.equal((await place.finish(swapped)).ok, false);
  assert.equal((await place.world.signIns.signedInTo(place.world.ownerId)).size, 0);
});

test("two servers renew a token once between them", async () => {
  const clock = new HeardClock();
  await using place = await signInWorld({ clock, livesSeconds: 300 });
  const { world, remote, server } = place;
  await place.signIn();
  await clock.advance(250_000);
  const began = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  remote.state.beforeToken = async () => {
    began.resolve();
    await gate.promise;
  };
  const other = world.serve();
  const first = world.signIns.accessToken(server, world.ownerId);
  await began.promise;
  const second = other.signIns.accessToken(server, world.ownerId);
  await clock.slept();
  const third = other.signIns.accessToken(server, world.ownerId);
  await clock.slept();
  gate.resolve();
  const token = await first;
  assert.ok(token.ok);
  await clock.advance(250);
  assert.deepEqual(await Promise.all([second, third]), [token, token]);
  const renewals = remote.state.asked.filter(
    ({ form }) => form.get("grant_type") === "refresh_token",
  );
  assert.equal(renewals.length, 1);
});

test("a renewal that its server did not live to end is taken over", async () => {
  const clock = new HeardClock();
  await using place = await signInWorld({ clock, livesSeconds: 300 });
  const { world, server } = place;
  await place.signIn();
  await clock.advance(299_000);
  const until = new Date(clock.now().getTime() + 15_000);
  const claim = "update mcp_sign_ins set refresher = $1, refreshing_until = $2";
  await world.database.pool.query(claim, [randomUUID(), until]);
  const asked = world.signIns.accessToken(server, world.ownerId);
  await clock.slept();
  await clock.advance(15_000);
  assert.ok((await asked).ok);
});

test("a refused token is renewed once; a lapsed sign-in is said, and the call is not lost as unknown", async () => {
  await using place = await signInWorld();
  const { world, remote, chat } = place;
  await place.signIn();
  const add = (await world.tools.toolsOf(chat)).find(({ name }) => name === "ours__add");
  remote.state.access.clear();
  assert.deepEqual(await add?.run({ a: 1, b: 1 }, world.context()), { kind: "text", text: "2" });
  // Away for a moment: the sign-in stays.
  remote.state.access.clear();
  remote.state.tokenFailure = { status: 503, error: "temporarily_unavailable" };
  const away = await add?.run({ a: 1, b: 1 }, world.context());
  assert.ok(away?.kind === "error" && /cannot be renewed at the moment/.test(away.message));
  remote.state.tokenFailure = null;
  assert.deepEqual(await add?.run({ a: 1, b: 1 }, world.context()), { kind: "text", text: "2" });
  // Over for good.
  remote.state.access.clear();
  remote.state.refresh.clear();
  const lapsed = await add?.run({ a: 1, b: 1 }, world.context());
  assert.ok(lapsed?.kind === "error" && /needs sign-in/.test(lapsed.message));
  assert.equal((await world.signIns.signedInTo(world.ownerId)).size, 0);
  const names = (await world.tools.toolsOf(chat)).map(({ name }) => name);
  assert.deepEqual(names, ["ours__needs_sign_in"]);
});

test("who signs out is forgotten here and there", async () => {
  await using place = await signInWorld();
  const { world, remote, server } = place;
  await place.signIn();
  await world.signIns.signOut(world.audit, server, world.ownerId);
  assert.equal(remote.state.refresh.size, 0);
  assert.equal((await world.signIns.signedInTo(world.ownerId)).size, 0);
  await place.holdsNoSecret();
});

test("tokens are never sent to a server that took the place of the one people signed in to", async () => {
  await using place = await signInWorld();
  const { world, server, chat } = place;
  await place.signIn();
  const renamed = await changeServer(world, world.audit, server.id, { displayName: "New name" });
  assert.ok(renamed.ok && (await world.signIns.signedInTo(world.ownerId)).size === 1);
  const answer = place.remote.agree((await place.begin(renamed.value)).authorizationUrl);
  await changeServer(world, world.audit, server.id, { url: "http://127.0.0.1:1/mcp" });
  assert.equal((await world.signIns.signedInTo(world.ownerId)).size, 0);
  assert.equal((await place.finish(answer)).ok, false);
  assert.deepEqual(
    (await world.tools.toolsOf(chat)).map(({ name }) => name),
    ["ours__needs_sign_in"],
  );
  assert.ok((await dropServer(world, world.audit, server.id)).ok);
  assert.deepEqual([...world.kept.keys()], []);
});

test("one registration serves everybody, and a given client registers nobody", async () => {
  await using place = await signInWorld();
  await place.begin();
  await place.begin();
  assert.equal(place.remote.state.clients.size, 1);
  const [client] = place.remote.state.clients.values();
  assert.deepEqual(client?.["redirect_uris"], [`${ACCESS_URL}/api/v2/mcp-servers/oauth2/callback`]);
  await using given = await signInWorld({
    auth: { type: "oauth2", client_id: "ours", client_secret: "given-secret", scope: "all" },
  });
  const page = new URL((await given.begin()).authorizationUrl);
  assert.equal(page.searchParams.get("client_id"), "ours");
  assert.equal(page.searchParams.get("scope"), "all");
  assert.equal(given.remote.state.clients.size, 0);
  assert.equal(given.server.oauthClientId, "ours");
  await given.signIn();
  await given.holdsNoSecret();
});

test("at a tool server that asks nobody to sign in, none begins", async () => {
  await using given = await signInWorld();
  const { world } = given;
  const auth: McpAuth = { type: "none" };
  const server = await world.add({ slug: "open", url: "https://open.example.com/mcp", auth });
  const begun = await world.signIns.begin(server, world.ownerId, signal);
  assert.equal(!begun.ok && begun.failure.code, "mcp_server.sign_in_not_needed");
});

test("an authorization server in plain HTTP elsewhere is not asked, nor a redirect to elsewhere followed", async () => {
  let elsewhere = 0;
  const other = createHttpServer((_request, response) => {
    elsewhere++;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await once(other.listen(0, "127.0.0.1"), "listening");
  const otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await using plain = await signInWorld({
    metadata: { authorization_endpoint: "http://auth.example.com/authorize" },
  });
  const refused = await plain.world.signIns.begin(plain.server, plain.world.ownerId, signal);
  assert.ok(!refused.ok && /does not use HTTPS/.test(refused.failure.detail ?? ""));
  const redirecting = createHttpServer((request, response) => {
    response.writeHead(307, { location: `${otherUrl}${request.url ?? ""}` }).end();
  });
  await once(redirecting.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/mcp`;
  const { world } = plain;
  const auth: McpAuth = { type: "oauth2" };
  const server = await world.add({ slug: "redirecting", url, auth });
  const begun = await world.signIns.begin(server, world.ownerId, signal);
  assert.equal(!begun.ok && begun.failure.code, "mcp_server.sign_in_failed");
  assert.equal(elsewhere, 0);
  for (const each of [other, redirecting]) {
    each.closeAllConnections();
    each.close();
  }
});

/** Tells when somebody has begun to sleep. Sleeps inside the protocol's own library are not on it. */
class HeardClock extends FakeClock {
  #begun = 0;
  #heard = 0;
  #told: (() => void) | null = null;

  override sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const slept = super.sleep(delayMs, signal);
    this.#begun++;
    this.#told?.();
    return slept;
  }

  /** One that was not told of before. */
  async slept(): Promise<void> {
    while (this.#begun === this.#heard) {
      await new Promise<void>((resolve) => (this.#told = resolve));
    }
    this.#heard++;
  }
}

async function signInWorld({
  clock,
  auth = { type: "oauth2" },
  ...options
}: {
  readonly clock?: FakeClock;
  readonly auth?: McpAuth;
  readonly livesSeconds?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
} = {}) {
  const world = await mcpWorld(clock === undefined ? {} : { clock });
  const remote: GuardedRemote = await startGuardedRemote(options);
  const server: McpServer = await world.add({ url: remote.url, auth });
  const begin = async (as: McpServer = server) => {
    const begun = await world.signIns.begin(as, world.ownerId, signal);
    assert.ok(begun.ok, JSON.stringify(begun));
    return begun.value;
  };
  const finish = (answer: ReturnType<GuardedRemote["agree"]> | BrokenAnswer) =>
    world.signIns.finish(world.audit, world.ownerId, answer);
  return {
    ...{ world, remote, server, begin, finish },
    chat: { ownerId: world.ownerId, mcpServerIds: [server.id], mode: null },
    signIn: async () => {
      const finished = await finish(remote.agree((await begin()).authorizationUrl));
      assert.ok(finished.ok, JSON.stringify(finished));
    },
    /** Neither tables nor the audit log show a token, a state or a client's secret. */
    holdsNoSecret: async () => {
      const tables = ["mcp_servers", "mcp_sign_ins", "mcp_sign_in_attempts"];
      const rows = await Promise.all(
        tables.map(
          async (table) => (await world.database.pool.query(`select * from ${table}`)).rows,
        ),
      );
      const seen = JSON.stringify([rows, world.audited]);
      assert.ok(!/access-|refresh-|client-secret|given-secret/.test(seen), seen);
    },
    [Symbol.asyncDispose]: async () => {
      await remote[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

type BrokenAnswer = Omit<ReturnType<GuardedRemote["agree"]>, "code" | "error"> & {
  readonly code: string | undefined;
  readonly error: string | undefined;
};
