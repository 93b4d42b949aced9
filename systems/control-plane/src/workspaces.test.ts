/** Workspaces from outside: a machine is attached, watched, used, and cut off. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fail, ok } from "@atelier/base/result";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import { TERMINAL_OPERATIONS } from "@atelier/contract/rpc/workspace/terminals";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import type { WebSocket } from "ws";
import { startTestControlPlane } from "./control-plane-on-postgres-testkit.ts";
import {
  addWorkspace,
  eventually,
  openLink,
  openSocket,
  refusalOf,
  startMachine,
  watch,
} from "./workspaces-testkit.ts";

test("a workspace is created, found by its names, renamed and deleted", async () => {
  await using plane = await startTestControlPlane();
  await plane.setUp();
  const ann = await plane.addPerson("ann");
  const { token } = ann;
  const made = await plane.call("POST", "/api/v2/users/me/workspaces", {
    token,
    body: { name: "Box" },
  });
  assert.equal(made.status, 201, made.text);
  const { id, agents, ...rest } = made.body;
  assert.deepEqual(
    { name: rest.name, kind: rest.kind, owner: rest.owner_name, status: rest.status },
    { name: "Box", kind: "external", owner: "ann", status: "connecting" },
  );
  assert.equal(rest.latest_build, null);
  assert.deepEqual(rest.health, { healthy: false, failing_agents: [agents[0].id] });

  const again = { token, body: { name: "bOX", kind: "external" } };
  const taken = await plane.call("POST", "/api/v2/users/ann/workspaces", again);
  assert.deepEqual([taken.status, taken.body.code], [409, "workspace.name_taken"]);
  const byName = await plane.call("GET", "/api/v2/users/ann/workspace/box", { token });
  assert.equal(byName.body.id, id);

  await addWorkspace(plane, ann, "other");
  const path = `/api/v2/workspaces/${id}`;
  const clash = await plane.call("PATCH", path, { token, body: { name: "other" } });
  assert.deepEqual([clash.status, clash.body.code], [409, "workspace.name_taken"]);
  const renamed = await plane.call("PATCH", path, { token, body: { name: "crate" } });
  assert.equal(renamed.body.name, "crate");
  for (const name of ["", "-x", "a--b", "a b", "x".repeat(33), "ä"]) {
    const refused = await plane.call("PATCH", path, { token, body: { name } });
    assert.equal(refused.status, 400, name);
  }

  assert.equal((await plane.call("DELETE", path, { token })).status, 204);
  assert.equal((await plane.call("GET", path, { token })).status, 404);
  assert.equal((await plane.call("DELETE", path, { token })).status, 404);
  const free = await plane.call("PATCH", `/api/v2/workspaces/${byName.body.id}`, {
    token,
    body: { name: "x" },
  });
  assert.equal(free.status, 404);
  await addWorkspace(plane, ann, "crate"); // The name is free again.
});

test("lists show one's own, an auditor's everybody's, and can be searched and paged", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const ann = await plane.addPerson("ann");
  const bob = await plane.addPerson("bob");
  const eve = await plane.addPerson("eve", ["auditor"]);
  for (const name of ["alpha", "beta", "gamma"]) await addWorkspace(plane, ann, name);
  await addWorkspace(plane, bob, "beta-two");
  const names = async (token: string, query: string): Promise<string> => {
    const listed = await plane.call("GET", `/api/v2/workspaces?${query}`, { token });
    assert.equal(listed.status, 200, listed.text);
    const shown = listed.body.workspaces.map(
      (each: { owner_name: string; name: string }) => `${each.owner_name}/${each.name}`,
    );
    return `${shown.join(" ")} of ${listed.body.count}`;
  };
  assert.equal(await names(ann.token, ""), "ann/alpha ann/beta ann/gamma of 3");
  assert.equal(await names(bob.token, "q=owner:ann"), " of 0");
  assert.equal(await names(bob.token, "q=owner:nobody"), " of 0");
  for (const { token } of [owner, eve]) {
    assert.equal(await names(token, "q=name:BETA"), "ann/beta bob/beta-two of 2");
    assert.equal(await names(token, "q=owner:me"), " of 0");
    assert.equal(await names(token, `q=owner:${bob.id}`), "bob/beta-two of 1");
  }
  assert.equal(await names(ann.token, "q=status:connected"), " of 0");
  assert.equal(await names(ann.token, "q=status:connecting%20name:al"), "ann/alpha of 1");
  assert.equal(await names(ann.token, "limit=2"), "ann/alpha ann/beta of 3");
  assert.equal(await names(ann.token, "limit=2&offset=2"), "ann/gamma of 3");
  const first = await plane.call("GET", "/api/v2/workspaces?limit=1", { token: ann.token });
  const after = first.body.workspaces[0].id;
  assert.equal(await names(ann.token, `after_id=${after}`), "ann/beta ann/gamma of 3");
  for (const query of ["q=status:odd", "q=color:red", "limit=0", `after_id=${after}&offset=1`]) {
    const refused = await plane.call("GET", `/api/v2/workspaces?${query}`, { token: ann.token });
    assert.equal(refused.status, 400, query);
  }
});

test("the token comes with a command, and with a warning where only this machine reaches us", async () => {
  await using plane = await startTestControlPlane({ config: { accessUrl: "https://a.example/" } });
  const owner = await plane.setUp();
  const { token, command, warning } = await addWorkspace(plane, owner, "box");
  const file = "https://a.example/api/v2/workspace-agent/atelier-agent.mjs";
  assert.equal(
    command,
    `curl -fsSL ${file} -o atelier-agent.mjs && ATELIER_AGENT_TOKEN=${token} node atelier-agent.mjs --url https://a.example`,
  );
  assert.equal(warning, null);
  const { rows } = await plane.database.pool.query("select * from workspace_agents");
  assert.ok(!JSON.stringify(rows).includes(token), "only a hash is stored");
  await using local = await startTestControlPlane();
  const { warning: said } = await addWorkspace(local, await local.setUp(), "box");
  assert.match(said ?? "", /access-url/);
});

test("a machine is attached, watched, used through a link, and gone", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  await using watching = await watch(plane.url, owner, box.id);
  await watching.until(({ type, data }) => type === "data" && data.status === "connecting");
  const machine = startMachine(plane.url, box.token);
  const connected = await watching.until(
    ({ data }) => data.status === "connected" && data.agents[0].version !== null,
  );
  const { id: _id, ...agent } = connected.data.agents[0];
  assert.deepEqual(
    { ...agent, first_connected_at: "", last_connected_at: "" },
    {
      name: "main",
      status: "connected",
      operating_system: "linux",
      architecture: "x64",
      version: "1.2.3",
      directory: "/home/ann/project",
      first_connected_at: "",
      last_connected_at: "",
      disconnected_at: null,
    },
  );
  assert.deepEqual(connected.data.health, { healthy: true, failing_agents: [] });

  const link = await openLink(plane.url, owner, box.agentId);
  const listed = await link.services.ports.list({});
  assert.ok(listed.ok);
  const uploaded = await link.services.processes.writeInput({ id: "x" }, chunks(40, 50_000));
  assert.deepEqual(uploaded, ok({ bytes: 2_000_000 }));
  const ports = await plane.call(
    "GET",
    `/api/v2/workspaceagents/${box.agentId}/listening-ports`,
    owner,
  );
  assert.deepEqual([ports.status, ports.body], [200, { ports: [] }]);

  await machine.stop();
  const gone = await watching.until(({ data }) => data.status === "disconnected");
  assert.notEqual(gone.data.agents[0].disconnected_at, null);
  const away = await link.services.ports.list({});
  assert.ok(!away.ok && away.failure.code === "disconnected");
  const refused = await plane.call(
    "GET",
    `/api/v2/workspaceagents/${box.agentId}/listening-ports`,
    owner,
  );
  assert.deepEqual([refused.status, refused.body.code], [409, "workspace_agent.disconnected"]);

  // The same link serves again when the machine is back.
  await using back = startMachine(plane.url, box.token);
  await back.until("connected");
  await eventually(
    () => plane.call("GET", `/api/v2/workspaces/${box.id}`, owner),
    ({ body }) => body.status === "connected",
  );
  assert.ok((await link.services.ports.list({})).ok);
  link.close();
});

test("an operation that the machine does not know is said to have failed there", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const list = async () => fail({ code: "unsupported" as const, message: "not on this system" });
  const { services } = fakeServices();
  await using machine = startMachine(plane.url, box.token, { ports: { ...services.ports, list } });
  await machine.until("connected");
  const answer = await eventually(
    () => plane.call("GET", `/api/v2/workspaceagents/${box.agentId}/listening-ports`, owner),
    ({ status }) => status !== 409,
  );
  assert.deepEqual(
    [answer.status, answer.body.code, answer.body.detail],
    [502, "workspace_agent.failed", "not on this system"],
  );
});

test("tokens that are wrong, replaced or of a deleted workspace let nobody in", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  for (const token of ["x", "atelier_agent_" + "a".repeat(40), owner.token]) {
    const refusal = await startMachine(plane.url, token).ended;
    assert.equal(refusal?.kind, "token_refused");
  }
  const path = "/api/v2/workspaceagents/me/link";
  const cookie = { headers: { cookie: `coder_session_token=${box.token}` } };
  assert.equal((await refusalOf(plane.url, path, cookie)).status, 401);
  const old = await refusalOf(plane.url, path, {
    token: box.token,
    headers: { "x-atelier-link-version": "99.0" },
  });
  assert.equal(old.status, 426);
  assert.match(old.text, /version 1\.0 .* 99\.0: update/);

  const machine = startMachine(plane.url, box.token);
  await machine.until("connected");
  const issued = await plane.call("POST", `/api/v2/workspaces/${box.id}/agent-token`, owner);
  // It is cut off, dials again, and is refused.
  assert.equal((await machine.ended)?.kind, "token_refused");
  const second = startMachine(plane.url, issued.body.token);
  await second.until("connected");
  assert.equal((await plane.call("DELETE", `/api/v2/workspaces/${box.id}`, owner)).status, 204);
  assert.equal((await second.ended)?.kind, "token_refused");
});

test("a connection that a newer one replaces is told so by a code", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const older = await openSocket(plane.url, "/api/v2/workspaceagents/me/link", agentHeaders(box));
  older.resume();
  const newer = await openSocket(plane.url, "/api/v2/workspaceagents/me/link", agentHeaders(box));
  const [code] = (await once(older, "close")) as [number];
  assert.equal(code, 4409);
  assert.equal(newer.readyState, newer.OPEN);
  newer.terminate();
});

test("of two machines with one token the newer one stays, and the other gives up", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const older = startMachine(plane.url, box.token);
  await older.until("connected");
  await using newer = startMachine(plane.url, box.token);
  assert.equal((await older.ended)?.kind, "replaced");
  await newer.until("connected"); // Its own word of it may come after the older one's.
  assert.deepEqual(
    newer.states.map(({ kind }) => kind),
    ["connected"],
  );
});

test("a terminal carries keys and sizes one way and bytes the other", async () => {
  await using plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const box = await addWorkspace(plane, owner, "box");
  const terminal = fakeTerminal();
  await using machine = startMachine(plane.url, box.token, { terminals: terminal.service });
  await machine.until("connected");
  const path = `/api/v2/workspaceagents/${box.agentId}/pty?reconnect=${REFERENCE}&width=90&height=30&command=top`;
  const socket = await openSocket(plane.url, path, owner);
  const output = outputOf(socket);
  await output.until("90x30 top\n");
  socket.send(JSON.stringify({ data: "ls\n" }));
  await output.until("ls\n");
  socket.send(Buffer.from(JSON.stringify({ width: 100, height: 40 })));
  socket.send(JSON.stringify({ data: "é" }));
  await output.until("é");
  assert.deepEqual(terminal.sizes, ["100x40"]);
  socket.send(JSON.stringify({ data: "exit" }));
  const [code] = (await once(socket, "close")) as [number];
  assert.equal(code, 1000);

  const second = await openSocket(plane.url, path, owner);
  await outputOf(second).until("90x30 top\n");
  second.send("not json");
  assert.equal(((await once(second, "close")) as [number])[0], 1007);
  const third = await openSocket(plane.url, path, owner);
  await outputOf(third).until("90x30 top\n");
  await machine.stop();
  assert.equal(((await once(third, "close")) as [number])[0], 1011);
  const away = await openSocket(plane.url, path, owner);
  away.resume();
  const [away1, reason] = (await once(away, "close")) as [number, Buffer];
  assert.equal(away1, 1011);
  assert.match(reason.toString(), /not connected/);
});

const REFERENCE = "11111111-1111-4111-8111-111111111111";

function agentHeaders({ token }: { readonly token: string }) {
  return { token, headers: { "x-atelier-link-version": "1.0" } };
}

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) yield Buffer.alloc(bytes);
}

/** Says its size and command, repeats what is typed, and ends at `exit`. */
function fakeTerminal() {
  const sizes: string[] = [];
  const refuse = async () => fail({ code: "unsupported" as const, message: "not here" });
  const service = implement(TERMINAL_OPERATIONS, {
    get: refuse,
    list: refuse,
    close: refuse,
    resize: async ({ columns, rows }) => {
      sizes.push(`${columns}x${rows}`);
      return ok({});
    },
    attach: async ({ id, columns, rows, command }) => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
        {},
        { highWaterMark: 8 },
        { highWaterMark: 8 },
      );
      const writer = writable.getWriter();
      await writer.write(Buffer.from(`${columns}x${rows} ${command}\n`));
      const channel = {
        incoming: readable,
        write: async (bytes: Uint8Array) => {
          if (Buffer.from(bytes).toString() === "exit") await writer.close();
          else await writer.write(bytes);
        },
        end: async () => {},
        destroy: () => {
          writer.abort(new Error("destroyed")).catch(() => {});
        },
      };
      const value = { id, columns, rows, command, pid: 1, viewers: 1, title: "", isNew: true };
      const state = {
        startedAt: "2026-01-01T00:00:00.000Z",
        state: "running",
        exitCode: null,
        signal: null,
      };
      return ok({ value: { ...value, ...state, state: "running" as const }, channel });
    },
  });
  return { service, sizes };
}

function outputOf(socket: WebSocket): { until(text: string): Promise<void> } {
  let output = "";
  let wake: () => void = () => {};
  socket.on("message", (bytes: Buffer) => {
    output += bytes.toString();
    wake();
  });
  socket.resume();
  return {
    until: async (text) => {
      while (!output.includes(text)) {
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        await woken.promise;
      }
    },
  };
}
