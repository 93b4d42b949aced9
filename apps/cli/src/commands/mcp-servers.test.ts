/** Tool servers in the terminal: what is sent, what is refused at once, and that no credential is shown. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

const SERVER = {
  ...{ id: ID, slug: "wiki", display_name: "Wiki", description: "", enabled: true },
  ...{ availability: "default_on", allow_in_plan_mode: false, tool_allow_list: [] },
  ...{ tool_deny_list: ["drop"], auth_type: "none", url: "https://wiki.example.com/mcp" },
  ...{ header_names: [], created_at: TIME, updated_at: TIME },
};
const ROOT = "/api/v2/mcp-servers";
const tools = [{ name: "find", description: "Finds\npages", is_allowed: true }];
const changed = ({ body }: Parsed) => {
  const { auth: _auth, ...fields } = body as Record<string, unknown>;
  return { ...SERVER, ...fields };
};
const API = {
  variables: SIGNED_IN,
  [`GET ${ROOT}`]: () => ({ servers: [SERVER] }),
  [`POST ${ROOT}`]: changed,
  [`PATCH ${ROOT}/:server`]: changed,
  [`DELETE ${ROOT}/:server`]: () => null,
  [`POST ${ROOT}/:server/test`]: () => ({ ok: true, tools }),
} as const;

type Run = Awaited<ReturnType<typeof cli>>;
const bodyOf = ({ requests }: Run): unknown => JSON.parse(requests.at(-1)?.body ?? "null");
const CREATE = ["mcp-servers", "create", "wiki", SERVER.url];

test("a list names servers, and says how to add the first", async () => {
  assert.match((await cli(["mcp-servers", "list"], API)).out, /wiki +Wiki +default_on +yes/);
  const none = { ...API, [`GET ${ROOT}`]: () => ({ servers: [] }) };
  assert.match((await cli(["mcp-servers", "list"], none)).out, /mcp-servers create/);
});

test("create sends what is given, and a credential only from stdin", async () => {
  const given = [
    "--availability",
    "force_on",
    "--deny-tool",
    "a",
    "--deny-tool",
    "b",
    "--plan-mode",
  ];
  const made = await cli([...CREATE, ...given], API);
  assert.deepEqual(bodyOf(made), {
    ...{ slug: "wiki", url: SERVER.url, availability: "force_on", tool_deny_list: ["a", "b"] },
    ...{ allow_in_plan_mode: true, enabled: true },
  });
  const keyed = await cli([...CREATE, "--header", "X-Key", "--value-stdin"], {
    ...API,
    stdin: "very-secret\n",
  });
  const { auth } = bodyOf(keyed) as { readonly auth: unknown };
  assert.deepEqual(auth, { type: "api_key", header: "X-Key", value: "very-secret" });
  assert.ok(!`${keyed.out}${keyed.err}`.includes("very-secret"));
  for (const [wrong, input] of [
    [["--header", "X-Key"], ""],
    [["--value-stdin"], "x"],
    [["--headers-stdin"], "very-secret"],
    [["--headers-stdin"], '{"Host": "very-secret"}'],
  ] as const) {
    const refused = await cli([...CREATE, ...wrong], { ...API, stdin: input });
    assert.deepEqual([refused.exitCode, refused.requests.length], [2, 0], refused.err);
    assert.ok(!refused.err.includes("very-secret"));
  }
});

test("update, test and delete find the server by its slug", async () => {
  const run = await cli(["mcp-servers", "update", "wiki", "--disable"], API);
  assert.deepEqual([run.requests.at(-1)?.path, bodyOf(run)], [`${ROOT}/${ID}`, { enabled: false }]);
  const asked = ["--transport", "sse", "--model-intent", "on"];
  const older = await cli(["mcp-servers", "update", "wiki", ...asked], API);
  assert.deepEqual(bodyOf(older), { transport: "sse", model_intent: true });
  assert.match(older.out, /HTTP with SSE/);
  const quiet = await cli(["mcp-servers", "update", "wiki", "--model-intent", "off"], API);
  assert.deepEqual(bodyOf(quiet), { model_intent: false });
  assert.equal((await cli(["mcp-servers", "update", "wiki"], API)).exitCode, 2);
  assert.match((await cli(["mcp-servers", "test", "wiki"], API)).out, /find +yes +Finds$/m);
  const broken = {
    ...API,
    [`POST ${ROOT}/:server/test`]: () => ({ ok: false, message: "It is away.", tools: [] }),
  };
  const tested = await cli(["mcp-servers", "test", "wiki"], broken);
  assert.ok(tested.exitCode === 1 && /It is away/.test(tested.err), tested.err);
  assert.match(
    (await cli(["mcp-servers", "delete", "wiki", "-y"], API)).out,
    /Deleted tool server wiki/,
  );
  assert.match((await cli(["mcp-servers", "test", "no"], API)).err, /No tool server is called no/);
});

test("create says how people sign in, and the client's secret comes from stdin only", async () => {
  const given = ["--oauth", "--client-id", "ours", "--client-secret-stdin", "--scope", "a b"];
  const made = await cli([...CREATE, ...given], { ...API, stdin: "very-secret\n" });
  const { auth } = bodyOf(made) as { readonly auth: unknown };
  assert.deepEqual(auth, {
    ...{ type: "oauth2", client_id: "ours", client_secret: "very-secret", scope: "a b" },
  });
  assert.ok(!`${made.out}${made.err}`.includes("very-secret"));
  for (const wrong of [
    ["--scope", "a"],
    ["--oauth", "--headers-stdin"],
    ["--oauth", "--client-secret-stdin"],
  ]) {
    const refused = await cli([...CREATE, ...wrong], { ...API, stdin: "{}" });
    assert.deepEqual([refused.exitCode, refused.requests.length], [2, 0], refused.err);
  }
});

test("connect prints the page and waits for the sign-in; disconnect ends it; the list says who needs one", async () => {
  const page = "https://auth.example.com/authorize?state=s";
  const clock = new FakeClock();
  let isSignedIn = false;
  let begun = 0;
  const api = {
    ...{ ...API, clock },
    [`GET ${ROOT}`]: () => ({
      servers: [{ ...SERVER, auth_type: "oauth2", sign_in: isSignedIn ? "done" : "needed" }],
    }),
    [`POST ${ROOT}/:server/sign-in`]: () => {
      begun += 1;
      const expiresAt = new Date(clock.now().getTime() + 600_000);
      return { authorization_url: page, expires_at: expiresAt.toISOString() };
    },
    [`DELETE ${ROOT}/:server/sign-in`]: () => null,
  };
  assert.match((await cli(["mcp-servers", "list"], api)).out, /needs sign-in/);
  const shown = await cli(["mcp-servers", "connect", "wiki", "--print-only"], api);
  assert.equal(shown.out.trim(), page);
  let isOver = false;
  const waiting = cli(["mcp-servers", "connect", "wiki"], api).finally(() => (isOver = true));
  for (let look = 0; !isOver;) {
    await new Promise((resolve) => setImmediate(resolve));
    // Not before there is a page that serves for some time.
    if (begun < 2) continue;
    look += 1;
    if (look > 20) isSignedIn = true;
    await clock.advance(2_000);
  }
  const connected = await waiting;
  assert.ok(connected.err.includes(page) && /Signed in to wiki/.test(connected.out), connected.err);
  assert.match((await cli(["mcp-servers", "disconnect", "wiki"], api)).out, /Signed out of wiki/);
});
