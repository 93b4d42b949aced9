import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { createMetrics } from "@atelier/host/metrics";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeySlots } from "../keys/key-slots.ts";
import { KeyPool } from "../keys/key-pool.ts";
import { OwnSlotDesk } from "../keys/slot-desk.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { provider } from "./gateway-testkit.ts";
import { markKey, markKeyFault } from "./key-marks-io.ts";

const ALONE = {
  news: { keyOut: () => {} },
  keyChecks: { refused: () => {} },
};
const KEY = { id: "k1", secret: new Secret("sk-secret-1"), hint: "sk...-1" };

test("each key that goes out of service is counted by why it went, once", async () => {
  const metrics = createMetrics();
  const deps = { log: silentLogger, metrics: createGatewayMetrics(metrics), ...ALONE };
  const counted = async (): Promise<string[]> =>
    (await metrics.render())
      .split("\n")
      .filter((line) => line.includes("key_pool_state_transitions_total{"))
      .map((line) => `${/reason="(\w+)"/.exec(line)?.[1]} ${line.split(" ").at(-1)}`);
  const call = { provider: provider("openai", "openai", "http://x"), state: poolOf() };
  const silence = { isSilence: true, retryAfterMs: null, beganAtMs: 0 };
  const error = { status: null, message: "no answer for sk-secret-1" };
  markKeyFault(deps, call, KEY, { fault: silence, error });
  markKeyFault(deps, call, KEY, { fault: silence, error });
  assert.deepEqual(await counted(), ["faulty 1"]);
  assert.doesNotMatch(call.state.keys.health("k1").lastError!.message, /sk-secret-1/);

  const other = { ...call, state: poolOf() };
  const mark = { kind: "rest", reason: "rate_limited", retryAfterMs: null } as const;
  markKey(deps, other, KEY, { mark, error: { status: 429, message: "slow down" } });
  assert.deepEqual((await counted()).toSorted(), ["faulty 1", "rate_limited 1"]);
});

test("a fault that is forgiven is counted nowhere, and can still be seen", async () => {
  const metrics = createMetrics();
  const deps = { log: silentLogger, metrics: createGatewayMetrics(metrics) };
  const call = { provider: provider("openai", "openai", "http://x"), state: poolOf() };
  const fault = { isSilence: false, retryAfterMs: null, beganAtMs: 0 };
  markKeyFault(deps, call, KEY, { fault, error: { status: 500, message: "broken" } });
  assert.doesNotMatch(await metrics.render(), /transitions_total\{/);
  const { state, lastError } = call.state.keys.health("k1");
  assert.deepEqual([state, lastError?.message], ["valid", "broken"]);
});

function poolOf() {
  const keys = new KeyPool(new FakeClock());
  const slots = new KeySlots(new FakeClock(), { lengthMax: 0, msMax: 0 });
  return { keys, slots: new OwnSlotDesk(slots, keys), breakers: null };
}
