import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";

test("the build is public, and the deployment's id stays the same across starts", async () => {
  await using first = await startTestControlPlane({ config: { accessUrl: "https://a.example/" } });
  const { database, clock } = first;
  await using second = await startTestControlPlane({ database, clock });
  const answer = await first.call("GET", "/api/v2/buildinfo");
  const again = await second.call("GET", "/api/v2/buildinfo");
  assert.deepEqual(answer.body, {
    version: "0.0.0-test",
    external_url: "https://a.example",
    dashboard_url: "https://a.example",
    deployment_id: again.body.deployment_id,
  });
});

test("a server is among the replicas while it runs", async () => {
  await using first = await startTestControlPlane();
  const { database, clock } = first;
  const count = async (): Promise<number> => {
    const { rows } = await database.pool.query("select count(*) as count from replicas");
    return rows[0].count;
  };
  const second = await startTestControlPlane({ database, clock });
  // The first heartbeats run beside the start.
  while ((await count()) < 2) await new Promise((resolve) => setImmediate(resolve));
  await second[Symbol.asyncDispose]();
  assert.equal(await count(), 1);
});
