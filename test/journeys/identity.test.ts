/**
 * People and their credentials on a really started server: what a day of one looks like, what stands
 * in the audit log in the evening, who sees whose sessions, and that no secret is anywhere.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  setUpFirstUser,
  startRealServer,
  type ApiAnswer,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { json } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";

const GATEWAY = "/api/v2/ai-gateway";
const CANARY = "sk-canary-test-7c1e5a90b3d24f68a1";
/** How soon a change about a person holds on the gateway, also of a slow machine. */
const WITHIN_MS = 10_000;

type World = AsyncDisposable & {
  readonly server: RealServer;
  readonly model: Awaited<ReturnType<typeof startScriptedModel>>;
  readonly database: Awaited<ReturnType<typeof testDatabase>>;
  readonly owner: FirstUser;
  /** Every answer of the API and the gateway, headers and all. */
  readonly answers: string[];
  /** As the owner, unless another token is given. */
  readonly api: (
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ) => Promise<ApiAnswer>;
  /** The status of a request to a model. */
  readonly chat: (token: string, headers?: Record<string, string>) => Promise<number>;
};

async function startWorld(args: readonly string[] = []): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const model = resources.use(await startScriptedModel({ apiKey: CANARY }));
  const server = resources.use(await startRealServer({ postgresUrl: database.url, args }));
  const answers: string[] = [];
  const owner = await setUpFirstUser(server);
  const api: World["api"] = async (method, path, body, token = owner.session) => {
    const answer = await server.api(method, path, {
      token,
      ...(body === undefined ? {} : { body }),
    });
    answers.push(JSON.stringify([[...answer.headers], answer.body]));
    return answer;
  };
  const provider = { type: "openai", name: "up", base_url: `${model.url}/v1`, api_keys: [CANARY] };
  assert.equal((await api("POST", "/api/v2/ai/providers", provider)).status, 201);
  const held = resources.move();
  return {
    server,
    model,
    database,
    owner,
    answers,
    api,
    chat: async (token, headers = {}) => {
      const answer = await fetch(`${server.url}${GATEWAY}/up/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, ...headers },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
      });
      answers.push(JSON.stringify([[...answer.headers], await answer.text()]));
      return answer.status;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** As it is listed. */
type Session = {
  readonly id: string;
  readonly initiator: { readonly id: string; readonly username: string };
};

type Person = { readonly id: string; readonly email: string; readonly session: string };

async function addPerson(world: World, username: string, roles: string[] = []): Promise<Person> {
  const email = `${username}@example.com`;
  const user = { email, username, password: passwordOf(username), roles };
  const made = await world.api("POST", "/api/v2/users", user);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { id: made.body.id, email, session: await signIn(world, email, passwordOf(username)) };
}

function passwordOf(username: string): string {
  return `${username}-horse-battery-9`;
}

async function signIn(world: World, email: string, password: string): Promise<string> {
  const login = await world.server.api("POST", "/api/v2/users/login", {
    body: { email, password },
  });
  assert.equal(login.status, 201, JSON.stringify(login.body));
  return login.body.session_token;
}

async function addToken(world: World, session: string, token: object): Promise<string> {
  // Not among the answers that are searched: this one shows the token, once.
  const path = "/api/v2/users/me/keys/tokens";
  const made = await world.server.api("POST", path, { token: session, body: token });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.key;
}

test("a day of a person", async () => {
  await using world = await startWorld();
  const { api, chat } = world;
  const setUpAgain = { email: "eve@example.com", username: "eve", password: passwordOf("eve") };
  assert.equal((await api("POST", "/api/v2/users/first", setUpAgain)).status, 409);

  // Bob comes, gets a token for his tools and one for his scripts.
  const bob = await addPerson(world, "bob");
  const toolToken = await addToken(world, bob.session, {
    token_name: "tools",
    scopes: ["ai_gateway:use"],
  });
  const scriptToken = await addToken(world, bob.session, {
    token_name: "scripts",
    scopes: ["user:read", "ai_usage:read"],
  });
  assert.equal(await chat(toolToken), 200);
  assert.equal((await api("GET", "/api/v2/users/me", undefined, toolToken)).status, 404);
  assert.equal((await api("GET", "/api/v2/users/me", undefined, scriptToken)).status, 200);
  assert.equal(await chat(scriptToken), 403);
  const wider = { token_name: "wider", scopes: ["all"] };
  const refused = await api("POST", "/api/v2/users/me/keys/tokens", wider, scriptToken);
  assert.equal(refused.status, 404, "a token without the permission makes no tokens");

  // He may not do what only administrators may, until he is one.
  assert.equal((await api("GET", "/api/v2/audit", undefined, bob.session)).status, 404);
  assert.equal(
    (await api("PUT", "/api/v2/users/bob/roles", { roles: ["owner"] }, bob.session)).status,
    404,
  );
  assert.equal((await api("PUT", "/api/v2/users/bob/roles", { roles: ["auditor"] })).status, 200);
  assert.equal((await api("GET", "/api/v2/audit", undefined, bob.session)).status, 200);

  // He leaves for a while and comes back.
  assert.equal((await api("PUT", "/api/v2/users/bob/status/suspend")).status, 200);
  await within(async () => (await chat(toolToken)) === 403);
  const { email } = bob;
  const whileAway = { email, password: passwordOf("bob") };
  assert.equal((await api("POST", "/api/v2/users/login", whileAway)).body.code, "user.suspended");
  assert.equal((await api("GET", "/api/v2/users/me", undefined, bob.session)).status, 401);
  assert.equal((await api("PUT", "/api/v2/users/bob/status/activate")).status, 200);
  await within(async () => (await chat(toolToken)) === 200);

  // His laptop is stolen: a new password ends every other session and token.
  const laptop = await signIn(world, email, passwordOf("bob"));
  const own = { old_password: passwordOf("bob"), password: "bobs-new-horse-battery-9" };
  assert.equal((await api("PUT", "/api/v2/users/me/password", own, bob.session)).status, 204);
  assert.equal((await api("GET", "/api/v2/users/me", undefined, laptop)).status, 401);
  assert.equal((await api("GET", "/api/v2/users/me", undefined, bob.session)).status, 200);
  await within(async () => (await chat(toolToken)) === 403);
  assert.equal((await api("POST", "/api/v2/users/login", whileAway)).status, 401);

  // He goes for good; what he did stays on record, and his name is free.
  assert.equal((await api("DELETE", "/api/v2/users/bob")).status, 204);
  assert.equal((await api("GET", "/api/v2/users/me", undefined, bob.session)).status, 401);
  const { body } = await api("GET", `${GATEWAY}/sessions`);
  const initiators = new Set(body.sessions.map((each: Session) => each.initiator.id));
  assert.deepEqual([...initiators], [bob.id]);
  assert.equal((await addPerson(world, "bob")).id === bob.id, false);

  const events = await auditEvents(world);
  const seen = events
    .map(
      ({ time, user, action, resource_type, resource_target, status_code, diff }) =>
        `${time} ${user?.username} ${action} ${resource_type} ${resource_target} ${status_code} ${changes(action, diff)}`,
    )
    // What one request did may have happened in one millisecond.
    .toSorted()
    .map((line) => line.slice(line.indexOf(" ") + 1));
  assert.deepEqual(seen, EVENTS);
  const text = JSON.stringify(events);
  for (const secret of [passwordOf("bob"), own.password, toolToken, scriptToken, laptop, CANARY]) {
    assert.ok(!text.includes(secret));
  }
});

/** Who did what to what, with which status; the fields of a new or deleted thing, or how one changed. */
const EVENTS = [
  "ann register user ann 201 email,name,password,roles,status,username",
  "ann login session ann 201 ",
  "ann create api_key test 201 expires_at,lifetime_seconds,scopes,token_name",
  "ann create ai_provider up 201 api_keys,base_url,display_name,enabled,name,type",
  "ann create ai_provider_key sk-c...68a1 201 api_key",
  "ann create user bob 201 email,name,password,roles,status,username",
  "bob login session bob 201 ",
  "bob create api_key tools 201 expires_at,lifetime_seconds,scopes,token_name",
  "bob create api_key scripts 201 expires_at,lifetime_seconds,scopes,token_name",
  "bob create api_key me 404 ",
  "bob write user bob 404 {}",
  'ann write user bob 200 {"roles":{"old":[],"new":["auditor"]}}',
  'ann write user bob 200 {"status":{"old":"active","new":"suspended"}}',
  "bob login session bob@example.com 403 ",
  'ann write user bob 200 {"status":{"old":"suspended","new":"active"}}',
  "bob login session bob 201 ",
  'bob write user bob 204 {"password":{"secret":true}}',
  "bob login session bob@example.com 401 ",
  "ann delete user bob 204 email,name,roles,status,username",
  "ann create user bob 201 email,name,password,roles,status,username",
  "bob login session bob 201 ",
];

test("members see their own sessions, auditors everybody's", async () => {
  await using world = await startWorld();
  const { api, chat } = world;
  const [cat, dan, eva] = [
    await addPerson(world, "cat"),
    await addPerson(world, "dan"),
    await addPerson(world, "eva", ["auditor"]),
  ];
  for (const { session } of [cat, dan]) assert.equal(await chat(session), 200);
  const seenBy = async ({ session }: { readonly session: string }): Promise<Session[]> => {
    const { body } = await api("GET", `${GATEWAY}/sessions`, undefined, session);
    return body.sessions;
  };
  await within(async () => (await seenBy(eva)).length === 2);
  const names = async (person: { readonly session: string }) =>
    (await seenBy(person)).map(({ initiator }) => initiator.username).toSorted();
  assert.deepEqual(await names(cat), ["cat"]);
  assert.deepEqual(await names(dan), ["dan"]);
  assert.deepEqual(await names(eva), ["cat", "dan"]);
  assert.deepEqual(await names(world.owner), ["cat", "dan"]);

  const [ofDan] = await seenBy(dan);
  const path = `${GATEWAY}/sessions/${ofDan!.id}`;
  assert.equal((await api("GET", path, undefined, dan.session)).status, 200);
  assert.equal((await api("GET", path, undefined, eva.session)).status, 200);
  const hidden = await api("GET", path, undefined, cat.session);
  const absent = await api("GET", `${GATEWAY}/sessions/none`, undefined, cat.session);
  for (const { status, body } of [hidden, absent]) {
    assert.deepEqual([status, body.code], [404, "resource.not_found"]);
  }
  const { body } = await api(
    "GET",
    `${GATEWAY}/interceptions?q=initiator:dan`,
    undefined,
    cat.session,
  );
  assert.equal(body.count, 0);
  // Naming somebody else is no way around it either.
  assert.equal((await api("GET", `/api/v2/users/dan`, undefined, cat.session)).status, 404);
  assert.equal(
    (await api("GET", `/api/v2/users/dan/sessions`, undefined, cat.session)).status,
    404,
  );
});

test("no key, token or password is in the database, the log or an answer", async () => {
  const loud = ["--log-level", "debug", "--ai-gateway-structured-logging=true"];
  await using world = await startWorld(loud);
  const { api, chat, owner, server, model } = world;
  const own = await addPerson(world, "ida");
  const token = await addToken(world, own.session, { token_name: "t" });
  // Everything that handles secrets, well and badly.
  assert.equal(await chat(token), 200);
  assert.equal(await chat("nonsense"), 403);
  assert.equal(await chat(token, { "x-coder-ai-governance-token": token, authorization: "Bearer sk-own-test-4b8f17c29d6e" }), 401);
  model.enqueue(json(500, {}), json(401, { error: { message: "Incorrect API key provided." } }));
  assert.equal(await chat(token), 500);
  assert.equal(await chat(token), 502, "the only key was refused");
  const { body: provider } = await api("GET", "/api/v2/ai/providers/up");
  await api("POST", `/api/v2/ai/providers/up/keys/${provider.api_keys[0].id}/reset`);
  await within(async () => (await chat(token)) === 200);
  await api("POST", "/api/v2/ai/providers", { type: "openai", name: "up", base_url: "http://x", api_keys: [CANARY] });
  await api("POST", "/api/v2/ai/providers", { type: "openai", name: "Not a name", base_url: "x", api_keys: [CANARY] });
  await api("POST", "/api/v2/ai/providers", `{"api_keys": ["${CANARY}"`);
  await api("PATCH", "/api/v2/ai/providers/up", { api_keys: [{ api_key: CANARY }] });
  await api("PATCH", "/api/v2/ai/providers/up", { api_keys: [CANARY] });
  await api("PATCH", "/api/v2/ai/providers/none", { api_keys: [{ api_key: CANARY }] });
  await api("POST", "/api/v2/users/login", { email: own.email, password: `${passwordOf("ida")}x` });
  await api("PUT", "/api/v2/users/me/password", { old_password: "wrong", password: "fresh-horse-battery-9" }, own.session);
  await api("PUT", "/api/v2/users/me/password", { old_password: passwordOf("ida"), password: "12345678" }, own.session);
  for (const path of ["/api/v2/ai/providers", "/api/v2/ai/providers/up", "/api/v2/audit?limit=1000", "/api/v2/users", "/api/v2/users/ida/keys/tokens", "/api/v2/users/ida/sessions", `${GATEWAY}/interceptions`, `${GATEWAY}/sessions`, "/api/v2/deployment/config"]) {
    assert.equal((await api("GET", path)).status, 200, path);
  }
  assert.equal(await server.stop(), 0);

  const database = await dump(world);
  assert.match(database, /ida@example\.com/);
  assert.match(server.log(), /interception/);
  const places = { database, log: server.log(), answers: world.answers.join("\n") };
  const secrets = {
    "the provider's key": CANARY,
    "a caller's own key": "sk-own-test-4b8f17c29d6e",
    "the owner's password": owner.password,
    "a password": passwordOf("ida"),
    "a password that was tried": `${passwordOf("ida")}x`,
    "a new password": "fresh-horse-battery-9",
    ...Object.fromEntries(
      [owner.session, owner.token, own.session, token].map((each, i) => [
        `token ${i}`,
        // What stands before the hyphen is its public id.
        each.slice(each.indexOf("-") + 1),
      ]),
    ),
  };
  for (const [place, text] of Object.entries(places)) {
    for (const [what, secret] of Object.entries(secrets)) {
      const bytes = Buffer.from(secret);
      for (const spelled of [secret, bytes.toString("hex"), bytes.toString("base64").slice(0, -4)]) {
        assert.ok(!text.includes(spelled), `${what} is in the ${place}`);
      }
    }
  }
}); // prettier-ignore

/** Every row of every table as text. */
async function dump({ database }: World): Promise<string> {
  const { rows } = await database.pool.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const texts: string[] = [];
  for (const { name } of rows) {
    const table = await database.pool.query<{ row: string }>(
      `select t::text as row from ${name} t`,
    );
    texts.push(...table.rows.map(({ row }) => `${name} ${row}`));
  }
  return texts.join("\n");
}

type AuditEvent = {
  readonly time: string;
  readonly user: { readonly username: string } | null;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_target: string;
  readonly status_code: number;
  readonly diff: Readonly<Record<string, unknown>>;
};

/** Oldest first. */
async function auditEvents({ api }: World): Promise<AuditEvent[]> {
  const { body } = await api("GET", "/api/v2/audit?limit=1000");
  return body.audit_logs.toReversed();
}

function changes(action: string, diff: AuditEvent["diff"]): string {
  return action === "write" ? JSON.stringify(diff) : Object.keys(diff).toSorted().join();
}

async function within(holds: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < WITHIN_MS, `${String(holds)} within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
