import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as must } from "@atelier/base/assert";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { createVault } from "../vault/vault.ts";
import { RelayPasses } from "./relay-pass.ts";

const KEYS = [7, 8].map((byte) => new Secret(Buffer.alloc(32, byte).toString("base64")));
const WANTED = { thingId: "agent", replicaId: "replica" };

function passes(clock: FakeClock, keys: readonly Secret[], purpose = "relay"): RelayPasses {
  const vault = createVault(keys);
  must(vault.ok, "the keys are good");
  const { value } = vault;
  const signer = {
    sign: (text: string) => value.sign(text, purpose),
    isSigned: (text: string, signature: string) => value.isSigned(text, purpose, signature),
  };
  return new RelayPasses({ clock, random: systemRandom, signer });
}

test("a pass is good once, for the agent and server that it names", () => {
  const clock = new FakeClock();
  const [issuer, checker] = [passes(clock, KEYS), passes(clock, KEYS)];
  const pass = issuer.issue(WANTED);
  assert.ok(!checker.isGood(pass, { ...WANTED, thingId: "other" }));
  assert.ok(!checker.isGood(pass, { ...WANTED, replicaId: "other" }));
  assert.ok(checker.isGood(pass, WANTED));
  assert.ok(!checker.isGood(pass, WANTED));
});

test("a pass is good for a minute, and while keys are rotated", async () => {
  const clock = new FakeClock();
  const rotated = passes(clock, KEYS.toReversed());
  assert.ok(rotated.isGood(passes(clock, KEYS).issue(WANTED), WANTED));
  const late = passes(clock, KEYS).issue(WANTED);
  await clock.advance(61_000);
  assert.ok(!rotated.isGood(late, WANTED));
});

test("nobody without a key, or with a signature for something else, makes one", () => {
  const clock = new FakeClock();
  const checker = passes(clock, KEYS.slice(0, 1));
  assert.ok(!checker.isGood(passes(clock, KEYS.slice(1)).issue(WANTED), WANTED));
  assert.ok(!checker.isGood(passes(clock, KEYS, "else").issue(WANTED), WANTED));
  const [time, nonce, ...rest] = passes(clock, KEYS).issue(WANTED).split(".");
  for (const text of [
    "",
    `${time}.${nonce}.`,
    `${Number(time) + 1}.${nonce}.${rest.join(".")}`,
    `${time}.${nonce}.${rest.join(".")}x`,
    `${time}.${nonce}.${rest[0]}`,
  ]) {
    assert.ok(!checker.isGood(text, WANTED), text);
  }
});
