import { Secret } from "@atelier/base/secret";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeySlots, QUEUE_TICK_MS, type KeySlot, type SlotTurn } from "./key-slots.ts";

const KEYS: ProviderKey[] = ["a", "b"].map((id) => ({
  id,
  secret: new Secret(id),
  hint: id,
}));

/** Calls are named by their caller and a number: `ann1`. */
function worldOf(options: { lengthMax?: number; msMax?: number; max?: number | null } = {}) {
  const { lengthMax = 10, msMax = 1_000, max = 1 } = options;
  const clock = new FakeClock();
  const slots = new KeySlots(clock, { lengthMax, msMax });
  slots.limitTo(max);
  const turns: string[] = [];
  const held = new Map<string, KeySlot>();
  const left = new Map<string, AbortController>();
  const unusable = new Set<string>();
  const told = (call: string, turn: SlotTurn): void => {
    if (turn.kind === "slot") held.set(call, turn.slot);
    const what = { slot: turn.kind === "slot" ? turn.key.id : "", none: "none", refused: "" };
    turns.push(`${call} ${turn.kind === "refused" ? turn.reason : what[turn.kind]}`);
  };
  return {
    clock,
    slots,
    turns,
    unusable,
    claim: (call: string, keys = KEYS.slice(0, 1)) => {
      const controller = new AbortController();
      left.set(call, controller);
      slots.claim({
        userId: call.replace(/\d+$/, ""),
        keys,
        usableKeys: () => keys.filter(({ id }) => !unusable.has(id)),
        signal: () => controller.signal,
        onTurn: (turn) => told(call, turn),
      });
    },
    release: (call: string) => held.get(call)?.release(),
    leave: (call: string) => left.get(call)?.abort(),
  };
}

test("a key serves as many calls as it may, then the next key, then calls wait", () => {
  const world = worldOf({ max: 2 });
  for (const call of ["ann1", "ann2", "ann3", "ann4", "ann5"]) world.claim(call, KEYS);
  assert.deepEqual(world.turns, ["ann1 a", "ann2 a", "ann3 b", "ann4 b"]);
  assert.deepEqual([world.slots.takenOf("a"), world.slots.waiting], [2, 1]);
  world.release("ann3");
  assert.deepEqual(world.turns.at(-1), "ann5 b");
  assert.equal(world.slots.waiting, 0);
});

test("callers take turns: a hundred waiting calls of one hold nobody's first one up", () => {
  const world = worldOf({ lengthMax: 200 });
  for (let i = 0; i <= 100; i += 1) world.claim(`ann${i}`);
  world.claim("ben0");
  world.claim("cid0");
  world.claim("ben1");
  let last = "ann0";
  for (let i = 0; i < 6; i += 1) {
    world.release(last);
    last = world.turns.at(-1)!.split(" ")[0]!;
  }
  const order = world.turns.slice(1).map((turn) => turn.split(" ")[0]);
  assert.deepEqual(order, ["ann1", "ben0", "cid0", "ann2", "ben1", "ann3"]);
});

test("a slot that is released twice is released once", () => {
  const world = worldOf();
  world.claim("ann1");
  world.claim("ann2");
  world.claim("ann3");
  world.release("ann1");
  world.release("ann1");
  assert.deepEqual(world.turns, ["ann1 a", "ann2 a"]);
});

test("nobody overtakes: who arrives when a key is free again comes after those who wait for it", async () => {
  const world = worldOf();
  world.unusable.add("b");
  world.claim("ann1", KEYS);
  world.claim("ann2", KEYS);
  world.unusable.delete("b");
  world.claim("ben1", KEYS);
  assert.deepEqual(world.turns, ["ann1 a", "ann2 b"]);
  assert.equal(world.slots.waiting, 1);
});

test("a key that nobody who waits may use is not kept free for them", () => {
  const world = worldOf();
  world.claim("ann1", KEYS.slice(0, 1));
  world.claim("ann2", KEYS.slice(0, 1));
  world.claim("ben1", KEYS);
  assert.deepEqual(world.turns, ["ann1 a", "ben1 b"]);
});

test("a key that becomes usable without a release is found by those who wait", async () => {
  const world = worldOf();
  world.unusable.add("b");
  world.claim("ann1", KEYS);
  world.claim("ann2", KEYS);
  world.unusable.delete("b");
  await world.clock.advance(QUEUE_TICK_MS);
  assert.deepEqual(world.turns, ["ann1 a", "ann2 b"]);
});

test("a limit that is raised or taken away helps those who wait at once", () => {
  const world = worldOf();
  for (const call of ["ann1", "ann2", "ann3", "ann4"]) world.claim(call);
  world.slots.limitTo(2);
  assert.deepEqual(world.turns, ["ann1 a", "ann2 a"]);
  world.slots.limitTo(null);
  assert.deepEqual(world.turns.slice(2), ["ann3 a", "ann4 a"]);
  assert.equal(world.slots.takenOf("a"), null);
});

test("whoever waits while all keys are lost is told, and not kept waiting", async () => {
  const world = worldOf();
  world.claim("ann1");
  world.claim("ann2");
  world.unusable.add("a");
  world.release("ann1");
  assert.deepEqual(world.turns, ["ann1 a", "ann2 none"]);
});

test("a wait ends with its time, or with its client, and its place is free", async () => {
  const world = worldOf({ lengthMax: 1, msMax: 500 });
  world.claim("ann1");
  world.claim("ann2");
  world.leave("ann2");
  world.claim("ann3");
  await world.clock.advance(499);
  assert.deepEqual(world.turns, ["ann1 a"]);
  await world.clock.advance(1);
  assert.deepEqual(world.turns, ["ann1 a", "ann3 queue_timeout"]);
  world.release("ann1");
  assert.deepEqual([world.turns.length, world.slots.waiting, world.slots.takenOf("a")], [2, 0, 0]);
});

for (const { name, options } of [
  { name: "its length is 0", options: { lengthMax: 0 } },
  { name: "its time is 0", options: { msMax: 0 } },
]) {
  test(`without a queue a busy key is refused at once: ${name}`, () => {
    const world = worldOf(options);
    world.claim("ann1");
    world.claim("ann2");
    assert.deepEqual(world.turns, ["ann1 a", "ann2 queue_full"]);
  });
}

test("a full queue is shared: who has most waiting gives up their latest place", () => {
  const world = worldOf({ lengthMax: 3 });
  for (const call of ["ann0", "ann1", "ann2", "ann3", "ann4", "ben1", "cid1", "dan1"]) {
    world.claim(call);
  }
  assert.deepEqual(world.turns, [
    "ann0 a",
    "ann4 queue_full",
    "ann3 queue_full",
    "ann2 queue_full",
    "dan1 queue_full",
  ]);
});

test("what a turn sets off at once is served after it, in order", () => {
  const clock = new FakeClock();
  const slots = new KeySlots(clock, { lengthMax: 10, msMax: 1_000 });
  slots.limitTo(1);
  const order: string[] = [];
  const keys = KEYS.slice(0, 1);
  const claim = (name: string, releases: boolean): void =>
    slots.claim({
      userId: name,
      keys,
      usableKeys: () => keys,
      signal: () => new AbortController().signal,
      onTurn: (turn) => {
        order.push(name);
        if (turn.kind !== "slot") return;
        if (name === "first") first = turn.slot;
        if (!releases) return;
        // An attempt that fails at once, whose call claims again.
        turn.slot.release();
        if (name === "ben") claim("ben again", true);
      },
    });
  let first: KeySlot | null = null;
  claim("first", false);
  claim("ben", true);
  claim("cid", true);
  first!.release();
  assert.deepEqual(order, ["first", "ben", "cid", "ben again"]);
  assert.deepEqual([slots.waiting, slots.takenOf("a")], [0, 0]);
});

test("whatever happens: limits hold, no slot is idle while a call waits for it, and nothing is left over", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("claim" as const), user: fc.constantFrom("ann", "ben", "cid") }),
    fc.record({ do: fc.constantFrom("release" as const, "leave" as const), at: fc.nat(50) }),
    fc.record({ do: fc.constant("limit" as const), max: fc.integer({ min: 1, max: 3 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = worldOf({ lengthMax: 4, msMax: 10_000 });
      let count = 0;
      const calls: string[] = [];
      let max = 1;
      for (const each of steps) {
        if (each.do === "claim") {
          calls.push(`${each.user}${(count += 1)}`);
          world.claim(calls.at(-1)!, KEYS);
        } else if (each.do === "limit") world.slots.limitTo((max = each.max));
        else world[each.do](calls[each.at % Math.max(1, calls.length)] ?? "");
        const taken = KEYS.map(({ id }) => world.slots.takenOf(id)!);
        assert.ok(world.slots.waiting <= 4);
        if (world.slots.waiting > 0)
          assert.ok(
            taken.every((each) => each >= max),
            "no idle slot",
          );
      }
      for (const call of calls) world.leave(call);
      for (const call of calls) world.release(call);
      assert.deepEqual(
        [world.slots.waiting, world.slots.takenOf("a"), world.slots.takenOf("b")],
        [0, 0, 0],
      );
      await world.clock.advance(20_000);
      const decided = new Set(world.turns.map((turn) => turn.split(" ")[0]));
      assert.equal(decided.size, world.turns.length, "each call is told once");
    }),
    { numRuns: 200 },
  );
});
