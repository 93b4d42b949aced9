import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { PasswordHasher } from "./password-hasher.ts";

const PASSWORD = new Secret("correct horse");

test("a password matches its own hash only, and the hash is argon2id with a salt of its own", async () => {
  const hasher = new PasswordHasher();
  const hashed = await hasher.hash(PASSWORD);
  assert.match(hashed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(await hasher.hash(PASSWORD), hashed);
  assert.equal(await hasher.matches(PASSWORD, hashed), true);
  assert.equal(await hasher.matches(new Secret("correct horsf"), hashed), false);
});

test("nobody's password matches nothing, after the same work", async () => {
  assert.equal(await new PasswordHasher().matches(PASSWORD, null), false);
});

test("strangers are sent away while the line is long, and everybody in it is served", async () => {
  const hasher = new PasswordHasher();
  const checks = Array.from({ length: 36 }, () => hasher.matches(PASSWORD, null));
  assert.equal(hasher.isBusy, true);
  assert.deepEqual(new Set(await Promise.all(checks)), new Set([false]));
  assert.equal(hasher.isBusy, false);
});
