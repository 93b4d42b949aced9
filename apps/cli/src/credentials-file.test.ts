/** The credentials file: who may read it, that it is replaced as a whole, several servers. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import { NO_CREDENTIALS, withoutSignIn, withSignIn, type StoredSignIn } from "./credentials.ts";
import { loadCredentials, saveCredentials } from "./credentials-file.ts";

test("what is saved is read by its owner only, and loaded again", async () => {
  await using dir = await temporaryDirectory();
  const path = join(dir.path, "deep", "atelier");
  const saved = await saveCredentials(
    path,
    withSignIn(NO_CREDENTIALS, A, signIn("t")),
    systemRandom,
  );
  assert.ok(saved.ok);
  assert.equal((await stat(join(path, "credentials.json"))).mode & 0o777, 0o600);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  const loaded = await loadCredentials(path);
  assert.ok(loaded.ok);
  assert.equal(loaded.value.defaultUrl, A);
  assert.equal(loaded.value.servers.get(A)?.token.reveal(), "t");
});

test("a directory and file that others could read are narrowed", async () => {
  await using dir = await temporaryDirectory();
  await chmod(dir.path, 0o755);
  await writeFile(join(dir.path, "credentials.json"), "{}", { mode: 0o644 });
  await saveCredentials(dir.path, withSignIn(NO_CREDENTIALS, A, signIn("t")), systemRandom);
  assert.equal((await stat(join(dir.path, "credentials.json"))).mode & 0o777, 0o600);
  assert.equal((await stat(dir.path)).mode & 0o777, 0o700);
});

test("saving leaves one file, and does not write through a link", async () => {
  await using dir = await temporaryDirectory();
  const victim = join(dir.path, "victim");
  await writeFile(victim, "untouched");
  await symlink(victim, join(dir.path, "credentials.json"));
  await saveCredentials(dir.path, withSignIn(NO_CREDENTIALS, A, signIn("t")), systemRandom);
  assert.deepEqual((await readdir(dir.path)).toSorted(), ["credentials.json", "victim"]);
  assert.equal((await stat(victim)).size, "untouched".length);
});

test("without a file there are no credentials", async () => {
  await using dir = await temporaryDirectory();
  const loaded = await loadCredentials(join(dir.path, "none"));
  assert.deepEqual(loaded, { ok: true, value: NO_CREDENTIALS });
});

for (const text of ["", "{", "[]", '{"version":2}']) {
  test(`a file that holds ${JSON.stringify(text)} is a failure that names it`, async () => {
    await using dir = await temporaryDirectory();
    await writeFile(join(dir.path, "credentials.json"), text);
    const loaded = await loadCredentials(dir.path);
    assert.ok(!loaded.ok);
    assert.match(loaded.failure.message, /credentials\.json is not/);
  });
}

test("the last server signed in to is the default; signing out falls back to another", () => {
  const two = withSignIn(withSignIn(NO_CREDENTIALS, A, signIn("a")), B, signIn("b"));
  assert.equal(two.defaultUrl, B);
  assert.equal(withoutSignIn(two, B).defaultUrl, A);
  assert.equal(withoutSignIn(two, A).defaultUrl, B);
  assert.equal(withoutSignIn(withoutSignIn(two, A), B).defaultUrl, null);
});

const A = "https://a.example.com";
const B = "https://b.example.com";

function signIn(token: string): StoredSignIn {
  return { token: new Secret(token), kind: "session", username: "ann" };
}

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "atelier-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
