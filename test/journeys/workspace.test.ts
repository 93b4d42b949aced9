/** A machine attached to a workspace, and used from elsewhere: as people do it, with every process real. */
import { freePort } from "@atelier/testkit/free-port";
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startTwoServers } from "./two-server-world.ts";
import { attachMachine } from "./workspace-world.ts";

/** The server must be able to open what it has sealed before. */
const ENCRYPTION_KEY = Buffer.alloc(32, 9).toString("base64");

test("a command runs there as if it ran here: output, input, exit code, environment", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");

  const said = await machine.cli(server, [
    ...["exec", "dev", "--env", "GREETING=hello", "--"],
    ...["sh", "-c", 'echo "$GREETING $PWD"; echo oops >&2; exit 7'],
  ]);
  assert.deepEqual([said.code, said.out, said.err], [7, `hello ${machine.home}\n`, "oops\n"]);

  const fed = await machine.cli(server, ["exec", "dev", "--", "sort"], "b\na\n");
  assert.deepEqual([fed.code, fed.out], [0, "a\nb\n"]);

  const environment = await machine.cli(server, ["exec", "dev", "--", "env"]);
  assert.ok(!environment.out.includes(machine.token), "the agent's token stays with the agent");

  const missing = await machine.cli(server, ["exec", "nowhere", "--", "ls"]);
  assert.deepEqual([missing.code, missing.out], [4, ""]);
});

test("a file goes there and comes back, byte for byte", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const bytes = Buffer.alloc(3_000_001, "ü\0\n");
  const here = join(machine.home, "here.bin");
  writeFileSync(here, bytes);
  const sent = await machine.cli(server, ["cp", here, "dev:~/deep/er/"]);
  assert.equal(sent.code, 0, sent.err);
  const back = join(machine.home, "back.bin");
  const fetched = await machine.cli(server, ["cp", "dev:~/deep/er/here.bin", back]);
  assert.equal(fetched.code, 0, fetched.err);
  assert.ok(readFileSync(back).equals(bytes));
  const again = await machine.cli(server, ["cp", here, "dev:~/deep/er/", "--keep-existing"]);
  assert.equal(again.code, 5, again.err);
});

test("a port there is reached through the server", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const app = createServer((_req, res) => res.end("from the workspace"));
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as AddressInfo;
  const listed = await machine.cli(server, ["exec", "dev", "--", "true"]);
  assert.equal(listed.code, 0);
  const stop = await forward(machine, server, port);
  const answer = await get(stop.port);
  assert.equal(answer, "from the workspace");
  await stop.end();
  app.close();
});

test("a server that restarts finds the machine and its processes again", async () => {
  await using database = await testDatabase();
  const options = {
    postgresUrl: database.url,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    args: ["--http-address", `127.0.0.1:${await freePort()}`],
  };
  const first = await startRealServer(options);
  await using machine = await attachMachine(first);
  await machine.until(first, "connected");
  const counter = join(machine.home, "counter");
  const started = await machine.cli(first, [
    ...["exec", "dev", "--without-input", "--", "sh", "-c"],
    `nohup sh -c 'while :; do echo tick >> ${counter}; sleep 0.1; done' >/dev/null 2>&1 & echo $!`,
  ]);
  assert.equal(started.code, 0, started.err);
  first.child.kill("SIGKILL");
  await once(first.child, "close");
  const ticks = (): number => (existsSync(counter) ? readFileSync(counter, "utf8").length : 0);
  const before = ticks();
  await using second = await startRealServer(options);
  await machine.until(second, "connected");
  assert.ok(ticks() > before, "what ran went on while no server was there");
  // What the killed server said of itself counts no more: connected is connected.
  const killed = await machine.cli(second, ["exec", "dev", "--", "kill", started.out.trim()]);
  assert.equal(killed.code, 0, killed.err);
});

test("with the machine on one server and the person on another it is the same", async () => {
  await using servers = await startTwoServers();
  const { one, two } = servers;
  await using machine = await attachMachine(one);
  await machine.until(two, "connected");
  const said = await machine.cli(two, ["exec", "dev", "--", "sh", "-c", "cat; exit 3"], "across");
  assert.deepEqual([said.code, said.out], [3, "across"]);
});

test("a deleted workspace cuts its machine off, and the agent says why it ends", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const child = machine.agent();
  const ended = once(child, "exit");
  const token = machine.person.session;
  const found = await server.api("GET", "/api/v2/users/me/workspace/dev", { token });
  const dropped = await server.api("DELETE", `/api/v2/workspaces/${found.body.id}`, { token });
  assert.equal(dropped.status, 204);
  await ended;
  assert.equal(child.exitCode, 77);
  assert.match(machine.agentLog(), /refused the token/);
});

async function forward(
  machine: Awaited<ReturnType<typeof attachMachine>>,
  server: Awaited<ReturnType<typeof startRealServer>>,
  port: number,
) {
  // The port here is chosen by the system, so it is found by trying: it is said on stderr.
  const here = await freePort();
  const running = machine.start(server, ["port-forward", "dev", `${here}:${port}`]);
  const startedMs = performance.now();
  while (!(await isOpen(here))) {
    assert.ok(performance.now() - startedMs < 60_000, "the port is forwarded");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port: here,
    end: async () => {
      const closed = once(running, "close");
      running.kill("SIGINT");
      await closed;
      assert.equal(running.exitCode, 0);
    },
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function get(port: number): Promise<string> {
  const asked = request({ port, host: "127.0.0.1", path: "/" });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const piece of answer.setEncoding("utf8")) text += piece as string;
  return text;
}
