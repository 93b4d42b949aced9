/** Two workspaces on one machine, each with an agent of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testMachine } from "./processes-testkit.ts";

test("a kill reaches no process of another agent's that was started with the same key", async () => {
  await using one = await testMachine();
  await using other = await testMachine();
  const [mine, theirs] = [await one.startAgent(), await other.startAgent()];
  const start = { command: "sleep 100", idempotencyKey: "server" };
  const started = await mine.processes.start(start);
  const left = await theirs.processes.start(start);
  assert.ok(started.ok && left.ok);
  assert.equal(started.value.process.id, left.value.process.id, "one key makes one id");
  const { id } = started.value.process;
  const killed = await mine.processes.signal({ id, signal: "SIGKILL" });
  assert.ok(killed.ok, JSON.stringify(killed));
  const [ended, running] = [
    await mine.processes.wait({ id, timeoutMs: 20_000 }),
    await theirs.processes.wait({ id, timeoutMs: 200 }),
  ];
  assert.ok(ended.ok && running.ok);
  assert.deepEqual([ended.value.state, running.value.state], ["exited", "running"]);
});
