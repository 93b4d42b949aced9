/** What happened in a workspace, as its owner reads it from elsewhere. */
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { attachMachine } from "./workspace-world.ts";

const WITHIN_MS = 60_000;

test("logs tell each process, how it ended, its last lines, and the machine's connections", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const command = "seq 1 100; echo oops >&2; exit 7";
  await machine.cli(server, ["exec", "dev", "--", "sh", "-c", command]);

  const told = await machine.cli(server, ["logs", "dev", "--tail", "2"]);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /^machine {2}connected since/);
  assert.match(told.out, /^connection {2}began .* from 127\.0\.0\.1, ongoing$/m);
  assert.match(
    told.out,
    /^[0-9a-z-]{8} {2}exited 7 {2}began .* ran .*seq 1 100.*\n {2}99\n {2}100\n {2}oops$/m,
  );

  const json = JSON.parse((await machine.cli(server, ["logs", "dev", "--json"])).out);
  assert.equal(json.workspace.status, "connected");
  assert.equal(json.connections[0].type, "workspace_agent");
  const [logged] = json.processes;
  assert.equal(logged.process.exitCode, 7);
  assert.deepEqual(logged.stderr.lines, ["oops"]);
  assert.equal(logged.stdout.lines.length, 10);

  const one = await machine.cli(server, [
    "logs",
    "dev",
    "--process",
    logged.process.id.slice(0, 8),
  ]);
  assert.deepEqual([one.code, one.out.includes("oops")], [0, true], one.err);
  const none = await machine.cli(server, ["logs", "dev", "--process", "nothing"]);
  assert.deepEqual([none.code, none.out], [4, ""]);

  const child = machine.agent();
  child.kill("SIGTERM");
  await once(child, "exit");
  await machine.until(server, "disconnected");
  const away = await machine.cli(server, ["logs", "dev"]);
  assert.equal(away.code, 0, away.err);
  assert.match(away.out, /^machine {2}disconnected since[^]*ended/);
  assert.match(away.err, /on its machine/);
});

test("logs that follow go on over an agent that is killed, without a line lost or told twice", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const following = machine.start(server, ["logs", "dev", "--follow"]);
  let out = "";
  following.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  const until = async (pattern: RegExp): Promise<void> => {
    const startedMs = performance.now();
    while (!pattern.test(out)) {
      assert.ok(performance.now() - startedMs < WITHIN_MS, `${pattern} in ${out}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  await until(/no processes are kept/);
  const count = "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; exit 3";
  const running = machine.cli(server, ["exec", "dev", "--without-input", "--", "sh", "-c", count]);
  await until(/line 5$/m);
  const child = machine.agent();
  child.kill("SIGKILL");
  await once(child, "exit");
  machine.startAgent(server.url);
  await until(/exited 3/);
  const numbers = [...out.matchAll(/^[0-9a-z-]{8} \| line (\d+)$/gm)].map(([, number]) =>
    Number(number),
  );
  assert.deepEqual(
    numbers,
    Array.from({ length: 60 }, (_, i) => i),
  );
  const closed = once(following, "close");
  following.kill("SIGINT");
  await closed;
  assert.equal(following.exitCode, 0);
  await running;
});
