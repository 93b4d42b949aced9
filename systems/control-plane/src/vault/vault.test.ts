import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Secret } from "@atelier/base/secret";
import { createVault, sealingKeyId, VaultError, type Vault } from "./vault.ts";

const KEY_A = new Secret(randomBytes(32).toString("base64"));
const KEY_B = new Secret(randomBytes(32).toString("base64"));
const PLACE = "ai_provider_keys/sealed_key/1";

function vaultOf(...keys: Secret[]): Vault {
  const created = createVault(keys);
  assert(created.ok);
  return created.value;
}

test("any text opens as it was sealed, at its own place only", () => {
  const vault = vaultOf(KEY_A);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), fc.string(), (plain, here, there) => {
      const sealed = vault.seal(plain, here);
      assert.equal(vault.open(sealed, here).reveal(), plain);
      if (here !== there) assert.throws(() => vault.open(sealed, there), VaultError);
    }),
  );
});

test("no byte of a sealed value can be changed, and none can be missing", () => {
  const vault = vaultOf(KEY_A);
  const sealed = vault.seal("sk-secret", PLACE);
  for (let i = 0; i < sealed.length; i += 1) {
    const changed = Buffer.from(sealed);
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.throws(() => vault.open(changed, PLACE), VaultError);
    assert.throws(() => vault.open(sealed.subarray(0, i), PLACE), VaultError);
  }
});

test("the same text seals differently each time, and its key is named by its digest", () => {
  const vault = vaultOf(KEY_A, KEY_B);
  assert.notDeepEqual(vault.seal("x", PLACE), vault.seal("x", PLACE));
  assert.equal(sealingKeyId(vault.seal("x", PLACE)), vault.keyIds[0]);
  assert.equal(vault.keyIds[0].length, 14);
});

test("an unknown key is named, and the text does not show the value", () => {
  const sealed = vaultOf(KEY_B).seal("sk-canary", PLACE);
  const keyId = vaultOf(KEY_B).keyIds[0];
  assert.throws(
    () => vaultOf(KEY_A).open(sealed, PLACE),
    new VaultError(
      `the value at ${PLACE} is encrypted with key ${keyId}, which this server does not have`,
    ),
  );
});

test("rewrapping keeps the ciphertext, moves the wrapping, and is done once", () => {
  const old = vaultOf(KEY_A).seal("sk-secret", PLACE);
  const both = vaultOf(KEY_B, KEY_A);
  const moved = both.rewrap(old, PLACE);
  assert(moved !== null);
  assert.equal(vaultOf(KEY_B).open(moved, PLACE).reveal(), "sk-secret");
  assert.deepEqual(moved.subarray(-20), old.subarray(-20));
  assert.equal(both.rewrap(moved, PLACE), null);
});

const short = new Secret(randomBytes(31).toString("base64"));
for (const { name, keys, mistakes } of [
  { name: "no key", keys: [], mistakes: ["there is no encryption key"] },
  {
    name: "a short key and one that is not base64",
    keys: [KEY_A, short, new Secret(`${KEY_A.reveal()}!`)],
    mistakes: [
      "encryption key 2 is not the base64 of 32 bytes",
      "encryption key 3 is not the base64 of 32 bytes",
    ],
  },
  {
    name: "a key twice",
    keys: [KEY_A, KEY_B, KEY_A],
    mistakes: ["an encryption key is listed twice"],
  },
]) {
  test(`a vault is not made of ${name}`, () => {
    assert.deepEqual(createVault(keys), { ok: false, failure: mistakes });
  });
}
