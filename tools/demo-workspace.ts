/**
 * The demo's workspace: a directory of this machine, attached by a workspace agent in a process of its
 * own, with a page that it serves. At the end nothing of it runs on.
 */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import type { ApiAnswer, ApiOptions } from "@atelier/testkit/real-server";
import { dialServices } from "@atelier/tunnel/dial-services";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const WORKSPACE = "demo";

export type DemoApi = (
  method: string,
  path: string,
  options: ApiOptions,
  fine?: number,
) => Promise<ApiAnswer>;

export type DemoWorkspace = AsyncDisposable & {
  readonly workspaceId: string;
  readonly pagePort: number;
};

const AGENT_MAIN = join(import.meta.dirname, "../apps/workspace-agent/src/main.ts");
const CONNECTED_MS_MAX = 20_000;
const LOOK_MS = 100;
const DIAL_MS_MAX = 5_000;
/** More than the demo's own, also where somebody played with it for long. */
const PROCESSES_MAX = 1_000;

const PAGE = `require("node:http").createServer((_, res) => { console.log(new Date().toISOString(), "somebody looked"); res.end("Hello from the workspace\\n"); }).listen(Number(process.argv[1]), "127.0.0.1")`;

/** `directory` may exist from an earlier demo. */
export async function startDemoWorkspace(
  api: DemoApi,
  { url, token, directory }: { readonly url: string; readonly token: string; readonly directory: string }, // prettier-ignore
): Promise<DemoWorkspace> {
  await api("POST", "/users/me/workspaces", { body: { name: WORKSPACE }, token }, 409);
  const named = await api("GET", `/users/me/workspace/${WORKSPACE}`, { token });
  const path = `/workspaces/${named.body.id}`;
  const issued = await api("POST", `${path}/agent-token`, { token });
  const home = join(directory, "home");
  mkdirSync(home, { recursive: true });
  const words = ["--url", url, "--directory", home, "--state-dir", join(directory, "agent")];
  const agent = spawn(process.execPath, [AGENT_MAIN, ...words, "--log-level", "warn"], {
    env: { ...process.env, HOME: home, ATELIER_AGENT_TOKEN: issued.body.token },
    stdio: ["ignore", "inherit", "inherit"],
    // Out of the terminal's reach, as the server is.
    detached: true,
  });
  try {
    await untilConnected(api, path, { token, agent });
    const link = { url, token, agentId: named.body.agents[0].id as string };
    const pagePort = await freePort();
    await withServices(link, async ({ processes }) => {
      const command = [process.execPath, "-e", PAGE, String(pagePort)];
      const started = await processes.start({ command });
      if (!started.ok) throw new Error(started.failure.message);
    });
    return {
      workspaceId: named.body.id,
      pagePort,
      [Symbol.asyncDispose]: async () => {
        // What runs in a workspace outlives its agent.
        await withServices(link, endProcesses).catch((error: unknown) => console.error(error));
        await endAgent(agent);
      },
    };
  } catch (error) {
    await endAgent(agent);
    throw error;
  }
}

async function untilConnected(
  api: DemoApi,
  path: string,
  { token, agent }: { readonly token: string; readonly agent: ChildProcess },
): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const { body } = await api("GET", path, { token });
    if (body.status === "connected") return;
    const isLate = performance.now() - startedMs > CONNECTED_MS_MAX;
    if (isLate || agent.exitCode !== null) throw new Error("the workspace agent does not connect");
    await sleep(LOOK_MS);
  }
}

async function withServices(
  { url, token, agentId }: { readonly url: string; readonly token: string; readonly agentId: string }, // prettier-ignore
  work: (services: WorkspaceServices) => Promise<void>,
): Promise<void> {
  const address = new URL(`/api/v2/workspaceagents/${agentId}/link`, url);
  address.protocol = "ws:";
  const dialled = await dialServices(
    { url: address, token: new Secret(token), userAgent: "demo", timeoutMs: DIAL_MS_MAX },
    { clock: systemClock, log: silentLogger },
    new AbortController().signal,
  );
  if (!dialled.ok) throw new Error("the workspace is not reached");
  try {
    await work(dialled.value.services);
  } finally {
    dialled.value.close();
    await dialled.value.closed;
  }
}

async function endProcesses({ processes }: WorkspaceServices): Promise<void> {
  const listed = await processes.list({ limit: PROCESSES_MAX });
  if (!listed.ok) throw new Error(listed.failure.message);
  // Also those that have ended: what they left behind runs on.
  for (const { id } of listed.value.processes) await processes.signal({ id, signal: "SIGKILL" });
}

async function endAgent(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  const exited = once(agent, "exit");
  agent.kill("SIGTERM");
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
