/** The ways to one and the same target: nothing in between, two plain relays, and a workspace's link. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { startPostgresServer } from "@atelier/testkit/postgres-server";
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { dialServices } from "@atelier/tunnel/dial-services";
import { chunksOf, writeTo } from "@atelier/tunnel/stream-bytes";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { attachMachine, type Attached } from "../../test/journeys/workspace-world.ts";
import { printedPort, startProgram } from "../gateway/child-processes.ts";

export type LinkLane = {
  readonly id: "bare" | "relays" | "one" | "two";
  readonly name: string;
  /** A connection to the target. */
  dial(): Promise<ByteChannel>;
  /** Null: there is no workspace in this lane. */
  readonly services: WorkspaceServices | null;
};

export type LinkLanes = {
  readonly lanes: readonly LinkLane[];
  /** Where files may be written. */
  readonly directory: string;
  /** What runs, for profiles. */
  readonly pids: Readonly<Record<string, number>>;
};

const FAR_END = join(import.meta.dirname, "far-end.ts");
/** Both servers must be able to open what either has sealed. */
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");
const DIAL_MS_MAX = 10_000;

/** The relays stand where the server and the workspace agent stand: as many processes, and no more. */
export async function startLinkLanes(resources: AsyncDisposableStack): Promise<LinkLanes> {
  const target = await startFarEnd(resources, "target");
  const inner = await startFarEnd(resources, "relay", target);
  const outer = await startFarEnd(resources, "relay", inner);
  const { host, port, user, database } = resources.use(await startPostgresServer());
  const query = new URLSearchParams({ host, port: String(port), user });
  const options = {
    postgresUrl: `postgres:///${database}?${query.toString()}`,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
  };
  const here = resources.use(await startRealServer(options));
  const other = resources.use(await startRealServer(options));
  const machine = resources.use(await attachMachine(here));
  await machine.until(other, "connected");
  const oneServices = await dialWorkspace(here, machine, resources);
  const twoServices = await dialWorkspace(other, machine, resources);
  return {
    directory: machine.home,
    pids: {
      server: here.child.pid ?? 0,
      other: other.child.pid ?? 0,
      agent: machine.agent().pid ?? 0,
    },
    lanes: [
      { id: "bare", name: "TCP, nothing in between", services: null, dial: () => dialTcp(target) },
      { id: "relays", name: "TCP through two relays", services: null, dial: () => dialTcp(outer) },
      { ...workspaceLane(oneServices, target), id: "one", name: "workspace link" },
      { ...workspaceLane(twoServices, target), id: "two", name: "workspace link, two servers" },
    ],
  };
}

async function startFarEnd(
  resources: AsyncDisposableStack,
  role: "target" | "relay",
  port = 0,
): Promise<number> {
  const words = [FAR_END, role, String(port)];
  return printedPort(resources.use(startProgram(process.execPath, words, { processors: null })));
}

function workspaceLane(
  services: WorkspaceServices,
  port: number,
): Pick<LinkLane, "services" | "dial"> {
  return {
    services,
    dial: async () => {
      const dialled = await services.ports.dial({ port });
      if (!dialled.ok) throw new Error(dialled.failure.message);
      return dialled.value.channel;
    },
  };
}

/** As the CLI does. */
async function dialWorkspace(
  server: RealServer,
  { person }: Attached,
  resources: AsyncDisposableStack,
): Promise<WorkspaceServices> {
  const found = await server.api("GET", "/api/v2/users/me/workspace/dev", { token: person.token });
  const url = new URL(`/api/v2/workspaceagents/${found.body.agents[0].id}/link`, server.url);
  url.protocol = "ws:";
  const dialled = await dialServices(
    { url, token: new Secret(person.token), userAgent: "bench", timeoutMs: DIAL_MS_MAX },
    { clock: systemClock, log: silentLogger },
    new AbortController().signal,
  );
  if (!dialled.ok) throw new Error(`the link is refused: ${JSON.stringify(dialled.failure)}`);
  const link = dialled.value;
  resources.defer(() => {
    link.close();
    return link.closed;
  });
  return link.services;
}

async function dialTcp(port: number): Promise<ByteChannel> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => {}); // Its reader throws too.
  return {
    incoming: chunksOf(socket),
    write: (bytes) => writeTo(socket, bytes),
    end: async () => {
      socket.end();
    },
    destroy: () => {
      socket.destroy();
    },
  };
}
