/** A machine that is attached to a workspace: the agent's own process, and the CLI as people run it. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { setUpFirstUser, type RealServer } from "@atelier/testkit/real-server";
import { dialServices } from "@atelier/tunnel/dial-services";
import type { Link } from "@atelier/tunnel/link";
import assert from "node:assert/strict";
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const AGENT_MAIN = join(ROOT, "apps/workspace-agent/src/main.ts");
const CLI_MAIN = join(ROOT, "apps/cli/src/main.ts");

export type Attached = AsyncDisposable & {
  readonly person: Awaited<ReturnType<typeof setUpFirstUser>>;
  readonly token: string;
  /** The home and the workspace directory of the machine. */
  readonly home: string;
  readonly agentId: string;
  /** What the server shows to be run on the machine. */
  readonly command: string;
  /** The agent's process; another after `startAgent`. */
  agent(): ChildProcess;
  agentLog(): string;
  startAgent(url: string): void;
  /** Runs `atelier …` against a server, to its end. */
  cli(
    server: RealServer,
    words: readonly string[],
    stdin?: string | Uint8Array,
  ): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** Starts `atelier …`, which runs until it is told to stop. */
  start(server: RealServer, words: readonly string[]): ChildProcess;
  /** Resolves when the workspace's status is this, as the server says. */
  until(server: RealServer, status: string, withinMs?: number): Promise<void>;
};

/** How a machine's workspace agent is started. */
export type StartMachine = (machine: {
  readonly home: string;
  readonly url: string;
  readonly token: string;
  readonly command: string;
}) => ChildProcess;

/** Creates the first user and the workspace `dev`, and attaches a directory of this machine to it. */
export async function attachMachine(
  server: RealServer,
  startMachine: StartMachine = startFromSource,
): Promise<Attached> {
  const person = await setUpFirstUser(server);
  const home = realpathSync(mkdtempSync(join(tmpdir(), "atelier-machine-")));
  const asPerson = { token: person.session };
  const made = await server.api("POST", "/api/v2/users/me/workspaces", {
    ...asPerson,
    body: { name: "dev" },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = `/api/v2/workspaces/${made.body.id}`;
  const { body } = await server.api("POST", `${path}/agent-token`, asPerson);
  const { token, command } = body as { readonly token: string; readonly command: string };
  let agent: ChildProcess | null = null;
  let log = "";
  const startAgent = (url: string): void => {
    agent = startMachine({ home, url, token, command });
    agent.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  };
  startAgent(server.url);
  const current = (): ChildProcess => {
    assert.ok(agent !== null);
    return agent;
  };
  return {
    ...{ person, token, command, home, startAgent, agentId: made.body.agents[0].id as string },
    agent: current,
    agentLog: () => log,
    cli: (target, words, stdin) =>
      runCli(target, person.token, { words, stdin: stdin ?? "", home }),
    start: (target, words) => spawnCli(target, person.token, { words, home }),
    until: async (target, status, withinMs = 60_000) => {
      const startedMs = performance.now();
      for (;;) {
        const answer = await target.api("GET", path, asPerson).catch(() => null);
        if (answer?.body?.status === status) return;
        assert.ok(
          performance.now() - startedMs < withinMs,
          `the workspace is ${status} within ${withinMs} ms, not ${answer?.body?.status}: ${log}`,
        );
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    [Symbol.asyncDispose]: async () => {
      const child = current();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const startFromSource: StartMachine = ({ home, url, token }) => {
  const words = ["--url", url, "--state-dir", join(home, ".state"), "--directory", home];
  return spawn(process.execPath, [AGENT_MAIN, ...words], {
    env: { ...process.env, HOME: home, ATELIER_AGENT_TOKEN: token },
    stdio: ["ignore", "ignore", "pipe"],
  });
};

async function runCli(
  server: RealServer,
  token: string,
  run: {
    readonly words: readonly string[];
    readonly stdin: string | Uint8Array;
    readonly home: string;
  },
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawnCli(server, token, run);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.on("error", () => {}); // It may end before it has read all.
  child.stdin.end(run.stdin);
  await once(child, "close");
  return { code: child.exitCode, out, err };
}

function spawnCli(
  server: RealServer,
  token: string,
  { words, home }: { readonly words: readonly string[]; readonly home: string },
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [CLI_MAIN, ...words], {
    env: { ...process.env, ...{ HOME: home, ATELIER_URL: server.url, ATELIER_TOKEN: token } },
  });
}

/** The machine's services as a program of its person gets them: over a link of its own to the server. */
export async function linkToMachine(
  server: RealServer,
  { person, agentId }: Pick<Attached, "person" | "agentId">,
): Promise<Link & AsyncDisposable> {
  const path = `/api/v2/workspaceagents/${agentId}/link`;
  const dialled = await dialServices(
    {
      url: new URL(path, server.url.replace("http", "ws")),
      token: new Secret(person.token),
      userAgent: "test",
      timeoutMs: 10_000,
    },
    { clock: systemClock, log: silentLogger },
    new AbortController().signal,
  );
  assert.ok(dialled.ok, JSON.stringify(dialled));
  const link = dialled.value;
  return {
    ...link,
    [Symbol.asyncDispose]: async () => {
      link.close();
      await link.closed;
    },
  };
}
