import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { BlockList, connect, type AddressInfo } from "node:net";
import { test } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { systemRandom } from "@atelier/base/system-random";
import { endpoint, type Endpoint } from "@atelier/contract/endpoint";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { auditEventPiece } from "../audit/audit-store.ts";
import { AccessGuard } from "./access-guard.ts";
import { createApi, type ApiDeps } from "./api.ts";
import { signInCookies } from "./presented-token.ts";
import { RateLimit } from "./rate-limit.ts";
import { route, type Handler, type RequestFacts, type Route } from "./route.ts";

const ANN: Actor = {
  userId: "00000000-0000-4000-8000-00000000000a",
  username: "ann",
  email: "ann@example.com",
  roles: ["owner"],
  scopes: ["all"],
  apiKeyId: "k",
  keyKind: "session",
};

/** Made up: the edge must work for any endpoint, not only for those there are. */
const makeThing = endpoint({
  tag: "things",
  summary: "Make a thing",
  method: "POST",
  path: "/api/v2/things/:thing",
  aliases: ["/api/v2/old-things/:thing"],
  access: "user:create",
  params: z.strictObject({ thing: z.string().max(2_000) }),
  query: z.strictObject({ dry: z.stringbool().default(false) }),
  body: z.strictObject({ name: z.string().max(5) }),
  success: { status: 201, body: z.object({ name: z.string() }) },
  failures: ["user.username_taken"],
  audit: { action: "create", resource: "user" },
});
const readThing = {
  ...makeThing,
  method: "GET",
  body: null,
  audit: null,
  success: { status: 200, body: z.object({ name: z.string() }) },
} as const satisfies Endpoint;

const makeSmallThing = {
  ...makeThing,
  path: "/api/v2/small-things/:thing",
  aliases: ["/api/v2/little-things/:thing"],
  bodyBytesMax: 32,
} as const satisfies Endpoint;

type Made = {
  readonly url: string;
  readonly rows: AuditEvent[];
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[];
  readonly facts: RequestFacts[];
  readonly clock: FakeClock;
};

async function serve(
  options: {
    readonly make?: Handler<typeof makeThing>;
    readonly read?: Handler<typeof readThing>;
    readonly deps?: Partial<ApiDeps>;
  },
  work: (made: Made) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const rows: AuditEvent[] = [];
  const lines: Made["lines"] = [];
  const facts: RequestFacts[] = [];
  const routes: Route[] = [
    route(makeThing, async (request) => {
      facts.push(request.facts);
      if (options.make !== undefined) return options.make(request);
      await request.audit.record(NO_SQL, { resourceId: "1", target: request.body.name });
      return ok({ name: request.body.name });
    }),
    route(makeSmallThing, async (request) => {
      await request.audit.record(NO_SQL, { resourceId: "1", target: request.body.name });
      return ok({ name: request.body.name });
    }),
    route(readThing, async (request) => {
      facts.push(request.facts);
      return options.read === undefined
        ? ok({ name: request.params.thing })
        : options.read(request);
    }),
  ];
  await using api = await createApi(routes, {
    clock,
    random: systemRandom,
    log: logInto(lines),
    sql: NO_SQL,
    insertAuditEvent: async (_sql, event) => {
      rows.push(event);
    },
    auditEventPiece,
    authenticate: async (token) => (token === "ann" ? ANN : null),
    authenticateForChat: async (token) =>
      token === "ann" ? { actor: ANN, chat: undefined } : null,
    assumeForChat: () => null,
    findUserId: async () => undefined,
    trustedProxies: new BlockList(),
    rateLimit: new RateLimit(clock, 0),
    cookies: signInCookies("http://a.example"),
    streams: [],
    webSocketPaths: [],
    guard: new AccessGuard({ clock, log: silentLogger, findActor, findWorkspace, findChat }),
    findWorkspace,
    findChat,
    version: "1.2.3",
    observe: () => {},
    ...options.deps,
  });
  const server = createServer((request, response) => api.handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await work({ url, rows, lines, facts, clock });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const findActor = async () => null;
const findWorkspace = async () => undefined;
const findChat = async () => undefined;

/** The edge only hands it on. */
const NO_SQL = {} as ApiDeps["sql"];

function logInto(lines: Made["lines"]): Logger {
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields, message });
    };
  return { ...silentLogger, warn: write("warn"), error: write("error"), debug: write("debug") };
}

const SIGNED_IN = { "coder-session-token": "ann" };
const PATH = "/api/v2/things/one";

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", body, headers: { ...SIGNED_IN, ...headers } });
}

// oxlint-disable-next-line typescript/no-explicit-any -- Tests look into answers of many shapes.
async function jsonOf(answer: Response): Promise<any> {
  return answer.json();
}

/** Every way in which a request is refused before a handler sees it. */
const REFUSALS: readonly {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}[] = [
  { name: "no credential", headers: {}, status: 401, code: "request.unauthenticated" },
  {
    name: "a credential that lets nobody in",
    headers: { "coder-session-token": "bob" },
    status: 401,
    code: "request.unauthenticated",
  },
  {
    name: "an unknown field in the query",
    path: `${PATH}?x=1`,
    status: 400,
    code: "request.invalid",
  },
  {
    name: "a query of the wrong type",
    path: `${PATH}?dry=maybe`,
    status: 400,
    code: "request.invalid",
    field: "dry",
  },
  { name: "a body that is not JSON", body: "{", status: 400, code: "request.invalid" },
  { name: "a body that is not text", body: "\u0000", status: 400, code: "request.invalid" },
  { name: "no body where one is needed", body: "", status: 400, code: "request.invalid" },
  {
    name: "a field of the wrong type",
    body: '{"name":1}',
    status: 400,
    code: "request.invalid",
    field: "name",
  },
  {
    name: "an unknown field in the body",
    body: '{"name":"a","x":1}',
    status: 400,
    code: "request.invalid",
  },
  {
    name: "a prototype in the body",
    body: '{"name":"a","__proto__":{}}',
    status: 400,
    code: "request.invalid",
  },
  {
    name: "a body past the limit",
    body: `"${"x".repeat(1_048_576)}"`,
    status: 413,
    code: "request.too_large",
  },
  {
    name: "a path that does not exist",
    path: "/api/v2/nothing",
    status: 404,
    code: "request.route_unknown",
  },
  { name: "a path outside the API", path: "/nothing", status: 404, code: "request.route_unknown" },
  {
    name: "a method that the path does not take",
    method: "PUT",
    status: 405,
    code: "request.method_not_allowed",
  },
  {
    name: "a path with broken encoding",
    path: "/api/v2/things/%zz",
    status: 400,
    code: "request.invalid",
  },
  // Postgres can store neither, so that they would end as bugs.
  { name: "NUL in the path", path: `${PATH}%00`, status: 400, code: "request.invalid" },
  {
    name: "NUL in the body",
    body: String.raw`{"name":"a\u0000"}`,
    status: 400,
    code: "request.invalid",
  },
  {
    name: "half a surrogate pair in the body",
    body: String.raw`{"name":"\ud800"}`,
    status: 400,
    code: "request.invalid",
  },
  {
    name: "a path part that is too long",
    path: `/api/v2/things/${"x".repeat(3_000)}`,
    status: 400,
    code: "request.invalid",
  },
];

for (const {
  name,
  method = "POST",
  path = PATH,
  headers = SIGNED_IN,
  body = '{"name":"a"}',
  ...expected
} of REFUSALS) {
  test(`${name} is refused with ${expected.code}`, async () => {
    await serve({}, async ({ url }) => {
      const answer = await fetch(url + path, { method, headers, body });
      const problem = await jsonOf(answer);
      assert.deepEqual([answer.status, problem.code], [expected.status, expected.code]);
      assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
      assert.equal(problem.request_id, answer.headers.get("x-request-id"));
      if (expected.field !== undefined) assert.equal(problem.validations[0].field, expected.field);
    });
  });
}

test("an endpoint with a limit of its own keeps to it, and the others to theirs", async () => {
  await serve({}, async ({ url }) => {
    const body = '{"name":"a"}'.padEnd(32);
    const statusOf = async (path: string, sent: string) => (await post(url + path, sent)).status;
    for (const path of ["/api/v2/small-things/one", "/api/v2/little-things/one"]) {
      assert.deepEqual([await statusOf(path, body), await statusOf(path, `${body} `)], [201, 413]);
    }
    assert.equal(await statusOf(PATH, `${body} `), 201);
  });
});

test("the answer to a wrong method says which are right", async () => {
  await serve({}, async ({ url }) => {
    for (const method of ["DELETE", "PATCH", "OPTIONS"]) {
      const answer = await fetch(url + PATH, { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST"]);
    }
  });
});

test("HEAD answers like GET, without the body", async () => {
  await serve({}, async ({ url }) => {
    const answer = await fetch(url + PATH, { method: "HEAD", headers: SIGNED_IN });
    assert.deepEqual([answer.status, await answer.text()], [200, ""]);
    assert.equal(answer.headers.get("content-length"), String('{"name":"one"}'.length));
  });
});

test("an alias answers the same, and parts of a path are decoded once", async () => {
  await serve({}, async ({ url }) => {
    const answer = await fetch(`${url}/api/v2/old-things/a%2Fb%20%2525`, { headers: SIGNED_IN });
    assert.deepEqual(await jsonOf(answer), { name: "a/b %25" });
  });
});

test("an answer is cut down to its contract", async () => {
  const leaky = { name: "a", password_hash: "oops" };
  await serve({ read: async () => ok(leaky) }, async ({ url }) => {
    const answer = await fetch(url + PATH, { headers: SIGNED_IN });
    assert.deepEqual(await jsonOf(answer), { name: "a" });
  });
});

test("every answer carries its request id, never the client's, and headers that protect browsers", async () => {
  await serve({}, async ({ url }) => {
    for (const path of [PATH, "/nothing", "/api/v2/openapi.json"]) {
      const answer = await fetch(url + path, { headers: { "x-request-id": "mine" } });
      assert.match(answer.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.match(answer.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
    }
  });
});

test("an expected failure becomes a problem with its status, detail and Retry-After", async () => {
  const make = async () =>
    fail({ code: "user.username_taken", detail: "Taken.", retryAfterSeconds: 7 } as const);
  await serve({ make }, async ({ url }) => {
    const answer = await post(url + PATH, '{"name":"a"}');
    const { request_id: _, ...problem } = await jsonOf(answer);
    assert.deepEqual(problem, {
      message: "A user with this username already exists.",
      detail: "Taken.",
      code: "user.username_taken",
    });
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [409, "7"]);
  });
});

test("a bug is told without its cause, which is in the log with the request id", async () => {
  const make = () => Promise.reject(new Error("select secret from /etc/passwd"));
  await serve({ make }, async ({ url, lines, rows }) => {
    const answer = await post(url + PATH, '{"name":"a"}');
    const text = await answer.text();
    assert.equal(answer.status, 500);
    assert.doesNotMatch(text, /secret|passwd|\.ts/);
    const { code, request_id: requestId } = JSON.parse(text);
    assert.equal(code, "server.bug");
    const crash = lines.find(({ message }) => message === "request crashed");
    assert.equal(new Map(Object.entries(crash?.fields ?? {})).get("requestId"), requestId);
    assert.deepEqual(
      rows.map(({ statusCode }) => statusCode),
      [500],
    );
  });
});

test("an answer that breaks its contract is a bug, not a leak", async () => {
  const read = async () => ok({ name: 5 as unknown as string });
  await serve({ read }, async ({ url }) => {
    const answer = await fetch(url + PATH, { headers: SIGNED_IN });
    assert.equal((await jsonOf(answer)).code, "server.bug");
  });
});

test("a database that is away is told as unavailable, and when to come back", async () => {
  const away = Object.assign(new Error("terminating connection"), { code: "57P01" });
  const authenticate = () => Promise.reject(away);
  await serve({ deps: { authenticate } }, async ({ url }) => {
    const answer = await fetch(url + PATH, { headers: SIGNED_IN });
    assert.deepEqual([answer.status, (await jsonOf(answer)).code], [503, "server.unavailable"]);
    assert.equal(answer.headers.get("retry-after"), "5");
  });
});

test("a change that leaves no audit row is a bug", async () => {
  await serve({ make: async () => ok({ name: "a" }) }, async ({ url }) => {
    assert.equal((await post(url + PATH, '{"name":"a"}')).status, 500);
  });
});

test("who is known leaves a row for each attempt, with the name on the path and the outcome", async () => {
  await serve({}, async ({ url, rows }) => {
    await post(url + PATH, '{"name":"a"}', { "user-agent": "tester" });
    await post(url + PATH, '{"name":5}');
    await fetch(url + PATH, { method: "POST", body: '{"name":"a"}' });
    assert.deepEqual(
      rows.map(({ userId, target, statusCode }) => ({ userId, target, statusCode })),
      [
        { userId: ANN.userId, target: "a", statusCode: 201 },
        { userId: ANN.userId, target: "one", statusCode: 400 },
      ],
    );
    assert.deepEqual([rows[0]?.ip, rows[0]?.userAgent], ["127.0.0.1", "tester"]);
  });
});

test("an attempt is refused also when its audit row cannot be written", async () => {
  const insertAuditEvent = () => Promise.reject(new Error("disk full"));
  await serve({ deps: { insertAuditEvent } }, async ({ url, lines }) => {
    assert.equal((await post(url + PATH, "{}")).status, 400);
    assert.ok(lines.some(({ message }) => message === "a failed attempt could not be audited"));
  });
});

test("each user has a share of requests, and each address where nobody is signed in", async () => {
  await serve({ deps: { rateLimit: new RateLimit(new FakeClock(), 2) } }, async ({ url, rows }) => {
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(url + PATH, { headers })).status;
    assert.deepEqual([await statusOf({}), await statusOf({}), await statusOf({})], [401, 401, 429]);
    assert.deepEqual([await statusOf(SIGNED_IN), await statusOf(SIGNED_IN)], [200, 200]);
    const limited = await post(url + PATH, '{"name":"a"}');
    assert.deepEqual([limited.status, (await jsonOf(limited)).code], [429, "request.rate_limited"]);
    assert.equal(limited.headers.get("retry-after"), "30");
    // A flood must not fill the audit log.
    assert.deepEqual(rows, []);
  });
});

test("an address behind a trusted proxy is the client's", async () => {
  const trustedProxies = new BlockList();
  trustedProxies.addAddress("127.0.0.1");
  await serve({ deps: { trustedProxies } }, async ({ url, facts }) => {
    const headers = {
      ...SIGNED_IN,
      "x-forwarded-for": "9.9.9.9, 8.8.8.8",
      "x-forwarded-proto": "https",
    };
    await fetch(url + PATH, { headers });
    assert.deepEqual([facts[0]?.ip, facts[0]?.isSecure], ["8.8.8.8", true]);
  });
});

test("a long user agent is cut", async () => {
  await serve({}, async ({ url, facts }) => {
    await fetch(url + PATH, { headers: { ...SIGNED_IN, "user-agent": "x".repeat(300) } });
    assert.equal(facts[0]?.userAgent.length, 256);
  });
});

test("a body in many pieces past the limit is refused while it comes", async () => {
  await serve({}, async ({ url }) => {
    // It ends: fetch pulls on for as long as there are pieces, also when nobody takes them.
    const pieces = ReadableStream.from(Array.from({ length: 64 }, () => Buffer.alloc(65_536, " ")));
    const answer = await fetch(url + PATH, {
      method: "POST",
      headers: SIGNED_IN,
      body: pieces,
      duplex: "half",
    });
    assert.equal(answer.status, 413);
  });
});

test("the handler learns when the client goes away, and a half-sent body is nobody's bug", async () => {
  const seen = Promise.withResolvers<boolean>();
  const read: Handler<typeof readThing> = async ({ facts }) => {
    if (!facts.signal.aborted) await once(facts.signal, "abort");
    seen.resolve(true);
    return ok({ name: "late" });
  };
  await serve({ read }, async ({ url, lines }) => {
    const { port } = new URL(url);
    const head = (method: string): string =>
      `${method} ${PATH} HTTP/1.1\r\nhost: x\r\ncoder-session-token: ann\r\n`;
    const waiting = connect(Number(port), "127.0.0.1");
    waiting.write(`${head("GET")}\r\n`, () => waiting.destroy());
    assert.equal(await seen.promise, true);
    const sending = connect(Number(port), "127.0.0.1");
    sending.write(`${head("POST")}content-length: 100\r\n\r\n{`);
    // An answer to a later request shows that the server has gone on.
    assert.equal((await fetch(`${url}/nothing`)).status, 404);
    sending.destroy();
    assert.equal((await fetch(`${url}/nothing`)).status, 404);
    assert.deepEqual(
      lines.filter(({ level }) => level === "error"),
      [],
    );
  });
});

test("each request is one line in the log: who, what, how it went, and nothing of its body", async () => {
  await serve({}, async ({ url, lines }) => {
    await post(`${url + PATH}?dry=true`, '{"name":"body"}');
    const line = lines.find(({ message }) => message === "request served");
    const { requestId, ...fields } = { ...line?.fields } as Record<string, unknown>;
    assert.equal(typeof requestId, "string");
    assert.deepEqual(fields, {
      method: "POST",
      route: "/api/v2/things/:thing",
      status: 201,
      durationMs: 0,
      userId: ANN.userId,
    });
  });
});
