/** Where a port opens in a browser, in the terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME } from "../cli-scene.test.ts";

const BOX = {
  ...{ id: ID, name: "Box", kind: "external", owner_id: ID, owner_name: "ann" },
  ...{ organization_id: ID, organization_name: "default", latest_build: null },
  ...{ created_at: TIME, updated_at: TIME, last_used_at: TIME, status: "connected" },
  health: { healthy: true, failing_agents: [] },
  agents: [
    {
      ...{ id: ID, name: "main", status: "connected", operating_system: "linux" },
      ...{ architecture: "x64", version: "1.2.3", directory: "/home/ann" },
      ...{ first_connected_at: TIME, last_connected_at: TIME, disconnected_at: null },
    },
  ],
};
const apiWith = (wildcard_url: string | null) => ({
  variables: SIGNED_IN,
  "GET /api/v2/users/:user/workspace/:name": () => BOX,
  "GET /api/v2/applications/host": () => ({ wildcard_url }),
});
const API = apiWith("https://*.apps.example.com:8443");

test("the address of a port names workspace and person, and opens on its own host", async () => {
  const run = await cli(["preview", "box", "3000"], API);
  assert.equal(run.out.trim(), "https://3000--main--box--ann.apps.example.com:8443/");
  const https = await cli(["preview", "box", "8443", "--https", "--json"], API);
  assert.deepEqual(JSON.parse(https.out), {
    url: "https://8443s--main--box--ann.apps.example.com:8443/",
  });
});

test("where ports do not open in browsers, the command that serves instead is named", async () => {
  const run = await cli(["preview", "box", "3000"], apiWith(null));
  assert.equal(run.exitCode, 1);
  assert.match(run.err, /wildcard-access-url is not set[^]*atelier port-forward box 3000/);
});

test("what is no port is refused before anything is asked", async () => {
  for (const port of ["0", "65536", "http", "-1"]) {
    const run = await cli(["preview", "box", port], API);
    assert.equal(run.requests.length, 0);
    assert.equal(run.exitCode, 2);
  }
});
