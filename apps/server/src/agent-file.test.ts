/** The workspace agent's file, as machines download it. */
import { silentLogger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AgentFile, loadAgentFile } from "./agent-file.ts";

const CONTENT = Buffer.from("// ü\n");

async function serve(load: () => Promise<Result<Buffer, string>>) {
  const clock = new FakeClock();
  const file = new AgentFile({ clock, load });
  const server = createServer((request, response) => {
    file.answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    ask: (init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}/`, init),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

test("it is answered with what is needed to check it, and is loaded once", async () => {
  let loads = 0;
  await using served = await serve(async () => {
    loads += 1;
    return ok(CONTENT);
  });
  const answers = await Promise.all([served.ask(), served.ask(), served.ask({ method: "HEAD" })]);
  assert.equal(loads, 1);
  const sha256 = createHash("sha256").update(CONTENT).digest();
  for (const { status, headers } of answers) {
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.equal(headers.get("content-length"), String(CONTENT.byteLength));
    assert.equal(headers.get("etag"), `"${sha256.toString("hex")}"`);
    assert.equal(headers.get("repr-digest"), `sha-256=:${sha256.toString("base64")}:`);
  }
  const [whole, , head] = await Promise.all(answers.map((answer) => answer.text()));
  assert.deepEqual([whole, head], [CONTENT.toString(), ""]);
});

test("who has it already is told so", async () => {
  await using served = await serve(async () => ok(CONTENT));
  const etag = (await served.ask()).headers.get("etag") ?? "";
  const again = await served.ask({ headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  assert.equal((await served.ask({ headers: { "if-none-match": '"x"' } })).status, 200);
  assert.equal((await served.ask({ method: "POST" })).status, 405);
});

test("where there is none the answer says what to do, and it is looked for again later", async () => {
  let loads = 0;
  await using served = await serve(async () => {
    loads += 1;
    return loads === 1 ? fail("Build it.") : ok(CONTENT);
  });
  const refused = await served.ask();
  assert.deepEqual([refused.status, await refused.text()], [503, "Build it.\n"]);
  assert.equal((await served.ask()).status, 503);
  assert.equal(loads, 1);
  await served.clock.advance(10_001);
  assert.equal((await served.ask()).status, 200);
});

test("without the bundler, what was built before is handed out, or the command is named", async () => {
  const root = mkdtempSync(join(tmpdir(), "atelier-no-bundler-"));
  try {
    const missing = await loadAgentFile(silentLogger, root);
    assert.match(missing.ok ? "" : missing.failure, /npm run build/);
    mkdirSync(join(root, "dist"));
    writeFileSync(join(root, "dist/atelier-agent.mjs"), CONTENT);
    assert.deepEqual(await loadAgentFile(silentLogger, root), ok(CONTENT));
  } finally {
    rmSync(root, { recursive: true });
  }
});
