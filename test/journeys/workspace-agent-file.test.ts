/**
 * The workspace agent as people get it: the command that the server shows, run as it stands in an empty
 * directory, with nothing of this repository beside it.
 */
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { attachMachine, linkToMachine, type StartMachine } from "./workspace-world.ts";

const FILE_PATH = "/api/v2/workspace-agent/atelier-agent.mjs";
const PATH = [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter);
const hasCurl = spawnSync("curl", ["--version"], { env: { PATH } }).status === 0;

/** As somebody's shell does, which then becomes the agent. */
const runAsShown: StartMachine = ({ command, home, url }) => {
  // The server of a test chose its port after it had made its address known to itself.
  const reachable = command.replaceAll("http://127.0.0.1:0", url);
  return spawn("/bin/sh", ["-c", reachable.replace(" && ", " && exec env ")], {
    cwd: home,
    env: { PATH, HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
};

test(
  "the shown command makes a machine that has nothing of ours a workspace with terminals",
  { skip: hasCurl ? false : "this machine has no curl, which the shown command downloads with" },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using machine = await attachMachine(server, runAsShown);
    await machine.until(server, "connected", 30_000);
    const said = await machine.cli(server, ["exec", "dev", "--", "sh", "-c", "pwd; exit 7"]);
    assert.deepEqual([said.code, said.out], [7, `${machine.home}\n`], said.err);

    await using link = await linkToMachine(server, machine);
    const attached = await link.services.terminals.attach({
      ...{ id: randomUUID(), columns: 200, rows: 50 },
      command: "echo $((40 + 2)); tr '\\0' ' ' < /proc/$PPID/cmdline",
    });
    assert.ok(attached.ok, JSON.stringify(attached));
    let shown = "";
    for await (const bytes of attached.value.channel.incoming) {
      shown += Buffer.from(bytes).toString();
    }
    assert.match(shown, /42[^]*atelier-agent\.mjs --url/);
    assert.ok(!shown.includes(machine.token), "lists of processes do not show the token");
    assert.deepEqual(
      readdirSync(machine.home).filter((name) => !name.startsWith(".")),
      ["atelier-agent.mjs"],
    );
  },
);

test("anybody may download the file, and check it", async () => {
  await using server = await startRealServer();
  const answer = await fetch(`${server.url}${FILE_PATH}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/javascript; charset=utf-8");
  const etag = `"${createHash("sha256").update(bytes).digest("hex")}"`;
  assert.equal(answer.headers.get("etag"), etag);
  assert.ok(bytes.byteLength < 1_500_000, `${bytes.byteLength} bytes`);
  const again = await fetch(`${server.url}${FILE_PATH}`, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);

  const directory = mkdtempSync(join(tmpdir(), "agent-file-"));
  try {
    const file = join(directory, "atelier-agent.mjs");
    writeFileSync(file, bytes);
    const run = (node: string) => spawnSync(node, [file, "--version"], { encoding: "utf8" });
    assert.match(run(process.execPath).stdout, /^\d+\.\d+\.\d+\n$/);
    // Whatever the machine calls node: it runs the file, or is told that it is too old.
    const own = spawnSync("node", ["-p", "process.versions.node"], { encoding: "utf8" });
    if (own.status === 0 && Number.parseInt(own.stdout, 10) < 24) {
      const { status, stderr } = run("node");
      assert.equal(status, 1);
      assert.match(stderr, /^The workspace agent needs Node 24 or later, and this is Node \d/);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
