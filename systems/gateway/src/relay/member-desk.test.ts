/** Slots of keys for gateways in other threads: the messages between them are made by hand here. */
import type { GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyPool } from "../keys/key-pool.ts";
import { KeySlots, type KeySlot } from "../keys/key-slots.ts";
import { OwnSlotDesk } from "../keys/slot-desk.ts";
import { SlotDeskElsewhere, type SlotGiver } from "../keys/slot-desk-elsewhere.ts";
import { provider as providerOf } from "./gateway-testkit.ts";
import { MemberDesk } from "./member-desk.ts";

const KEYS = ["a", "b"].map((id) => ({ id, secret: new Secret(id), hint: id }));

/** A thread that gives slots, one for each key, and threads that ask it. */
function worldOf(keys = KEYS.slice(0, 1)) {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  const slots = new OwnSlotDesk(new KeySlots(clock, { lengthMax: 100, msMax: 60_000 }), pool);
  slots.limitTo(1);
  const provider: GatewayProvider = providerOf("up", "openai", "http://x", { id: "p", keys });
  const state = { keys: pool, slots, breakers: null };
  const refused: string[] = [];
  const turns: string[] = [];
  const held = new Map<string, KeySlot>();
  const left = new Map<string, AbortController>();
  const makeMember = () => {
    const desk = new MemberDesk(
      { find: (id) => (id === "p" ? { provider, state } : null) },
      { refused: ({ key }) => refused.push(key.id) },
    );
    let ids = 0;
    const giver: SlotGiver = {
      newId: () => (ids += 1),
      claim: (ask) => desk.claim(structuredClone(ask)).then((answer) => structuredClone(answer)),
      leave: (id) => desk.leave(id),
    };
    const elsewhere = new SlotDeskElsewhere(giver, "p");
    return {
      desk,
      /** Calls are named by their caller and a number: `ann1`. */
      ask: (call: string, tried: readonly string[] = []) => {
        const controller = new AbortController();
        left.set(call, controller);
        elsewhere.ask({
          ...{ keys, tried: new Set(tried), takesResting: true },
          userId: call.replace(/\d+$/, ""),
          signal: () => controller.signal,
          onTurn: (turn) => {
            turns.push(turn.kind === "slot" ? `${call} ${turn.key.id}` : `${call} ${turn.kind}`);
            if (turn.kind === "slot") held.set(call, turn.slot);
          },
        });
      },
    };
  };
  return {
    ...{ slots, pool, turns, refused, makeMember },
    release: (call: string) => held.get(call)?.release(),
    leave: (call: string) => left.get(call)?.abort(),
    /** What was sent has arrived. */
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test("callers of two threads take turns for one key", async () => {
  const world = worldOf();
  const [first, second] = [world.makeMember(), world.makeMember()];
  for (const call of ["ann1", "ann2", "ann3"]) first.ask(call);
  for (const call of ["bob1", "ann4", "bob2"]) second.ask(call);
  await world.settled();
  for (const call of ["ann1", "ann2", "bob1", "ann3", "bob2", "ann4"]) {
    assert.equal(world.turns.at(-1), `${call} a`);
    world.release(call);
    world.release(call);
    await world.settled();
  }
  assert.deepEqual([world.slots.takenOf("a"), world.slots.waiting], [0, 0]);
});

test("who leaves while the slot is on its way holds nothing, and neither does who leaves the queue", async () => {
  const world = worldOf();
  const member = world.makeMember();
  member.ask("ann1");
  member.ask("ann2");
  member.ask("ann3");
  // Its slot was given, and the answer has not arrived.
  assert.equal(world.slots.takenOf("a"), 1);
  world.leave("ann1");
  world.leave("ann3");
  await world.settled();
  assert.deepEqual(world.turns, ["ann2 a"]);
  world.release("ann2");
  assert.deepEqual([world.slots.takenOf("a"), world.slots.waiting], [0, 0]);
});

test("what a thread held and waited for is free when it is no more, and it gets nothing later", async () => {
  const world = worldOf();
  const [dead, other] = [world.makeMember(), world.makeMember()];
  dead.ask("ann1");
  dead.ask("ann2");
  other.ask("bob1");
  await world.settled();
  dead.desk[Symbol.dispose]();
  await world.settled();
  assert.deepEqual(world.turns, ["ann1 a", "ann2 none", "bob1 a"]);
  dead.ask("ann3");
  world.release("bob1");
  await world.settled();
  assert.deepEqual([world.slots.takenOf("a"), world.slots.waiting], [0, 0]);
});

test("keys that were tried are not given, and none at all where none is left", async () => {
  const world = worldOf(KEYS);
  const member = world.makeMember();
  member.ask("ann1", ["a"]);
  member.ask("ann2", ["a", "b"]);
  await world.settled();
  assert.deepEqual(world.turns, ["ann1 b", "ann2 none"]);
  world.pool.mark("a", { kind: "reject", reason: "forbidden" }, { status: 403, message: "no" });
  world.release("ann1");
  member.ask("ann3");
  await world.settled();
  assert.equal(world.turns.at(-1), "ann3 b");
});

test("a key that was refused elsewhere is checked here, if the provider still has it", () => {
  const world = worldOf();
  const { desk } = world.makeMember();
  desk.keyRefused({ providerId: "p", keyId: "a" });
  desk.keyRefused({ providerId: "p", keyId: "gone" });
  desk.keyRefused({ providerId: "gone", keyId: "a" });
  assert.deepEqual(world.refused, ["a"]);
});
