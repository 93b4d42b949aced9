/** The doctor's judgements, on machines as they could be. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempDisposableSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkDataDirectory, checkNode, checkPort } from "./doctor.ts";

for (const [version, state] of [
  ["v20.20.2", "problem"],
  ["v24.22.0", "note"],
  ["v24.22.1", "ok"],
  ["v26.10.0", "note"],
  ["v26.12.1", "ok"],
  ["v27.0.0", "ok"],
] as const) {
  test(`Node ${version} is judged ${state}`, () => {
    assert.equal(checkNode(version).state, state);
  });
}

test("a port that somebody uses is a problem, and free again when they leave", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP socket has a port.
  assert.equal((await checkPort(port)).state, "problem");
  server.close();
  await once(server, "close");
  assert.equal((await checkPort(port)).state, "ok");
});

test("a data directory that does not exist yet is judged by where it would be, and not made", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "doctor-"));
  const path = join(folder.path, "a/b");
  assert.deepEqual(
    checkDataDirectory(path).map(({ name }) => name),
    [`data directory ${path}`, "disk"],
  );
  assert.equal(existsSync(path), false);
});
