/** Looking into workspaces over HTTP: machines that are away, elsewhere, slow or change their mind. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { fail, ok } from "@atelier/base/result";
import type { FileInfo, WorkspaceFiles } from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import { startTestControlPlane } from "./control-plane-on-postgres-testkit.ts";
import { addWorkspace, eventually, openSocket, startMachine } from "./workspaces-testkit.ts";

const CHUNK_BYTES = 64 * 1024;

const info = (size: number): FileInfo => ({
  ...{ path: "/home/ann/f", name: "f", kind: "file", size, mode: 0o644, target: null },
  modifiedAt: "2026-01-01T00:00:00.000Z",
});

/** Files of any size, from nothing; and how much of them was asked for. */
function fakeFiles(says: number, has = says) {
  const read = { bytes: 0, isOver: false };
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (let left = has; left > 0; left -= CHUNK_BYTES) {
        read.bytes += CHUNK_BYTES;
        yield Buffer.alloc(Math.min(left, CHUNK_BYTES));
      }
    } finally {
      read.isOver = true;
    }
  }
  const readBytes: WorkspaceFiles["readBytes"] = async () =>
    ok({ value: info(says), bytes: content() });
  const files = { ...fakeServices().services.files, readBytes };
  return { read, overrides: { files } satisfies Partial<WorkspaceServices> };
}

test("a download waits for a slow reader, and ends on the machine when that leaves", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const bytes = 1024 * 1024 * 1024;
  const { read, overrides } = fakeFiles(bytes);
  await using machine = startMachine(plane.url, box.token, overrides);
  await machine.until("connected");
  const url = `${plane.url}/api/v2/workspaceagents/${box.agentId}/files/content?path=/f`;
  const headers = { "coder-session-token": owner.token };
  const asked = request(url, { headers });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  assert.equal(answer.headers["content-length"], String(bytes));
  // Nobody reads: what is under way fits into the buffers on the way, however long one waits.
  let before = -1;
  while (before !== read.bytes) {
    before = read.bytes;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(read.bytes < 32 * 1024 * 1024, `${read.bytes} bytes were read ahead`);
  answer.destroy();
  while (!read.isOver) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(read.bytes < bytes / 2);
});

test("a file that shrinks while it is read breaks the answer", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  await using machine = startMachine(plane.url, box.token, fakeFiles(300_000, 200_000).overrides);
  await machine.until("connected");
  const path = `/api/v2/workspaceagents/${box.agentId}/files/content?path=/f`;
  const answer = await fetch(plane.url + path, { headers: { "coder-session-token": owner.token } });
  assert.equal(answer.status, 200);
  await assert.rejects(answer.arrayBuffer());
});

test("a file that grows while it is read is cut, and the next answer on the connection is clean", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  await using machine = startMachine(plane.url, box.token, fakeFiles(200_000, 300_000).overrides);
  await machine.until("connected");
  const path = `/api/v2/workspaceagents/${box.agentId}/files/content?path=/f`;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const lengths: number[] = [];
  let isReused = false;
  for (let i = 0; i < 2; i += 1) {
    const asked = request(plane.url + path, {
      agent,
      headers: { "coder-session-token": owner.token },
    });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let length = 0;
    for await (const part of answer) length += (part as Buffer).byteLength;
    lengths.push(length);
    isReused = asked.reusedSocket;
  }
  agent.destroy();
  assert.deepEqual([lengths, isReused], [[200_000, 200_000], true]);
});

test("what the machine refuses is told in its own words", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const { services } = fakeServices();
  const list = async () => fail({ code: "permission_denied" as const, message: "not yours" });
  await using machine = startMachine(plane.url, box.token, { files: { ...services.files, list } });
  await machine.until("connected");
  const base = `/api/v2/workspaceagents/${box.agentId}`;
  const answer = await plane.call("GET", `${base}/files?path=/root`, owner);
  assert.deepEqual(
    [answer.status, answer.body.code, answer.body.detail],
    [422, "workspace_agent.refused", "not yours"],
  );
  const stats = await plane.call("GET", `${base}/stats`, owner);
  assert.deepEqual([stats.status, stats.body.code], [422, "workspace_agent.refused"]);
  const signal = { token: owner.token, body: { signal: "SIGKILL" } };
  assert.equal(
    (await plane.call("POST", `${base}/processes/p1/signal`, signal)).body.code,
    "workspace_agent.refused",
  );
  // The attempt is written down by the workspace's name.
  const { rows } = await plane.database.pool.query(
    "select resource_target, status_code from audit_events where resource_type = 'workspace_process'",
  );
  assert.deepEqual(rows, [{ resource_target: "owner/box", status_code: 422 }]);
});

test("a machine on another server is seen, and one that goes away says so to who is watching", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  await using one = await startTestControlPlane({ database, clock });
  await using two = await startTestControlPlane({ database, clock });
  const owner = await one.setUp();
  const box = await addWorkspace(one, owner, "box");
  const machine = startMachine(one.url, box.token, fakeFiles(1_000_000).overrides);
  await machine.until("connected");
  const base = `/api/v2/workspaceagents/${box.agentId}`;
  const file = await eventually(
    () => two.call("GET", `${base}/files/content?path=/f`, owner),
    ({ status }) => status === 200,
  );
  assert.equal(file.headers.get("content-length"), "1000000");

  const socket = await openSocket(two.url, `${base}/listening-ports/watch`, owner);
  const heard: { readonly type: string; readonly data: { readonly code?: string } }[] = [];
  socket.on("message", (bytes: Buffer) => heard.push(JSON.parse(bytes.toString())));
  const closed = once(socket, "close");
  socket.resume();
  while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  await machine.stop();
  const [code] = (await closed) as [number];
  assert.equal(code, 1000);
  assert.deepEqual(heard.at(-1)?.data.code, "workspace_agent.disconnected");
  const away = await eventually(
    () => two.call("GET", `${base}/stats`, owner),
    ({ status }) => status === 409,
  );
  assert.equal(away.body.code, "workspace_agent.disconnected");
});

test("people see who was connected to what is theirs, and to nothing else", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const ann = await plane.addPerson("ann");
  const bob = await plane.addPerson("bob");
  const box = await addWorkspace(plane, ann, "box");
  const crate = await addWorkspace(plane, ann, "crate");
  await using first = startMachine(plane.url, box.token);
  await using second = startMachine(plane.url, crate.token);
  await Promise.all([first.until("connected"), second.until("connected")]);
  const path = `/api/v2/workspaces/${box.id}/connections`;
  const seen = await eventually(
    () => plane.call("GET", path, ann),
    ({ body }) => body.count === 1,
  );
  const [entry] = seen.body.connection_logs;
  assert.deepEqual([entry.type, entry.workspace_id], ["workspace_agent", box.id]);
  const users = await plane.call("GET", `${path}?type=client_link`, ann);
  assert.deepEqual([users.status, users.body.count], [200, 0]);
  const after = await plane.call("GET", `${path}?after_id=${entry.id}`, ann);
  assert.deepEqual(after.body.connection_logs, []);
  assert.equal((await plane.call("GET", path, owner)).status, 200);
  assert.equal((await plane.call("GET", path, bob)).status, 404);
  assert.equal((await plane.call("GET", `${path}?q=username:ann`, ann)).status, 400);
});
