/**
 * The fault run (`npm run simulate -- gateway-faults`) in small: every fault of the first of five keys,
 * each with some formats, against a real server. Clients notice nothing of any.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runCell, startFaultWorld, WIRES, type FaultWorld } from "../simulation/fault-cells.ts";
import { FAULTS } from "../simulation/fault-upstream.ts";

const REQUESTS = 40;
/** Those under way when a key is first found faulty, and one after its first rest. */
const CONCURRENCY = 4;
const WASTED_MAX = CONCURRENCY * 3;

const resources = new AsyncDisposableStack();
let world: FaultWorld;

before(async () => {
  const database = resources.use(await testDatabase());
  world = await startFaultWorld(resources, { postgresUrl: database.url });
});
after(() => resources.disposeAsync());

for (const [i, fault] of FAULTS.entries()) {
  // Each fault with two of the six ways to ask, each way with several faults.
  const wires = [WIRES[i % WIRES.length]!, WIRES[(i + 3) % WIRES.length]!];
  for (const wire of wires) {
    const mode = wire.stream ? "streaming" : "blocking";
    test(`no client notices the fault "${fault}" of a key: ${wire.format}, ${mode}`, async () => {
      const load = { requests: REQUESTS, concurrency: CONCURRENCY, draws: new SeededDraws(1) };
      const result = await runCell(world, { ...wire, fault, place: "first" }, load);
      assert.equal(result.successes, REQUESTS, result.firstFailure);
      if (fault === "none") assert.equal(result.attempts, REQUESTS);
      // Nothing is held against a key that may be allowed other things.
      else if (fault === "403") assert.equal(result.attempts, REQUESTS * 2);
      else assert.ok(result.attempts > REQUESTS && result.attempts <= REQUESTS + WASTED_MAX);
    });
  }
}

test("operators see which key was faulty, and why", async () => {
  const load = { requests: 4, concurrency: 1, draws: new SeededDraws(1) };
  const cell = { ...WIRES[0]!, fault: "reset before head", place: "first" } as const;
  const { providerName } = await runCell(world, cell, load);
  const token = world.person.session;
  const { body } = await world.server.api("GET", `/api/v2/ai/providers/${providerName}`, { token });
  type Shown = { readonly last_error: { readonly status: null; readonly message: string } | null };
  const [first, ...others] = (body.api_keys as Shown[]).map((each) => each.last_error);
  assert.deepEqual(others, [null, null, null, null]);
  assert.equal(first?.status, null, "there was no answer");
  assert.match(first?.message ?? "", /could not be reached/);
});
