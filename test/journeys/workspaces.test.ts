/** A machine is attached to one server and used through the other, and a server stops without delay. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { setUpFirstUser } from "@atelier/testkit/real-server";
import { holdLink } from "@atelier/tunnel/hold-link";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTwoServers } from "./two-server-world.ts";

const WITHIN_MS = 20_000;

test("a machine on one server is reached through the other, and let go when its server stops", async () => {
  await using servers = await startTwoServers();
  const { one, two } = servers;
  const { session: token } = await setUpFirstUser(one);
  const made = await one.api("POST", "/api/v2/users/me/workspaces", {
    token,
    body: { name: "box" },
  });
  const { id, agents } = made.body;
  const issued = await two.api("POST", `/api/v2/workspaces/${id}/agent-token`, { token });
  assert.match(issued.body.command, /^curl -fsSL http:/);
  assert.notEqual(issued.body.warning, null);

  const stop = new AbortController();
  const held = holdLink(
    {
      url: new URL("/api/v2/workspaceagents/me/link", one.url.replace("http", "ws")),
      token: new Secret(issued.body.token),
      agentVersion: "0.0.0-test",
      services: fakeServices().services,
    },
    { clock: systemClock, random: systemRandom, log: silentLogger },
    stop.signal,
  );
  const ports = `/api/v2/workspaceagents/${agents[0].id}/listening-ports`;
  await within(async () => (await two.api("GET", ports, { token })).status === 200);

  const stoppedMs = performance.now();
  assert.equal(await one.stop(), 0);
  assert.ok(performance.now() - stoppedMs < WITHIN_MS, "links do not hold up a server that stops");
  const shown = await two.api("GET", `/api/v2/workspaces/${id}`, { token });
  assert.equal(shown.body.status, "disconnected");
  stop.abort(new Error("done"));
  await held;
});

async function within(holds: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < WITHIN_MS, `within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
