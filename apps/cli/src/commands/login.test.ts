/** Signing in and out, and which server and token a command then uses. */
import assert from "node:assert/strict";
import test from "node:test";
import { ANN, cli, ID, SIGNED_IN } from "../cli-scene.test.ts";

// Which server, and as whom.

test("flags win over the environment, and both over the stored sign-in", async () => {
  const api = { "GET /api/v2/users/:user": () => ANN } as const;
  const stored = { "http://stored.test": "stored-token", "http://other.test": "other-token" };
  const target = async (words: string[], variables: Record<string, string> = {}) => {
    const run = await cli(["whoami", ...words], { ...api, variables, stored });
    return run.requests.map(({ url, token }) => `${url} ${token}`).join();
  };
  assert.equal(await target([]), "http://other.test other-token");
  assert.equal(await target(["--url", "http://stored.test/"]), "http://stored.test stored-token");
  assert.equal(await target([], SIGNED_IN), "http://atelier.test env-token");
  assert.equal(
    await target(["--url", "http://flag.test", "--token", "flag"], SIGNED_IN),
    "http://flag.test flag",
  );
});

test("a stored token is not sent to another server", async () => {
  const run = await cli(["whoami", "--url", "http://evil.test"], {
    stored: { "http://stored.test": "stored-token" },
  });
  assert.equal(run.exitCode, 3);
  assert.deepEqual(run.requests, []);
});

// Signing in and out.

test("login asks for email and password, and stores the session", async () => {
  const run = await cli(["login", "atelier.test"], {
    answers: ["ann@example.com", "pw"],
    "GET /api/v2/users/first": () => ({ message: "yes" }),
    "POST /api/v2/users/login": ({ body }) => {
      assert.deepEqual(body, { email: "ann@example.com", password: "pw" });
      return { session_token: "session-token" };
    },
    "GET /api/v2/users/:user": () => ANN,
  });
  assert.equal(run.out, "Signed in to https://atelier.test as ann.\n");
  assert.equal(run.credentials?.default_url, "https://atelier.test");
  assert.deepEqual(run.credentials?.servers["https://atelier.test"], {
    token: "session-token",
    kind: "session",
    username: "ann",
  });
  assert.equal(run.requests.at(-1)?.token, "session-token");
});

test("login on a fresh server creates the first user without asking, when all is given", async () => {
  const words = ["login", "http://atelier.test", "--first-user-email", "ann@example.com"];
  const run = await cli(
    [...words, "--first-user-username", "ann", "--first-user-password-stdin", "--json"],
    {
      stdin: "correct horse\n",
      "GET /api/v2/users/first": () => "resource.not_found",
      "POST /api/v2/users/first": ({ body }) => {
        const password = "correct horse";
        assert.deepEqual(body, { email: "ann@example.com", username: "ann", password });
        return { user_id: ID, organization_id: ID };
      },
      "POST /api/v2/users/login": () => ({ session_token: "session-token" }),
      "GET /api/v2/users/:user": () => ANN,
    },
  );
  assert.equal(run.exitCode, 0, run.err);
  assert.deepEqual(JSON.parse(run.out), {
    url: "http://atelier.test",
    username: "ann",
    email: "ann@example.com",
  });
});

test("login on a fresh server without a person or data says what to give", async () => {
  const run = await cli(["login", "http://atelier.test"], {
    "GET /api/v2/users/first": () => "resource.not_found",
  });
  assert.equal(run.exitCode, 1);
  assert.match(run.err, /--first-user-email/);
});

test("a first user that exists is a conflict; a web server that is not ours is a failure", async () => {
  const words = ["login", "http://atelier.test", "--first-user-email", "ann@example.com"];
  const exists = await cli(words, { "GET /api/v2/users/first": () => ({ message: "yes" }) });
  assert.equal(exists.exitCode, 5);
  const foreign = await cli(words, { foreign: { status: 404, body: "<html>" } });
  assert.equal(foreign.exitCode, 1);
  assert.match(foreign.err, /not an answer of an Atelier server/);
});

test("login asks nothing when nobody is there", async () => {
  const run = await cli(["login", "http://atelier.test"], {
    "GET /api/v2/users/first": () => ({ message: "yes" }),
  });
  assert.equal(run.exitCode, 2);
  assert.equal((await cli(["login"], {})).exitCode, 2);
});

test("a stored token is checked first, and is only forgotten by logout", async () => {
  const refused = await cli(["login", "http://atelier.test", "--token-stdin"], {
    stdin: "bad-token",
    "GET /api/v2/users/:user": () => "request.unauthenticated",
  });
  assert.equal(refused.exitCode, 3);
  assert.equal(refused.credentials, null);
  const stored = await cli(["login", "http://atelier.test", "--token-stdin"], {
    stdin: "good-token\r\n",
    "GET /api/v2/users/:user": () => ANN,
  });
  assert.equal(stored.credentials?.servers["http://atelier.test"]?.kind, "token");
  const forgotten = await cli(["logout"], {
    stored: { "http://atelier.test": "good-token" },
    storedKind: "token",
  });
  assert.equal(forgotten.exitCode, 0);
  assert.deepEqual(forgotten.requests, []);
  assert.deepEqual(forgotten.credentials?.servers, {});
});

test("logout ends the session, also one that has ended already, but keeps it when the server is away", async () => {
  const stored = { "http://atelier.test": "session-token" };
  for (const answer of [{ message: "bye" }, "request.unauthenticated"] as const) {
    const run = await cli(["logout"], { stored, "POST /api/v2/users/logout": () => answer });
    assert.equal(run.exitCode, 0);
    assert.equal(run.requests[0]?.token, "session-token");
    assert.deepEqual(run.credentials, { version: 1, default_url: null, servers: {} });
  }
  const away = await cli(["logout"], {
    stored,
    "POST /api/v2/users/logout": () => "server.unavailable",
  });
  assert.equal(away.exitCode, 6);
  assert.equal(Object.keys(away.credentials?.servers ?? {}).length, 1);
  assert.equal((await cli(["logout"], {})).exitCode, 3);
});
