/** Ports of workspaces in browsers: who gets in, what passes, and what ends it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import { WebSocketServer, type WebSocket } from "ws";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";
import { closed, portsHere, startProgram, TestBrowser, type Program } from "./previews-testkit.ts";
import {
  addWorkspace,
  eventually,
  startMachine,
  type TestWorkspace,
} from "./workspaces-testkit.ts";

const ACCESS_URL = "http://atelier.test";
const CONFIG = {
  accessUrl: ACCESS_URL,
  previewWildcard: { scheme: "http", ending: ".apps.test", port: "" },
} as const;

type World = AsyncDisposable & {
  readonly plane: TestControlPlane;
  readonly ann: Person;
  readonly box: TestWorkspace;
  readonly program: Program;
  /** Where the program is seen. */
  readonly url: string;
  /** What the program was asked. */
  readonly asked: IncomingMessage[];
  readonly browser: TestBrowser;
};

type Answering = (request: IncomingMessage, response: ServerResponse) => unknown;

const HELLO: Answering = (_request, response) => response.end("hello");

async function startWorld(answer: Answering = HELLO): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const plane = resources.use(await startTestControlPlane({ config: CONFIG }));
  await plane.setUp();
  const ann = await plane.addPerson("ann");
  const box = await addWorkspace(plane, ann, "box");
  const machine = startMachine(plane.url, box.token, { ports: portsHere() });
  resources.use(machine);
  await machine.until("connected");
  const asked: IncomingMessage[] = [];
  const program = resources.use(
    await startProgram((request, response) => {
      asked.push(request);
      answer(request, response);
    }),
  );
  const url = `http://${program.port}--main--box--ann.apps.test`;
  const browser = new TestBrowser(plane.url, { accessUrl: ACCESS_URL, token: ann.token });
  const owned = resources.move();
  return {
    ...{ plane, ann, box, program, url, asked, browser },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("who is signed in comes to the page they wanted, by a ticket, and then without", async () => {
  await using world = await startWorld();
  const { browser, url, asked } = world;
  const page = await browser.visit(`${url}/deep?x=1`);
  assert.deepEqual([page.status, page.text, page.url], [200, "hello", `${url}/deep?x=1`]);
  assert.deepEqual([...browser.cookiesOf(url).keys()], ["atelier_preview"]);
  const again = await browser.step(`${url}/`);
  assert.deepEqual([again.status, again.text], [200, "hello"]);
  assert.deepEqual(
    asked.map(({ url: path }) => path),
    ["/deep?x=1", "/"],
  );
});

test("every path of a preview's host is the workspace's, those of the API too", async () => {
  await using world = await startWorld();
  for (const path of ["/api/v2/buildinfo", "/healthz", "/api/v2/applications/auth-redirect"]) {
    const page = await world.browser.visit(world.url + path);
    assert.deepEqual([page.status, page.text], [200, "hello"]);
  }
});

test("who is not signed in goes to the sign-in, and comes back from there", async () => {
  await using world = await startWorld();
  const browser = new TestBrowser(world.plane.url);
  const start = await browser.step(`${world.url}/a`);
  assert.equal(start.status, 303);
  const asked = await browser.step(start.headers.location ?? "");
  assert.equal(asked.status, 303);
  const login = new URL(asked.headers.location ?? "");
  assert.equal(login.origin + login.pathname, `${ACCESS_URL}/login`);
  // Within a frame no sign-in is shown.
  const framed = await browser.step(start.headers.location ?? "", {
    headers: { "sec-fetch-dest": "iframe" },
  });
  assert.equal(framed.status, 401);
  assert.match(framed.text, /target="_blank"/);
  browser.signIn(ACCESS_URL, world.ann.token);
  const page = await browser.visit(ACCESS_URL + (login.searchParams.get("next") ?? ""));
  assert.deepEqual([page.status, page.text, page.url], [200, "hello", `${world.url}/a`]);
  assert.deepEqual(
    world.asked.map(({ url }) => url),
    ["/a"],
  );
});

test("requests that no person follows by the eye are refused without a redirect", async () => {
  await using world = await startWorld();
  const page = await new TestBrowser(world.plane.url).step(`${world.url}/data`, {
    headers: { "sec-fetch-mode": "cors" },
  });
  assert.equal(page.status, 401);
  assert.equal((await world.browser.upgrade(world.url)).status, 401);
  assert.equal(world.asked.length, 0);
});

test("nobody enters another's preview, not even an owner, and all hear the same", async () => {
  await using world = await startWorld();
  const { plane, url, program } = world;
  const bob = await plane.addPerson("bob");
  const owner = { token: await plane.logIn("owner") };
  const nothing = `http://${program.port}--main--nothing--ann.apps.test`;
  const texts = new Set<string>();
  for (const { token } of [bob, owner]) {
    for (const place of [url, nothing]) {
      const browser = new TestBrowser(plane.url, { accessUrl: ACCESS_URL, token });
      const page = await browser.visit(place);
      assert.equal(page.status, 404);
      texts.add(page.text);
    }
  }
  assert.equal(texts.size, 1);
  assert.equal(world.asked.length, 0);
});

test("a ticket serves once, for its host, in the browser that asked for it", async () => {
  await using world = await startWorld();
  const { browser, url, plane } = world;
  const start = await browser.step(`${url}/`);
  const back = await browser.step(start.headers.location ?? "");
  const enter = back.headers.location ?? "";
  const stranger = new TestBrowser(plane.url);
  assert.equal((await stranger.step(enter)).status, 403);
  // Also one that began by itself, as when somebody is sent a link.
  await stranger.step(`${url}/`);
  assert.equal((await stranger.step(enter)).status, 403);
  const other = enter.replace(/\/\/\d+--/, "//1--");
  assert.equal((await browser.step(other)).status, 403);
  const text = browser.cookiesOf(url).get("atelier_preview_start") ?? "";
  assert.equal((await browser.step(enter)).status, 303);
  const thief = new TestBrowser(plane.url);
  thief.cookiesOf(url).set("atelier_preview_start", text);
  assert.equal((await thief.step(enter)).status, 403);
  // The same browser is in already: its button "back" leads on.
  assert.equal((await browser.step(enter)).headers.location, `${url}/`);
});

test("a cookie of one preview opens no other, nor the API", async () => {
  await using world = await startWorld();
  const { browser, url, plane, ann } = world;
  await browser.visit(url);
  const pass = browser.cookiesOf(url).get("atelier_preview") ?? assert.fail("it was let in");
  const other = url.replace("--box--", "--other--");
  await addWorkspace(plane, ann, "other");
  const visitor = new TestBrowser(plane.url);
  visitor.cookiesOf(other).set("atelier_preview", pass);
  assert.match((await visitor.step(other)).headers.location ?? "", /auth-redirect/);
  const asked = await plane.call("GET", "/api/v2/users/me", {
    headers: { cookie: `atelier_preview=${pass}; coder_session_token=${pass}` },
  });
  assert.equal(asked.status, 401);
});

test("the program sees a browser on its own machine, and nothing that lets anybody in here", async () => {
  await using world = await startWorld();
  const { browser, url, asked, program, ann } = world;
  await browser.visit(url);
  const local = `http://localhost:${program.port}`;
  await browser.step(`${url}/form`, {
    method: "POST",
    body: Buffer.from("a=1"),
    headers: {
      cookie: `own=1; atelier_preview=${browser.cookiesOf(url).get("atelier_preview")}; coder_session_token=${ann.token}; atelier_csrf=x`,
      authorization: `Bearer ${ann.token}`,
      "coder-session-token": ann.token,
      origin: url,
      referer: `${url}/page?x`,
      "x-forwarded-host": "elsewhere.test",
      "x-csrf-token": "the program's own",
    },
  });
  const { headers } = asked.at(-1) ?? assert.fail("it was asked");
  assert.equal(JSON.stringify(headers).includes(ann.token), false);
  assert.deepEqual(
    [headers.host, headers.origin, headers.referer, headers.cookie, headers["x-csrf-token"]],
    [`localhost:${program.port}`, local, `${local}/page?x`, "own=1", "the program's own"],
  );
  assert.deepEqual(
    [headers.authorization, headers["x-forwarded-host"], headers["x-forwarded-for"]],
    [undefined, undefined, "127.0.0.1"],
  );
  await browser.step(url, { headers: { authorization: "Basic dTpw", origin: "http://x.test" } });
  const last = asked.at(-1)?.headers;
  assert.deepEqual([last?.authorization, last?.origin], ["Basic dTpw", "http://x.test"]);
});

test("what the program answers cannot reach beyond its origin", async () => {
  let port = 0;
  await using world = await startWorld((_request, response) => {
    response.writeHead(302, {
      location: `http://localhost:${port}/next`,
      "set-cookie": [
        "a=1; Domain=apps.test; Path=/",
        "b=2; domain=.test",
        "atelier_preview=mine",
        "c=3",
      ],
      "clear-site-data": '"cookies"',
      "alt-svc": 'h2="elsewhere.test:443"',
      "x-frame-options": "SAMEORIGIN",
      "access-control-allow-origin": `http://127.0.0.1:${port}`,
    });
    response.end();
  });
  ({ port } = world.program);
  const { headers } = await world.browser.visit(world.url);
  assert.deepEqual(headers["set-cookie"], ["a=1; Path=/", "b=2", "c=3"]);
  assert.equal(headers.location, `${world.url}/next`);
  assert.equal(headers["access-control-allow-origin"], world.url);
  assert.equal(headers["content-security-policy"], `frame-ancestors 'self' ${ACCESS_URL}`);
  for (const name of ["clear-site-data", "alt-svc", "x-frame-options"]) {
    assert.equal(headers[name], undefined);
  }
});

test("bodies of any size pass both ways, and no faster than they are read", async () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  let sent = 0;
  await using world = await startWorld(async (request, response) => {
    if (request.method === "POST") {
      let bytes = 0;
      for await (const part of request) bytes += (part as Buffer).length;
      response.end(String(bytes));
    } else if (request.url === "/endless") {
      while (!response.destroyed) {
        sent += chunk.length;
        if (response.write(chunk)) continue;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off("drain", go).off("close", go);
            resolve();
          };
          response.on("drain", go).on("close", go);
        });
      }
    } else response.end("hello");
  });
  const { browser, url } = world;
  await browser.visit(url);
  const body = Buffer.alloc(20 * 1024 * 1024, "y");
  const posted = await browser.step(`${url}/up`, { method: "POST", body });
  assert.equal(posted.text, String(body.length));
  const answer = await browser.open(`${url}/endless`);
  await once(answer, "readable");
  let before = -1;
  // Windows and sockets on the way fill up, and then it waits.
  while (before !== sent) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were sent to a reader that does not read`);
  const left = closed(world.asked.at(-1)?.socket ?? assert.fail("it was asked"));
  answer.destroy();
  await left;
});

test("events come as they are sent, and signing out ends them at once", async () => {
  await using world = await startWorld((request, response) => {
    if (request.url !== "/events") response.end("hello");
    else response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  });
  const { browser, url, plane, ann, box } = world;
  await browser.visit(url);
  const events = await browser.open(`${url}/events`);
  const [first] = (await once(events, "data")) as [Buffer];
  assert.equal(first.toString(), "data: 1\n\n");
  const log = `/api/v2/workspaces/${box.id}/connections?type=workspace_preview`;
  const [entry] = (await plane.call("GET", log, { token: ann.token })).body.connection_logs;
  assert.deepEqual([entry.user.username, entry.disconnect_time], ["ann", null]);
  const cut = closed(events);
  await plane.call("POST", "/api/v2/users/logout", { token: ann.token });
  await cut;
  const after = await browser.step(url);
  assert.match(after.headers.location ?? "", /auth-redirect/);
  const token = await plane.logIn("ann");
  const ended = await eventually(
    () => plane.call("GET", log, { token }),
    ({ body }) => body.connection_logs[0].disconnect_time !== null,
  );
  assert.equal(ended.body.connection_logs[0].reason, "access ended");
});

test("who is suspended sees nothing more, and a workspace that is renamed has new addresses", async () => {
  await using world = await startWorld();
  const { browser, url, plane, ann, box } = world;
  await browser.visit(url);
  const renamed = await plane.call("PATCH", `/api/v2/workspaces/${box.id}`, {
    token: ann.token,
    body: { name: "crate" },
  });
  assert.equal(renamed.status, 200);
  /** A request that is under way when the session ends is cut. */
  const statusAt = async (at: string): Promise<number> =>
    (await browser.visit(at).catch(() => null))?.status ?? 0;
  const until = async (status: number, at: string): Promise<void> => {
    const deadline = performance.now() + 60_000;
    while ((await statusAt(at)) !== status) {
      assert.ok(performance.now() < deadline, `${at} answers ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await until(404, url);
  const moved = url.replace("--box--", "--crate--");
  assert.equal((await browser.visit(moved)).status, 200);
  const owner = await plane.logIn("owner");
  const suspended = await plane.call("PUT", `/api/v2/users/${ann.id}/status/suspend`, {
    token: owner,
  });
  assert.equal(suspended.status, 200, suspended.text);
  // The sign-in is the dashboard's, and this server has none.
  await until(404, moved);
  assert.match((await browser.step(moved)).headers.location ?? "", /auth-redirect/);
});

test("WebSockets pass, and end with the session", async () => {
  await using world = await startWorld();
  const { browser, url, program, plane, ann } = world;
  const sockets = new WebSocketServer({ server: program.server });
  const origins: (string | undefined)[] = [];
  sockets.on("connection", (socket: WebSocket, request) => {
    origins.push(request.headers.origin);
    socket.send("welcome");
  });
  await browser.visit(url);
  const { status, socket } = await browser.upgrade(url, { origin: url });
  assert.equal(status, 101);
  assert.ok(socket !== null);
  const [frame] = (await once(socket, "data")) as [Buffer];
  assert.equal(frame.subarray(2).toString(), "welcome");
  assert.deepEqual(origins, [`http://localhost:${program.port}`]);
  const cut = closed(socket);
  await plane.call("POST", "/api/v2/users/logout", { token: ann.token });
  await cut;
  assert.equal((await browser.upgrade(url)).status, 401);
});

test("what cannot be shown is a page that says what to do", async () => {
  await using world = await startWorld();
  const { browser, plane, ann, url } = world;
  const nobody = await browser.visit("http://1--main--box--ann.apps.test/");
  assert.equal(nobody.status, 502);
  assert.match(nobody.text, /Nothing listens on port 1/);
  await addWorkspace(plane, ann, "away");
  const away = await browser.visit(url.replace("--box--", "--away--"));
  assert.equal(away.status, 503);
  assert.match(away.text, /The workspace away is not connected.*ann\/away/s);
  for (const host of ["nonsense.apps.test", "a.b.apps.test", "3000--ann.apps.test"]) {
    const page = await browser.visit(`http://${host}/api/v2/users/me`);
    assert.equal(page.status, 404);
    assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'/);
  }
  const program = await browser.step("http://nonsense.apps.test/", { headers: { accept: "*/*" } });
  assert.match(program.headers["content-type"] ?? "", /^text\/plain/);
});

test("a program that breaks off, or speaks no HTTP, is said to", async () => {
  await using world = await startWorld((request) => request.socket.end("what?\r\n\r\n"));
  const page = await world.browser.visit(world.url);
  assert.equal(page.status, 502);
  assert.match(page.text, /broke off.*--main--box--ann\.apps\.test/s);
});

test("a machine that is connected to another server is seen all the same", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  await using one = await startTestControlPlane({ database, clock, config: CONFIG });
  await using two = await startTestControlPlane({ database, clock, config: CONFIG });
  const owner = await one.setUp();
  const box = await addWorkspace(one, owner, "box");
  await using machine = startMachine(one.url, box.token, { ports: portsHere() });
  await machine.until("connected");
  await using program = await startProgram(HELLO);
  const session = { accessUrl: ACCESS_URL, token: owner.token };
  const browser = new TestBrowser(two.url, session);
  const url = `http://${program.port}--box--owner.apps.test`;
  const page = await browser.visit(url);
  assert.deepEqual([page.status, page.text], [200, "hello"]);
  // The cookie of one server is good at the other, too.
  const other = new TestBrowser(one.url);
  for (const [name, value] of browser.cookiesOf(url)) other.cookiesOf(url).set(name, value);
  assert.equal((await other.step(url)).text, "hello");
});

test("the API says whether there are previews", async () => {
  await using plane = await startTestControlPlane({ config: CONFIG });
  const { token } = await plane.setUp();
  const asked = await plane.call("GET", "/api/v2/applications/host", { token });
  assert.deepEqual(asked.body, { wildcard_url: "http://*.apps.test" });
});
