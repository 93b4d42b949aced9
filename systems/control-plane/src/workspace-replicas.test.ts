/** Two servers over one database: the machine on one, its user on the other, and both on the move. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ok } from "@atelier/base/result";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";
import {
  addWorkspace,
  eventually,
  openLink,
  openSocket,
  refusalOf,
  startBalancer,
  startMachine,
  watch,
} from "./workspaces-testkit.ts";

type Pair = AsyncDisposable & {
  readonly one: TestControlPlane;
  readonly two: TestControlPlane;
  readonly owner: Person;
};

async function startPair(): Promise<Pair> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const clock = new FakeClock();
  const one = resources.use(await startTestControlPlane({ database, clock }));
  const two = resources.use(await startTestControlPlane({ database, clock }));
  const owner = await one.setUp();
  const owned = resources.move();
  return { one, two, owner, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function servicesOf(plane: TestControlPlane, agentId: string): Promise<WorkspaceServices> {
  const services = await plane.plane.workspaceLinks.servicesOf(agentId);
  assert.ok(services.ok);
  return services.value;
}

/** Until they answer: the agent may be on its way. */
async function untilServed(services: WorkspaceServices): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await services.ports.list({})).ok) {
    assert.ok(performance.now() < deadline, "served within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a machine on one server is watched and used on the other", async () => {
  await using pair = await startPair();
  const { one, two, owner } = pair;
  const box = await addWorkspace(one, owner, "box");
  await using watching = await watch(two.url, owner, box.id);
  await using _machine = startMachine(one.url, box.token);
  await watching.until(({ type, data }) => type === "data" && data.status === "connected");

  await two.clock.advance(2_000);
  const services = await servicesOf(two, box.agentId);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i += 1) yield Buffer.alloc(50_000);
  }
  assert.deepEqual(
    await services.processes.writeInput({ id: "x" }, source()),
    ok({ bytes: 5_000_000 }),
  );
  const link = await openLink(two.url, owner, box.agentId);
  const followed = await link.services.processes.follow({
    id: "x",
    stream: "stdout",
    offset: 3_000_000,
  });
  assert.ok(followed.ok);
  let bytes = 0;
  for await (const chunk of followed.value.bytes) bytes += chunk.byteLength;
  assert.equal(bytes, 3_000_000);
  const dialled = await link.services.ports.dial({ port: 1 });
  assert.ok(dialled.ok);
  await dialled.value.channel.write(Buffer.from("echo"));
  for await (const chunk of dialled.value.channel.incoming) {
    assert.equal(Buffer.from(chunk).toString(), "echo");
    break;
  }
  dialled.value.channel.destroy();
  const ports = `/api/v2/workspaceagents/${box.agentId}/listening-ports`;
  assert.equal((await two.call("GET", ports, owner)).status, 200);
  // Use is noted, on whichever server it is.
  await eventually(
    () => one.call("GET", `/api/v2/workspaces/${box.id}`, owner),
    ({ body }) => body.last_used_at > body.created_at,
  );
  link.close();
});

test("who deletes or replaces the token on one server cuts the machine off on the other", async () => {
  await using pair = await startPair();
  const { one, two, owner } = pair;
  const box = await addWorkspace(one, owner, "box");
  const machine = startMachine(one.url, box.token);
  await machine.until("connected");
  const issued = await two.call("POST", `/api/v2/workspaces/${box.id}/agent-token`, owner);
  assert.equal((await machine.ended)?.kind, "token_refused");
  const second = startMachine(one.url, issued.body.token);
  await second.until("connected");
  assert.equal((await two.call("DELETE", `/api/v2/workspaces/${box.id}`, owner)).status, 204);
  assert.equal((await second.ended)?.kind, "token_refused");
});

test("services and links follow a machine that moves, and say so while it is away", async () => {
  await using pair = await startPair();
  const { one, two, owner } = pair;
  const box = await addWorkspace(one, owner, "box");
  const first = startMachine(one.url, box.token);
  await first.until("connected");
  const services = await servicesOf(two, box.agentId);
  const link = await openLink(two.url, owner, box.agentId);
  await untilServed(services);
  await untilServed(link.services);
  await first.stop();
  await eventually(
    () => two.call("GET", `/api/v2/workspaces/${box.id}`, owner),
    ({ body }) => body.status === "disconnected",
  );
  for (const each of [services, link.services]) {
    const away = await each.ports.list({});
    assert.ok(!away.ok && away.failure.code === "disconnected");
  }
  const here = startMachine(two.url, box.token);
  await untilServed(services);
  await untilServed(link.services);
  await here.stop();
  await using back = startMachine(one.url, box.token);
  await back.until("connected");
  // The link is told that the machine is elsewhere now; services look for themselves.
  await untilServed(link.services);
  await untilServed(services);
  link.close();
});

test("a machine that comes to another server is let go by the first", async () => {
  await using pair = await startPair();
  const { one, two, owner } = pair;
  const box = await addWorkspace(one, owner, "box");
  const options = { token: box.token, headers: { "x-atelier-link-version": "1.0" } };
  const older = await openSocket(one.url, "/api/v2/workspaceagents/me/link", options);
  older.resume();
  const older2 = once(older, "close");
  // Which of two servers writes its connection down first is not which socket opened first.
  const path = `/api/v2/workspaceagents/${box.agentId}`;
  await eventually(
    () => one.call("GET", path, owner),
    ({ body }) => body.status === "connected",
  );
  const newer = await openSocket(two.url, "/api/v2/workspaceagents/me/link", options);
  newer.resume();
  assert.equal(((await older2) as [number])[0], 4409);
  const shown = await one.call("GET", path, owner);
  assert.equal(shown.body.status, "connected");
  newer.terminate();
});

test("when a server stops, its machines dial another one at once", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  const one = await startTestControlPlane({ database, clock });
  await using two = await startTestControlPlane({ database, clock });
  const owner = await one.setUp();
  const box = await addWorkspace(one, owner, "box");
  await using balancer = await startBalancer(one.url);
  await using machine = startMachine(balancer.url, box.token);
  await machine.until("connected");
  const services = await servicesOf(two, box.agentId);
  await untilServed(services);
  balancer.sendTo(two.url);
  await one[Symbol.asyncDispose]();
  await machine.until("connected", 2);
  await untilServed(services);
  const waited = machine.states.find((state) => state.kind === "waiting");
  assert.ok(waited?.kind === "waiting" && waited.retryInMs <= 1_000, "at once");
  const { body } = await two.call("GET", "/api/v2/connectionlog?q=status:completed", owner);
  assert.deepEqual(
    body.connection_logs.map(({ reason }: { readonly reason: string }) => reason),
    ["the server stops"],
  );
});

test("what a server held that fell silent counts for nothing, and is tidied up", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const dead = "22222222-2222-4222-8222-222222222222";
  const { pool } = plane.database;
  await pool.query(
    `insert into replicas (id, hostname, version, started_at, heartbeat_at, relay_url)
     values ($1, 'h', '1', $2, $2, 'http://127.0.0.1:1')`,
    [dead, new Date(plane.clock.now().getTime() - 26_000)],
  );
  await pool.query("update workspace_agents set first_connected_at = now() where id = $1", [
    box.agentId,
  ]);
  await pool.query("insert into workspace_links values ($1, $2, $2, now())", [box.agentId, dead]);
  await pool.query(
    `insert into connection_log (id, connected_at, type, workspace_id, workspace_name,
       workspace_owner_id, workspace_owner_username, agent_id, agent_name, replica_id)
     values ($1, now(), 'client_link', $2, 'box', $3, 'owner', $4, 'main', $1)`,
    [dead, box.id, owner.id, box.agentId],
  );
  const show = () => plane.call("GET", `/api/v2/workspaces/${box.id}`, owner);
  assert.equal((await show()).body.status, "disconnected");
  const services = await servicesOf(plane, box.agentId);
  const away = await services.ports.list({});
  assert.ok(!away.ok && away.failure.code === "disconnected");
  await plane.clock.advance(5_000);
  await eventually(show, ({ body }) => body.agents[0].disconnected_at !== null);
  const { body } = await eventually(
    () => plane.call("GET", "/api/v2/connectionlog", owner),
    (answer) => answer.body.connection_logs[0].disconnect_time !== null,
  );
  assert.equal(body.connection_logs[0].reason, "its end was not seen");
});

test("nobody but servers of the deployment is relayed to, and a pass serves once", async () => {
  await using pair = await startPair();
  const { one, owner } = pair;
  const box = await addWorkspace(one, owner, "box");
  await using machine = startMachine(one.url, box.token);
  await machine.until("connected");
  const path = `/internal/workspace-link/${box.agentId}`;
  for (const options of [
    {},
    { token: owner.token },
    { token: box.token },
    { headers: { "x-atelier-relay-pass": `${Date.now()}.${box.id}.x.y` } },
  ]) {
    assert.equal((await refusalOf(one.url, path, options)).status, 404);
  }
  assert.equal((await one.call("GET", path, owner)).status, 404);
});
