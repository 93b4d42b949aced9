/** Who may open what stays open, how those are told who may not, and what ends it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { SOCKETS } from "@atelier/contract/http/endpoints";
import { rolesAllow, type Role } from "@atelier/contract/permissions";
import type { WebSocket } from "ws";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";
import { SOCKETS_PER_USER_MAX } from "./http/access-guard.ts";
import {
  addWorkspace,
  eventually,
  openSocket,
  refusalOf,
  startMachine,
  watch,
  type TestWorkspace,
} from "./workspaces-testkit.ts";

const REFERENCE = "11111111-1111-4111-8111-111111111111";

function pathTo(
  template: string,
  { id, agentId, chatId }: Pick<TestWorkspace, "id" | "agentId"> & { readonly chatId: string },
): string {
  const path = template
    .replace(":workspace", id)
    .replace(":agent", agentId)
    .replace(":process", "p1")
    .replace(":chat", chatId);
  return template.endsWith("/pty") ? `${path}?reconnect=${REFERENCE}` : path;
}

/** Straight into the database: nobody works on it. */
async function addChat({ database }: TestControlPlane, ownerId: string): Promise<string> {
  const { rows } = await database.pool.query<{ id: string }>(
    `with model as (
       insert into chat_model_configs (id, organization_id, model, context_limit,
         compression_threshold, created_at, updated_at)
       select gen_random_uuid(), id, 'm', 1000, 70, now(), now() from organizations
       returning id, organization_id
     )
     insert into chats (id, organization_id, owner_id, status, last_model_config_id, created_at,
       updated_at)
     select gen_random_uuid(), organization_id, $1, 'waiting', id, now(), now() from model
     returning id`,
    [ownerId],
  );
  return rows[0]?.id ?? assert.fail("a chat was inserted");
}

/** The status of a stream's answer; 0 where a WebSocket opens. */
async function statusOf(
  plane: TestControlPlane,
  socket: (typeof SOCKETS)[number],
  call: { readonly path: string; readonly token?: string },
): Promise<number> {
  if (socket.transport === "websocket") {
    const options = call.token === undefined ? {} : { token: call.token };
    return (await refusalOf(plane.url, call.path, options)).status;
  }
  const gone = new AbortController();
  const headers = call.token === undefined ? {} : { "coder-session-token": call.token };
  const { status } = await fetch(plane.url + call.path, { headers, signal: gone.signal });
  gone.abort();
  return status === 200 ? 0 : status;
}

for (const socket of SOCKETS) {
  test(`${socket.path} opens to everybody as the permission table says`, async () => {
    await using plane = await startTestControlPlane();
    await plane.setUp();
    const ann = await plane.addPerson("ann");
    const box = await addWorkspace(plane, ann, "box");
    const chatId = await addChat(plane, ann.id);
    const path = pathTo(socket.path, { ...box, chatId });
    const { access } = socket;
    const isAboutCaller = "subject" in socket && socket.subject === "self";
    assert.equal(await statusOf(plane, socket, { path }), 401, "nobody");
    if (access === "workspace_agent_token") {
      assert.equal(await statusOf(plane, socket, { path, token: ann.token }), 401, "a user");
      return;
    }
    assert.equal(await statusOf(plane, socket, { path, token: box.token }), 401, "the machine");
    assert.equal(await statusOf(plane, socket, { path, token: ann.token }), 0, "its owner");
    const others = {
      member: [],
      auditor: ["auditor"],
      "user-admin": ["user-admin"],
      boss: ["owner"],
    };
    for (const [name, roles] of Object.entries(others) as [string, Role[]][]) {
      const { token } = await plane.addPerson(name, roles);
      const wanted: number = rolesAllow(roles, access, { isOwn: isAboutCaller }) ? 0 : 404;
      assert.equal(await statusOf(plane, socket, { path, token }), wanted, name);
    }
    const narrow = await plane.call("POST", "/api/v2/users/me/keys/tokens", {
      token: ann.token,
      body: { token_name: "narrow", scopes: ["ai_gateway:use"] },
    });
    const token = narrow.body.key as string;
    assert.equal(await statusOf(plane, socket, { path, token }), 404, "without the scope");
    if (isAboutCaller) return;
    const none = pathTo(socket.path, { id: REFERENCE, agentId: REFERENCE, chatId: REFERENCE });
    assert.equal(await statusOf(plane, socket, { path: none, token: ann.token }), 404, "no such");
  });
}

test("requests to upgrade that make no sense get clean answers", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const good = `/api/v2/workspaceagents/${box.agentId}/link`;
  const pty = `/api/v2/workspaceagents/${box.agentId}/pty`;
  for (const { path, status, code } of [
    { path: "/api/v2/users", status: 404, code: "request.route_unknown" },
    { path: "/api/v2/workspaceagents/%/link", status: 404, code: "request.route_unknown" },
    { path: "/internal/workspace-link/x", status: 404, code: "request.route_unknown" },
    { path: "/api/v2/workspaceagents/x/link", status: 400, code: "request.invalid" },
    { path: pty, status: 400, code: "request.invalid" },
    { path: `${pty}?reconnect=${REFERENCE}&width=0`, status: 400, code: "request.invalid" },
    { path: `${pty}?reconnect=${REFERENCE}&odd=1`, status: 400, code: "request.invalid" },
  ]) {
    const refused = await refusalOf(plane.url, path, owner);
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [status, code], path);
  }
  const plain = await plane.call("GET", good, owner);
  assert.deepEqual([plain.status, plain.body.code], [426, "request.upgrade_required"]);
  assert.equal((await plane.call("POST", good, owner)).status, 405);
  // Let in, but no WebSocket.
  const head = `GET ${good} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\ncoder-session-token: ${owner.token}\r\n\r\n`;
  assert.match(await speak(plane.url, head), /^HTTP\/1\.1 400 /);
  assert.match(await speak(plane.url, head.replace("GET", "POST")), /^HTTP\/1\.1 40[05] /);
});

async function speak(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (bytes) => (answer += bytes.toString()));
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test("with a cookie, only our own pages open sockets", async () => {
  await using plane = await startTestControlPlane({ config: { accessUrl: "https://a.example" } });
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const path = `/api/v2/workspaces/${box.id}/watch-ws`;
  const { host } = new URL(plane.url);
  for (const { origin, isOurs } of [
    { origin: "https://a.example", isOurs: true },
    { origin: `http://${host}`, isOurs: true },
    { origin: "https://evil.example", isOurs: false },
    { origin: "https://a.example.evil", isOurs: false },
    { origin: "null", isOurs: false },
    { origin: undefined, isOurs: false },
  ]) {
    const cookie = `__Host-coder_session_token=${owner.token}`;
    const headers: Record<string, string> = origin === undefined ? { cookie } : { cookie, origin };
    const { status, text } = await refusalOf(plane.url, path, { headers });
    assert.equal(status, isOurs ? 0 : 403, String(origin));
    if (!isOurs) assert.equal(JSON.parse(text).code, "request.csrf");
  }
  // A header proves that no page made the browser send it.
  const headers = { origin: "https://evil.example" };
  assert.equal((await refusalOf(plane.url, path, { token: owner.token, headers })).status, 0);
});

test("sockets count as requests, and nobody opens them without end", async () => {
  await using limited = await startTestControlPlane({ config: { apiRateLimitPerMinute: 8 } });
  const owner = await limited.setUp();
  const box = await addWorkspace(limited, owner, "box");
  const path = `/api/v2/workspaces/${box.id}/watch-ws`;
  const statuses = new Set<number>();
  for (let i = 0; i < 10; i += 1) statuses.add((await refusalOf(limited.url, path, owner)).status);
  assert.deepEqual(statuses, new Set([0, 429]));
  const token = "atelier_agent_" + "a".repeat(40);
  const link = "/api/v2/workspaceagents/me/link";
  const tries = [];
  for (let i = 0; i < 10; i += 1)
    tries.push((await refusalOf(limited.url, link, { token })).status);
  assert.ok(tries.includes(401) && tries.at(-1) === 429);

  await using plane = await startTestControlPlane();
  const ann = await plane.setUp();
  const crate = await addWorkspace(plane, ann, "crate");
  const open: WebSocket[] = [];
  const watchPath = `/api/v2/workspaces/${crate.id}/watch-ws`;
  for (let i = 0; i < SOCKETS_PER_USER_MAX; i += 1) {
    open.push(await openSocket(plane.url, watchPath, ann));
  }
  const refused = await refusalOf(plane.url, watchPath, ann);
  assert.deepEqual(
    [refused.status, JSON.parse(refused.text).code],
    [429, "request.sockets_exhausted"],
  );
  for (const socket of open) socket.terminate();
});

const ENDINGS: readonly {
  readonly what: string;
  readonly end: (plane: TestControlPlane, ann: Person, box: TestWorkspace) => Promise<unknown>;
}[] = [
  {
    what: "suspended",
    end: (plane) => plane.call("PUT", "/api/v2/users/ann/status/suspend", boss),
  },
  { what: "deleted", end: (plane) => plane.call("DELETE", "/api/v2/users/ann", boss) },
  {
    what: "signed out",
    end: (plane, { token }) => plane.call("POST", "/api/v2/users/logout", { token }),
  },
  {
    what: "deprived of the workspace",
    end: (plane, { token }, { id }) => plane.call("DELETE", `/api/v2/workspaces/${id}`, { token }),
  },
];
let boss: Person;

for (const { what, end } of ENDINGS) {
  test(`whoever is ${what} is cut off`, async () => {
    await using plane = await startTestControlPlane();
    boss = await plane.setUp();
    const ann = await plane.addPerson("ann");
    const box = await addWorkspace(plane, ann, "box");
    await using machine = startMachine(plane.url, box.token);
    await machine.until("connected");
    const link = await openSocket(plane.url, `/api/v2/workspaceagents/${box.agentId}/link`, ann);
    link.resume();
    const viewer = await openSocket(plane.url, `/api/v2/workspaces/${box.id}/watch-ws`, ann);
    viewer.resume();
    await using watching = await watch(plane.url, ann, box.id);
    await watching.until(({ type }) => type === "data");
    const closed = Promise.all([once(link, "close"), once(viewer, "close")]);
    await end(plane, ann, box);
    const [[code], [viewerCode]] = (await closed) as [[number], [number]];
    assert.equal(code, 4403);
    assert.ok(viewerCode === 4403 || viewerCode === 1000);
    await watching.ended;
    assert.equal(watching.events.at(-1)?.type, "error");
  });
}

test("whose session expires is cut off within a minute", async () => {
  await using plane = await startTestControlPlane({ config: { sessionDurationMs: 90_000 } });
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  await using watching = await watch(plane.url, owner, box.id);
  await watching.until(({ type }) => type === "data");
  await plane.clock.advance(89_000);
  assert.ok(watching.events.every(({ type }) => type !== "error"));
  await plane.clock.advance(60_000);
  await watching.ended;
  assert.deepEqual(watching.events.at(-1), { type: "error", data: { message: "access ended" } });
});

test("the machine of somebody suspended is cut off, and comes back with its owner", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const ann = await plane.addPerson("ann");
  const box = await addWorkspace(plane, ann, "box");
  await using machine = startMachine(plane.url, box.token);
  await machine.until("connected");
  await plane.call("PUT", "/api/v2/users/ann/status/suspend", owner);
  await machine.until("waiting");
  const refused = await refusalOf(plane.url, "/api/v2/workspaceagents/me/link", box);
  assert.deepEqual(
    [refused.status, refused.text],
    [503, "The owner of this workspace is suspended.\n"],
  );
  await plane.call("PUT", "/api/v2/users/ann/status/activate", owner);
  await machine.until("connected", 2);
});

test("the connection log tells who was connected, from where, and how it ended", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const ann = await plane.addPerson("ann");
  const box = await addWorkspace(plane, ann, "box");
  const machine = startMachine(plane.url, box.token);
  await machine.until("connected");
  const link = await openSocket(plane.url, `/api/v2/workspaceagents/${box.agentId}/link`, {
    token: ann.token,
    headers: { "user-agent": "test/1" },
  });
  const read = (q: string) => plane.call("GET", `/api/v2/connectionlog?q=${q}`, owner);
  const open = await eventually(
    () => read("status:ongoing"),
    ({ body }) => body.count === 2,
  );
  const entry = open.body.connection_logs.find(
    ({ type }: { readonly type: string }) => type === "client_link",
  );
  const { id: _id, connect_time: _time, ...rest } = entry;
  assert.deepEqual(rest, {
    disconnect_time: null,
    type: "client_link",
    workspace_id: box.id,
    workspace_name: "box",
    workspace_owner_id: ann.id,
    workspace_owner_username: "ann",
    agent_id: box.agentId,
    agent_name: "main",
    user: { id: ann.id, username: "ann" },
    ip: "127.0.0.1",
    user_agent: "test/1",
    reason: "",
  });
  link.terminate();
  await eventually(
    () => read("type:client_link%20username:ann%20workspace:BOX%20status:completed"),
    ({ body }) => body.count === 1 && body.connection_logs[0].reason === "the client left",
  );
  await machine.stop();
  const ended = await eventually(
    () => read("type:workspace_agent%20workspace_owner:ann"),
    ({ body }) => body.connection_logs[0].disconnect_time !== null,
  );
  assert.equal(ended.body.connection_logs[0].user, null);
  assert.match(ended.body.connection_logs[0].user_agent, /^atelier-workspace-agent\//);
  assert.equal((await read("type:odd")).status, 400);
  const first = await plane.call("GET", "/api/v2/connectionlog?limit=1", owner);
  const { id } = first.body.connection_logs[0];
  const next = await plane.call("GET", `/api/v2/connectionlog?after_id=${id}`, owner);
  assert.equal(next.body.connection_logs.length, 1);
  assert.equal((await plane.call("GET", "/api/v2/connectionlog", ann)).status, 404);
});

test("a server that is stopping lets nobody in, and tells who is there to dial again", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const agent = await openSocket(plane.url, "/api/v2/workspaceagents/me/link", {
    token: box.token,
    headers: { "x-atelier-link-version": "1.0" },
  });
  agent.resume();
  const link = await openSocket(plane.url, `/api/v2/workspaceagents/${box.agentId}/link`, owner);
  link.resume();
  const closed = Promise.all([once(agent, "close"), once(link, "close")]);
  plane.plane.closeSockets();
  const [[agentCode], [linkCode]] = (await closed) as [[number], [number]];
  assert.deepEqual([agentCode, linkCode], [1012, 1012]);
  const refused = await refusalOf(plane.url, "/api/v2/workspaceagents/me/link", box);
  assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, "server.stopping"]);
});
