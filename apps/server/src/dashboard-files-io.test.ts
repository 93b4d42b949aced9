import assert from "node:assert/strict";
import { mkdirSync, mkdtempDisposableSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DashboardFiles, withBase } from "./dashboard-files-io.ts";

/** Serves what stands in `directory`; what is no file of it gets the page. */
async function serve(directory: string, frames: readonly string[] = []) {
  const files = new DashboardFiles(directory, frames);
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    files
      .answerFile(path, request, response)
      .then((isFile) => (isFile ? undefined : files.answerPage(path, request, response)))
      .catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    get: (path: string) => fetch(`http://127.0.0.1:${port}${path}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function writeBuild(directory: string, name: string, atSeconds: number): void {
  mkdirSync(join(directory, "assets"), { recursive: true });
  writeFileSync(join(directory, "assets", `${name}.js`), `say("${name}")`);
  writeFileSync(join(directory, "build.stamp"), name);
  const page = join(directory, "index.html");
  writeFileSync(page, `<html><head></head>${name}</html>`);
  utimesSync(page, atSeconds, atSeconds);
}

test("without a build the page says how to make one, and looks again by itself", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "dashboard-"));
  await using server = await serve(join(directory.path, "absent"));
  const answer = await server.get("/");
  assert.equal(answer.status, 503);
  const text = await answer.text();
  assert.match(text, /npm run build/);
  assert.match(text, /http-equiv="refresh"/);
});

test("a newer build in the same place is taken up at the next page", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "dashboard-"));
  await using server = await serve(directory.path);
  writeBuild(directory.path, "one", 1_000);
  assert.match(await (await server.get("/")).text(), /one/);
  assert.equal(await (await server.get("/assets/one.js")).text(), 'say("one")');
  writeBuild(directory.path, "two", 2_000);
  assert.match(await (await server.get("/deep/link")).text(), /<base href="..\/">.*two/);
  assert.equal(await (await server.get("/assets/two.js")).text(), 'say("two")');
});

test("nothing is sent but what the build made for browsers", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "dashboard-"));
  writeFileSync(join(directory.path, "secret.json"), "{}");
  const build = join(directory.path, "build");
  writeBuild(build, "one", 1_000);
  await using server = await serve(build);
  for (const path of ["/build.stamp", "/%2e%2e/secret.json", "/assets/..%2f..%2fsecret.json"]) {
    assert.match(await (await server.get(path)).text(), /<html>/, path);
  }
});

for (const [path, base] of [
  ["/", "./"],
  ["/workspaces", "./"],
  ["/workspaces/", "../"],
  ["/ann/dev/terminal", "../../"],
] as const) {
  test(`from ${path} the dashboard begins at ${base}`, () => {
    assert.equal(withBase("<head>", path), `<head><base href="${base}">`);
  });
}

test("pages show frames of what they are told, and else none", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "dashboard-"));
  writeBuild(directory.path, "one", 1_000);
  const policyOf = async (frames: readonly string[]): Promise<string> => {
    await using server = await serve(directory.path, frames);
    return (await server.get("/")).headers.get("content-security-policy") ?? "";
  };
  assert.doesNotMatch(await policyOf([]), /frame-src/);
  assert.match(await policyOf([]), /default-src 'none'.*frame-ancestors 'none'/);
  assert.match(
    await policyOf(["https://*.a.example"]),
    /; frame-src 'self' https:\/\/\*\.a\.example;/,
  );
});
