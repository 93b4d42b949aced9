/** The check of a refused key: when it is made, how often, and what becomes of the key. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import type {
  GatewayProvider,
  ProviderCheck,
  ProviderKey,
} from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyPool } from "../keys/key-pool.ts";
import { provider } from "./gateway-testkit.ts";
import { KeyChecks } from "./key-checks.ts";

const DELAY_MS = 10_000;
/** Jitter included. */
const LONGEST_MS = 1.5 * DELAY_MS;
const ERROR = { status: 401, message: "no" };
const REJECTED = { kind: "reject", reason: "unauthorized" } as const;

function worldOf(options: { keys?: number; delayMs?: number } = {}) {
  const { keys: count = 1, delayMs = DELAY_MS } = options;
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  const keys: ProviderKey[] = Array.from({ length: count }, (_, i) => ({
    id: `k${i}`,
    secret: new Secret(`sk-${i}`),
    hint: `hint-${i}`,
  }));
  const state = {
    providers: [provider("openai", "openai", "http://x", { keys })] as GatewayProvider[],
    outcome: "ok" as ProviderCheck["outcome"] | "none",
  };
  const checked: string[] = [];
  const back: string[] = [];
  const underWay: (() => void)[] = [];
  const checks = new KeyChecks(
    {
      providers: {
        current: () => ({
          version: 1,
          providers: new Map(state.providers.map((each) => [each.name, each])),
        }),
      },
      clock,
      random: systemRandom,
      log: silentLogger,
      delayMs,
      check: async (_provider, key) => {
        checked.push(key.id);
        if (underWay.length > 0) await new Promise<void>((resolve) => underWay.push(resolve));
        const { outcome } = state;
        if (outcome === "none") return null;
        const texts = { message: null, explanation: "", remedy: null };
        const facts = { kind: "credential", status: 200, latencyMs: 1, model: null } as const;
        return { outcome, ...facts, ...texts };
      },
    },
    ({ key }) => back.push(key.id),
  );
  const refuse = (index = 0): void => {
    const key = keys[index]!;
    pool.mark(key.id, REJECTED, ERROR);
    checks.refused({ provider: state.providers[0]!, key, pool });
  };
  return { clock, pool, state, checked, back, underWay, checks, refuse };
}

test("a refused key is checked once, after the delay, and serves again if it passes", async () => {
  const world = worldOf();
  world.refuse();
  world.refuse();
  await world.clock.advance(DELAY_MS / 2 - 1);
  assert.deepEqual(world.checked, []);
  await world.clock.advance(LONGEST_MS);
  assert.deepEqual([world.checked, world.back, world.pool.state("k0")], [["k0"], ["k0"], "valid"]);
  assert.ok(world.checks.lastCheckedAt("k0"));
});

test("a key that does not pass stays out, with the time of its check", async () => {
  const world = worldOf();
  world.state.outcome = "refused" as ProviderCheck["outcome"];
  world.refuse();
  assert.equal(world.checks.lastCheckedAt("k0"), null);
  await world.clock.advance(LONGEST_MS);
  assert.deepEqual([world.checked, world.back, world.pool.state("k0")], [["k0"], [], "permanent"]);
  assert.ok(world.checks.lastCheckedAt("k0"));
  await world.clock.advance(3_600_000);
  assert.deepEqual(world.checked, ["k0"], "one check for one refusal");
});

test("a key that passed and is refused again soon is not checked again for a while", async () => {
  const world = worldOf();
  world.refuse();
  await world.clock.advance(LONGEST_MS);
  world.refuse();
  await world.clock.advance(60_000);
  assert.deepEqual([world.checked, world.pool.state("k0")], [["k0"], "permanent"]);
  world.pool.reset("k0");
  await world.clock.advance(10 * 60_000);
  world.refuse();
  await world.clock.advance(LONGEST_MS);
  assert.deepEqual(world.checked, ["k0", "k0"]);
});

test("a hundred keys that are refused at once are checked few at a time", async () => {
  const world = worldOf({ keys: 100 });
  world.underWay.push(() => {});
  for (let i = 0; i < 100; i += 1) world.refuse(i);
  await world.clock.advance(LONGEST_MS);
  assert.equal(world.checked.length, 4);
  await world.clock.advance(60_000);
  assert.equal(world.checked.length, 4, "the others wait until those are done");
  while (world.back.length < 100) {
    for (const go of world.underWay.splice(1)) go();
    await world.clock.advance(LONGEST_MS);
  }
  assert.deepEqual(world.checked.toSorted(), world.back.toSorted());
});

for (const { name, change } of [
  { name: "the provider is gone", change: () => [] },
  {
    name: "the provider is switched off",
    change: (all: GatewayProvider[]) => all.map((each) => ({ ...each, enabled: false })),
  },
  {
    name: "the key is gone",
    change: (all: GatewayProvider[]) => all.map((each) => ({ ...each, keys: [] })),
  },
]) {
  test(`nobody is asked when ${name} meanwhile`, async () => {
    const world = worldOf();
    world.refuse();
    world.state.providers = change(world.state.providers);
    await world.clock.advance(LONGEST_MS);
    assert.deepEqual(world.checked, []);
  });
}

test("nobody is asked when it is switched off, an operator resets the key, or the server stops", async () => {
  const off = worldOf({ delayMs: 0 });
  off.refuse();
  const reset = worldOf();
  reset.refuse();
  reset.checks.forget("k0");
  const stopped = worldOf();
  stopped.refuse();
  stopped.checks[Symbol.dispose]();
  for (const world of [off, reset, stopped]) {
    await world.clock.advance(3_600_000);
    assert.deepEqual(world.checked, []);
  }
});

test("a provider without a free request that tells is not asked to the end, and nothing is shown", async () => {
  const world = worldOf();
  world.state.outcome = "none";
  world.refuse();
  await world.clock.advance(LONGEST_MS);
  assert.deepEqual([world.checks.lastCheckedAt("k0"), world.pool.state("k0")], [null, "permanent"]);
});
