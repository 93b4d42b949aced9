import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import { csrfTokenOf } from "../access/api-key.ts";
import {
  PASSWORD,
  startTestControlPlane,
  type TestControlPlane,
} from "../control-plane-on-postgres-testkit.ts";

const LOGIN = "/api/v2/users/login";
const ME = "/api/v2/users/me";
const HOUR_MS = 3_600_000;

function logInOnce(api: TestControlPlane, email: string, password: string) {
  return api.call("POST", LOGIN, { body: { email, password } });
}

test("signing in takes the email in any case, and says the same of a wrong email and password", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  assert.equal((await logInOnce(api, "OWNER@example.com", PASSWORD)).status, 201);
  const wrongPassword = await logInOnce(api, "owner@example.com", "wrong");
  const wrongEmail = await logInOnce(api, "nobody@example.com", PASSWORD);
  const { request_id: _one, ...told } = wrongPassword.body;
  const { request_id: _two, ...alsoTold } = wrongEmail.body;
  assert.deepEqual([wrongPassword.status, told.code], [401, "login.refused"]);
  assert.deepEqual(told, alsoTold);
});

test("a suspended user learns it only with the right password", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  await api.call("PUT", "/api/v2/users/ann/status/suspend", { token });
  const right = await logInOnce(api, "ann@example.com", PASSWORD);
  assert.deepEqual([right.status, right.body.code], [403, "user.suspended"]);
  const wrong = await logInOnce(api, "ann@example.com", "wrong");
  assert.equal(wrong.body.code, "login.refused");
});

test("a deleted user cannot sign in", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  await api.call("DELETE", "/api/v2/users/ann", { token });
  assert.equal((await logInOnce(api, "ann@example.com", PASSWORD)).body.code, "login.refused");
});

test("guessing is throttled, with the seconds to wait, and the right password waits too", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  for (let i = 0; i < 5; i += 1) await logInOnce(api, "owner@example.com", "wrong");
  const throttled = await logInOnce(api, "owner@example.com", PASSWORD);
  assert.deepEqual([throttled.status, throttled.body.code], [429, "login.throttled"]);
  assert.equal(throttled.headers.get("retry-after"), "1");
  await api.clock.advance(1_000);
  assert.equal((await logInOnce(api, "owner@example.com", PASSWORD)).status, 201);
});

test("the session cookie is out of reach for scripts and other sites, the CSRF cookie is readable", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const answer = await logInOnce(api, "owner@example.com", PASSWORD);
  const token = answer.body.session_token;
  assert.deepEqual(answer.headers.getSetCookie(), [
    `coder_session_token=${token}; Path=/; Max-Age=86400; SameSite=Lax; HttpOnly`,
    `atelier_csrf=${csrfTokenOf(token)}; Path=/; Max-Age=86400; SameSite=Lax`,
  ]);
});

test("cookies are for HTTPS only when people come over HTTPS", async () => {
  await using byUrl = await startTestControlPlane({ config: { accessUrl: "https://a.example" } });
  await byUrl.setUp();
  const answer = await logInOnce(byUrl, "owner@example.com", PASSWORD);
  for (const cookie of answer.headers.getSetCookie()) assert.match(cookie, /; Secure$/);

  const trustedProxies = new BlockList();
  trustedProxies.addAddress("127.0.0.1");
  await using byProxy = await startTestControlPlane({ config: { trustedProxies } });
  await byProxy.setUp();
  const forwarded = await byProxy.call("POST", LOGIN, {
    body: { email: "owner@example.com", password: PASSWORD },
    headers: { "x-forwarded-proto": "https" },
  });
  for (const cookie of forwarded.headers.getSetCookie()) assert.match(cookie, /; Secure$/);
});

test("over HTTPS only a cookie signs in that no page of a neighbouring host can set", async () => {
  await using api = await startTestControlPlane({ config: { accessUrl: "https://a.example" } });
  const { token } = await api.setUp();
  const answer = await logInOnce(api, "owner@example.com", PASSWORD);
  const names = answer.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0]);
  assert.deepEqual(names, ["__Host-coder_session_token", "__Host-atelier_csrf"]);
  for (const cookie of answer.headers.getSetCookie()) {
    // What browsers ask of the prefix.
    assert.match(cookie, /; Path=\/; .*; Secure$/);
    assert.doesNotMatch(cookie, /domain/i);
  }
  const statusWith = async (cookie: string) =>
    (await api.call("GET", ME, { headers: { cookie } })).status;
  assert.equal(await statusWith(`coder_session_token=${token}`), 401);
  const own = `__Host-coder_session_token=${token}`;
  assert.equal(await statusWith(`coder_session_token=aaaaaaaaaa-bbbbbbbbbbb; ${own}`), 200);
  const headers = { cookie: own, "x-csrf-token": csrfTokenOf(token) };
  const renamed = await api.call("PUT", `${ME}/profile`, { headers, body: { name: "O" } });
  assert.equal(renamed.status, 200);
});

test("a cookie signs in, and changes things only together with the CSRF token", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const cookie = `other=1; coder_session_token=${token}`;
  const csrf = csrfTokenOf(token);
  assert.equal((await api.call("GET", ME, { headers: { cookie } })).status, 200);
  const rename = (headers: Record<string, string>) =>
    api.call("PUT", `${ME}/profile`, { headers: { cookie, ...headers }, body: { name: "O" } });
  for (const headers of [{}, { "x-csrf-token": "" }, { "x-csrf-token": "wrong" }]) {
    const answer = await rename(headers);
    assert.deepEqual([answer.status, answer.body.code], [403, "request.csrf"]);
  }
  assert.equal((await rename({ "x-csrf-token": csrf })).status, 200);
  const foreign = await rename({ "x-csrf-token": csrf, "sec-fetch-site": "cross-site" });
  assert.equal(foreign.body.code, "request.csrf");
});

test("another site cannot sign a browser in, but a page with an old cookie can", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const body = { email: "owner@example.com", password: PASSWORD };
  const foreign = await api.call("POST", LOGIN, {
    body,
    headers: { "sec-fetch-site": "cross-site" },
  });
  assert.equal(foreign.body.code, "request.csrf");
  const cookie = "coder_session_token=aaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbb";
  assert.equal((await api.call("POST", LOGIN, { body, headers: { cookie } })).status, 201);
});

test("a token is taken from our header first, then the general one, then the cookie", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const ann = await api.addPerson("ann");
  const usernameFor = async (headers: Record<string, string>) =>
    (await api.call("GET", ME, { headers })).body.username;
  const cookie = `coder_session_token=${ann.token}`;
  assert.equal(await usernameFor({ authorization: `Bearer ${token}`, cookie }), "owner");
  assert.equal(await usernameFor({ authorization: `bearer ${ann.token}` }), "ann");
  assert.equal(
    await usernameFor({ "coder-session-token": token, authorization: `Bearer ${ann.token}` }),
    "owner",
  );
  // A header that is wrong is an answer: the cookie must not make up for it.
  assert.equal(await usernameFor({ "coder-session-token": "wrong", cookie }), undefined);
});

test("signing out ends the session here and now, and clears the cookies", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const token = await api.logIn("owner");
  const answer = await api.call("POST", "/api/v2/users/logout", { token });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.headers.getSetCookie(), [
    "coder_session_token=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly",
    "atelier_csrf=; Path=/; Max-Age=0; SameSite=Lax",
  ]);
  assert.equal((await api.call("GET", ME, { token })).status, 401);
});

test("sessions are listed with the present one marked, page by page, and can be ended", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  await api.clock.advance(1_000);
  const headers = { "user-agent": "second browser" };
  const body = { email: "ann@example.com", password: PASSWORD };
  const second = (await api.call("POST", LOGIN, { body, headers })).body.session_token;
  const list = await api.call("GET", `${ME}/sessions`, { token: ann.token });
  assert.equal(list.body.count, 2);
  assert.deepEqual(
    list.body.sessions.map((each: Record<string, unknown>) => [
      each["current"],
      each["ip_address"],
    ]),
    [
      [false, "127.0.0.1"],
      [true, "127.0.0.1"],
    ],
  );
  const [latest] = list.body.sessions;
  assert.equal(latest.user_agent, "second browser");
  const page = await api.call("GET", `${ME}/sessions?limit=1&after_id=${latest.id}`, {
    token: ann.token,
  });
  assert.equal(page.body.sessions[0].current, true);
  const lost = await api.call("GET", `${ME}/sessions?after_id=nothing`, { token: ann.token });
  assert.equal(lost.status, 400);

  const path = `/api/v2/users/ann/sessions/${latest.id}`;
  assert.equal((await api.call("DELETE", path, { token: owner.token })).status, 204);
  assert.equal((await api.call("DELETE", path, { token: owner.token })).status, 404);
  assert.equal((await api.call("GET", ME, { token: second })).status, 401);
});

test("a session lives on while it is used, written at most once an hour, and dies when it rests", async () => {
  // The shortest that is extended no more than hourly.
  await using api = await startTestControlPlane({ config: { sessionDurationMs: 10 * HOUR_MS } });
  const { token } = await api.setUp();
  const expiry = async () => {
    const { rows } = await api.database.pool.query("select expires_at from api_keys");
    return new Date(rows[0].expires_at).getTime() - api.clock.now().getTime();
  };
  await api.clock.leap(HOUR_MS - 1_000);
  await api.call("GET", ME, { token });
  assert.equal(await expiry(), 9 * HOUR_MS + 1_000);
  await api.clock.advance(1_000);
  await api.call("GET", ME, { token });
  assert.equal(await expiry(), 10 * HOUR_MS);
  await api.clock.leap(9 * HOUR_MS);
  assert.equal((await api.call("GET", ME, { token })).status, 200);
  await api.clock.leap(10 * HOUR_MS);
  assert.equal((await api.call("GET", ME, { token })).status, 401);
});

test("when people and credentials were last used is written each minute", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const lastSeen = async () => (await api.call("GET", ME, { token })).body.last_seen_at;
  assert.equal(await lastSeen(), "2026-01-01T00:00:00.000Z", "since the sign-in");
  await api.clock.advance(59_000);
  assert.equal(await lastSeen(), "2026-01-01T00:00:00.000Z");
  await api.clock.advance(1_000);
  let seen = await lastSeen();
  // The write runs on its own; each look lets it go on.
  for (let i = 0; i < 100 && seen === "2026-01-01T00:00:00.000Z"; i += 1) seen = await lastSeen();
  assert.equal(seen, "2026-01-01T00:00:59.000Z");
});

test("the first use of a credential, or the first after an hour, is seen at once", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const made = await api.call("POST", "/api/v2/users/me/keys/tokens", {
    token,
    body: { lifetime: "9h" },
  });
  const key = made.body.key;
  const lastUsed = async () => {
    const listed = await api.call("GET", "/api/v2/users/me/keys/tokens", { token });
    return listed.body.tokens[0].last_used_at;
  };
  await api.clock.advance(1_000);
  assert.equal(await lastUsed(), null);
  assert.equal(
    (await api.call("GET", ME, { token: key })).body.last_seen_at,
    "2026-01-01T00:00:01.000Z",
  );
  assert.equal(await lastUsed(), "2026-01-01T00:00:01.000Z");
  await api.clock.leap(HOUR_MS);
  assert.equal(
    (await api.call("GET", ME, { token: key })).body.last_seen_at,
    "2026-01-01T01:00:01.000Z",
  );
  assert.equal(await lastUsed(), "2026-01-01T01:00:01.000Z");
});

test("nobody is kept out because their use cannot be written", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.clock.leap(HOUR_MS / 2);
  await api.database.pool.query(`
    update api_keys set last_used_at = null;
    create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
    create trigger refuse before update of last_used_at on api_keys execute function refuse();`);
  assert.equal((await api.call("GET", ME, { token })).status, 200);
});

test("a user who slept wakes on using any credential", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.database.pool.query("update users set status = 'dormant'");
  assert.equal((await api.call("GET", ME, { token })).body.status, "active");
});

test("the ways to sign in are known before signing in", async () => {
  await using api = await startTestControlPlane();
  const { body } = await api.call("GET", "/api/v2/users/authmethods");
  assert.deepEqual(body, { password: { enabled: true } });
});

test("a sign-in that a new password overtakes starts no session", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  await api.addPerson("ann");
  // The sign-in has to wait for Ann's row, after it has found the old password right.
  const holder = await api.database.pool.connect();
  try {
    await holder.query("begin");
    await holder.query("select 1 from users where username = 'ann' for update");
    const signingIn = logInOnce(api, "ann@example.com", PASSWORD);
    await until(async () => (await countWaiting(api)) === 1);
    await holder.query("update users set password_hash = 'another' where username = 'ann'");
    await holder.query("commit");
    assert.equal((await signingIn).body.code, "login.refused");
  } finally {
    holder.release();
  }
  const sessions = await api.call("GET", "/api/v2/users/ann/sessions", { token: owner.token });
  assert.equal(sessions.body.count, 1);
});

async function countWaiting(api: TestControlPlane): Promise<number> {
  const { rows } = await api.database.pool.query(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length;
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 1_000; looks += 1) if (await isDone()) return;
  assert.fail("it did not happen");
}
