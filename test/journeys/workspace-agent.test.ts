/**
 * The workspace agent as a process: its options, its end, and being process 1 of a container. The server
 * is one that takes its link and asks.
 */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { askOverSocket, type Link } from "@atelier/tunnel/link";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocketServer, type WebSocket } from "ws";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "apps/workspace-agent/src/main.ts");
const CLI = join(ROOT, "apps/cli/src/main.ts");

type Accepted = {
  readonly link: Link;
  readonly socket: WebSocket;
  readonly headers: IncomingHttpHeaders;
};

/** Takes links, or refuses them. */
async function acceptAgents(refuseWith: number | null = null) {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 0 });
  const links: Link[] = [];
  const arrived: Accepted[] = [];
  const waiting: ((agent: Accepted) => void)[] = [];
  http.on("upgrade", (request, raw, head) => {
    if (refuseWith !== null) {
      raw.end(`HTTP/1.1 ${refuseWith} Refused\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, raw, head, (socket) => {
      const link = askOverSocket(socket, { clock: systemClock, log: silentLogger });
      links.push(link);
      const agent = { link, socket, headers: request.headers };
      const next = waiting.shift();
      if (next === undefined) arrived.push(agent);
      else next(agent);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    /** The next agent that dials, or one that has and was not asked for yet. */
    accepted: async () =>
      arrived.shift() ?? new Promise<Accepted>((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: async () => {
      for (const link of links) link.close();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function emptyHome() {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "agent-journey-")));
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, [Symbol.dispose]: remove };
}

function start(command: readonly string[], directory: string, env: Record<string, string> = {}) {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: directory, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => (said.out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (said.err += bytes.toString()));
  const exited = once(child, "close").then(([code]) => ({ code: code as number, ...said }));
  return { child, exited, [Symbol.dispose]: () => child.kill("SIGKILL") };
}

const agentOf = (...args: readonly string[]) => [process.execPath, MAIN, ...args];

/** What a terminal there shows, to its end. */
async function run({ services }: Link, command: string): Promise<string> {
  const attached = await services.terminals.attach({
    ...{ id: randomUUID(), columns: 200, rows: 24, command },
  });
  assert.ok(attached.ok, JSON.stringify(attached));
  let shown = "";
  for await (const bytes of attached.value.channel.incoming) shown += Buffer.from(bytes).toString();
  return shown;
}

test("the command line starts an agent with a token from a file, which a signal ends", async () => {
  using at = emptyHome();
  await using server = await acceptAgents();
  const file = join(at.path, "token");
  writeFileSync(file, "from-file\n");
  const words = [process.execPath, CLI, "agent", "--url", server.url, "--token-file", file];
  using agent = start(words, at.path, { ATELIER_TOKEN: "the-persons" });
  const { headers } = await server.accepted();
  assert.equal(headers.authorization, "Bearer from-file");
  agent.child.kill("SIGTERM");
  assert.equal((await agent.exited).code, 0);
});

for (const { name, status, code, says } of [
  { name: "token", status: 401, code: 77, says: /refused the token/ },
  { name: "version", status: 426, code: 78, says: /gives up/ },
]) {
  test(`a refused ${name} ends the agent with ${code}`, async () => {
    using at = emptyHome();
    await using server = await acceptAgents(status);
    const words = agentOf("--url", server.url, "--token", "x");
    const ended = await start(words, at.path).exited;
    assert.equal(ended.code, code);
    assert.match(ended.err, says);
  });
}

test("an agent whose place another machine took ends with 76, and says what to do", async () => {
  using at = emptyHome();
  await using server = await acceptAgents();
  using agent = start(agentOf("--url", server.url, "--token", "x"), at.path);
  const { socket } = await server.accepted();
  socket.close(4409);
  const ended = await agent.exited;
  assert.equal(ended.code, 76);
  assert.match(ended.err, /one token is for one machine/);
});

test("a second agent on the same state directory does not start, and says why", async () => {
  using at = emptyHome();
  await using server = await acceptAgents();
  const words = agentOf("--url", server.url, "--token", "x");
  using first = start(words, at.path);
  await server.accepted();
  const { code, err } = await start(words, at.path).exited;
  assert.equal(code, 1);
  assert.match(err, /another workspace agent uses [^]*--state-dir/);
  // A kill leaves nothing in the way of the next.
  first.child.kill("SIGKILL");
  await first.exited;
  using third = start(words, at.path);
  await server.accepted();
  third.child.kill("SIGINT");
  assert.equal((await third.exited).code, 0);
});

test("mistakes in options are all said at once", async () => {
  using at = emptyHome();
  const words = agentOf("--log-level", "loud", "--terminal-idle-timeout", "soon");
  const { code, err } = await start(words, at.path).exited;
  assert.equal(code, 1);
  for (const name of ["url", "token", "log-level", "terminal-idle-timeout"]) {
    assert.match(err, new RegExp(`- --${name} `));
  }
});

test("a terminal that nobody looks at is ended when its time is up", async () => {
  using at = emptyHome();
  await using server = await acceptAgents();
  const options = ["--token", "x", "--terminal-idle-timeout", "100ms"];
  using _agent = start(agentOf("--url", server.url, ...options), at.path);
  const { link } = await server.accepted();
  const { terminals } = link.services;
  const id = randomUUID();
  const attached = await terminals.attach({ id, columns: 80, rows: 24, command: "sleep 600" });
  assert.ok(attached.ok);
  await attached.value.channel.end();
  const startedMs = performance.now();
  for (;;) {
    const info = await terminals.get({ id });
    if (!info.ok || info.value.state === "exited") break;
    assert.ok(performance.now() - startedMs < 60_000, "it ends");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

const NAMESPACE = [
  ...["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
];
const mayUnshare = spawnSync("unshare", [...NAMESPACE.slice(1), "true"]).status === 0;
const skip = mayUnshare ? false : "this machine does not let us make a namespace of processes";

test("as process 1 it collects orphans, and ends by a signal", { skip }, async () => {
  using at = emptyHome();
  await using server = await acceptAgents();
  const words = [...NAMESPACE, ...agentOf("--url", server.url, "--token", "x")];
  using agent = start(words, at.path);
  const { link } = await server.accepted();
  // Processes whose parents end before them, each in a session of its own.
  const orphans = "for i in 1 2 3 4 5; do (setsid sh -c 'sleep 0.2; exit 3' &); done; ";
  await run(link, `${orphans} sleep 0.1`);
  const states = await run(
    link,
    "sleep 0.5; for f in /proc/[0-9]*/stat; do sed 's/^[^)]*) /state=/' $f 2>/dev/null | cut -c1-7; done",
  );
  assert.match(states, /state=[SR]/);
  assert.doesNotMatch(states, /state=Z/);
  assert.match(await run(link, "tr '\\0' ' ' < /proc/1/cmdline | head -c 30"), /sh -c/);
  // `unshare` forwards no signal: it is sent inside, to process 1.
  const last = { id: randomUUID(), columns: 80, rows: 24, command: "kill -TERM 1" };
  await link.services.terminals.attach(last);
  const ended = await agent.exited;
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.err, /shutting down/);
});

test("as process 1 it ends with the agent's own exit code", { skip }, async () => {
  using at = emptyHome();
  await using server = await acceptAgents(401);
  const words = [...NAMESPACE, ...agentOf("--url", server.url, "--token", "x")];
  assert.equal((await start(words, at.path).exited).code, 77);
});
