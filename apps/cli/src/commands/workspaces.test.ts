/** Workspaces in the terminal: how they are named, and what is shown once. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

const TOKEN = "atelier_agent_x";
const COMMAND = `curl -fsSL https://a.example/x.mjs -o x.mjs && ATELIER_AGENT_TOKEN=${TOKEN} node x.mjs`;
const BOX = {
  ...{ id: ID, name: "box", kind: "external", owner_id: ID, owner_name: "ann" },
  ...{ organization_id: ID, organization_name: "default", latest_build: null },
  ...{ created_at: TIME, updated_at: TIME, last_used_at: TIME, status: "disconnected" },
  health: { healthy: false, failing_agents: [ID] },
  agents: [
    {
      ...{ id: ID, name: "main", status: "disconnected", operating_system: "linux" },
      ...{ architecture: "x64", version: "1.2.3", directory: "/home/ann" },
      ...{ first_connected_at: TIME, last_connected_at: TIME, disconnected_at: TIME },
    },
  ],
};
const ISSUED = { token: TOKEN, command: COMMAND, warning: null };
const API = {
  variables: SIGNED_IN,
  "POST /api/v2/users/:user/workspaces": () => BOX,
  "POST /api/v2/workspaces/:workspace/agent-token": () => ISSUED,
  "GET /api/v2/users/:user/workspace/:name": () => BOX,
  "GET /api/v2/workspaces/:workspace": () => BOX,
  "PATCH /api/v2/workspaces/:workspace": ({ body }: Parsed) => ({ ...BOX, ...(body as object) }),
  "DELETE /api/v2/workspaces/:workspace": () => null,
} as const;

test("create shows the command that attaches a machine, and what it may not do", async () => {
  const made = await cli(["workspaces", "create", "box"], API);
  assert.ok(made.out.includes(`\n  ${COMMAND}\n`), made.out);
  assert.match(made.err, /not shown again/);
  assert.deepEqual(
    made.requests.map(({ method, path }) => `${method} ${path}`),
    ["POST /api/v2/users/me/workspaces", `POST /api/v2/workspaces/${ID}/agent-token`],
  );
  const warned = await cli(["workspaces", "create", "box"], {
    ...API,
    "POST /api/v2/workspaces/:workspace/agent-token": () => ({ ...ISSUED, warning: "Only here." }),
  });
  assert.match(warned.out, /Only here\./);
  const json = await cli(["workspaces", "create", "box", "--json"], API);
  assert.deepEqual(JSON.parse(json.out), { workspace: BOX, ...ISSUED });
});

test("a workspace is named by its name, by owner and name, or by id", async () => {
  for (const [ref, path] of [
    ["box", "/api/v2/users/me/workspace/box"],
    ["bob/box", "/api/v2/users/bob/workspace/box"],
    [ID, `/api/v2/workspaces/${ID}`],
  ] as const) {
    const run = await cli(["workspaces", "show", ref], API);
    assert.equal(run.requests[0]?.path, path);
    assert.match(run.out, /ann\/box[^]*disconnected[^]*linux x64/);
    const inside = await cli(["exec", ref, "true"], API);
    assert.equal(inside.requests[0]?.path, path);
    assert.match(inside.err, /The workspace is not connected\./);
  }
});

test("a new token cuts a machine off, so that it asks first", async () => {
  const nobody = await cli(["workspaces", "token", "box"], API);
  assert.equal(nobody.exitCode, 2);
  const no = await cli(["workspaces", "token", "box"], { ...API, answers: [false] });
  assert.equal(no.exitCode, 1);
  const yes = await cli(["workspaces", "token", "box", "-y"], API);
  assert.ok(yes.out.includes(COMMAND));
});

test("rename and delete find it first", async () => {
  const renamed = await cli(["workspaces", "rename", "box", "crate"], API);
  assert.equal(renamed.out, "Renamed workspace box to crate.\n");
  const deleted = await cli(["workspaces", "delete", "box", "-y"], API);
  assert.equal(deleted.out, "Deleted workspace box.\n");
  assert.equal(deleted.requests.at(-1)?.path, `/api/v2/workspaces/${ID}`);
});

test("lists send what is asked for, and show machines and people apart", async () => {
  const listed = await cli(["workspaces", "list", "--owner", "me", "--status", "connected"], {
    variables: SIGNED_IN,
    "GET /api/v2/workspaces": ({ query }: Parsed) => {
      assert.equal(query["q"], "owner:me status:connected");
      return { workspaces: [BOX], count: 1 };
    },
  });
  assert.match(listed.out, /ann\/box +disconnected/);
  const entry = {
    ...{ id: ID, connect_time: TIME, disconnect_time: null, type: "workspace_agent" },
    ...{ workspace_id: ID, workspace_name: "box", workspace_owner_id: ID },
    ...{ workspace_owner_username: "ann", agent_id: ID, agent_name: "main" },
    ...{ user: null, ip: "10.0.0.1", user_agent: "", reason: "" },
  };
  const logged = await cli(["workspaces", "connections", "--owner", "ann", "--since", "24h"], {
    variables: SIGNED_IN,
    "GET /api/v2/connectionlog": ({ query }: Parsed) => {
      assert.match(String(query["q"]), /^workspace_owner:ann connected_after:"?2025-12-31T/);
      return { connection_logs: [entry], count: 1 };
    },
  });
  assert.match(logged.out, /ongoing +ann\/box +workspace_agent +the machine +10\.0\.0\.1/);
});
