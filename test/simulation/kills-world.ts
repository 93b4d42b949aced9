/**
 * Two servers over one Postgres, a machine whose agent reaches one of them, and a person who reaches the
 * other, each over a wire that can be cut. Everything in it can be killed, and is started again.
 */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { freePort } from "@atelier/testkit/free-port";
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { dialServices } from "@atelier/tunnel/dial-services";
import type { Link } from "@atelier/tunnel/link";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { attachMachine, type Attached } from "../journeys/workspace-world.ts";
import { FaultyWire } from "./faulty-wire.ts";

/** How often each comes, in a hundred: servers are the dearest to start again. */
export const STRIKES = [
  { kind: "agent killed", weight: 33 },
  { kind: "agent's connection reset", weight: 22 },
  { kind: "person's connection reset", weight: 20 },
  { kind: "agent's connection half-open", weight: 5 },
  { kind: "person's connection half-open", weight: 5 },
  { kind: "agent's server killed", weight: 8 },
  { kind: "person's server killed", weight: 7 },
] as const;
export type StrikeKind = (typeof STRIKES)[number]["kind"];

/** Both servers must be able to open what either has sealed. */
const ENCRYPTION_KEY = Buffer.alloc(32, 9).toString("base64");
const REDIAL_MS = 50;
/** A busy machine starts programs slowly. */
const CONNECTED_MS_MAX = 120_000;
const STRIKES_TOLD = 8;
const LOG_CHARS_TOLD = 3_000;
const DIAL_MS_MAX = 5_000;

export class KillsWorld {
  readonly machine: Attached;
  /** How many agents there have been. */
  agents = 1;
  readonly #postgresUrl: string;
  readonly #servers: RealServer[];
  readonly #agentWire: FaultyWire;
  readonly #personWire: FaultyWire;
  readonly #agentId: string;
  readonly #stop = new AbortController();
  readonly #restarting = new Set<number>();
  readonly #strikes: string[] = [];
  readonly #background = new Set<Promise<void>>();
  #link: Link | null = null;
  /** Killed, and not yet gone. */
  #dying: ChildProcess | null = null;

  private constructor(
    postgresUrl: string,
    parts: {
      readonly servers: RealServer[];
      readonly machine: Attached;
      readonly wires: readonly [FaultyWire, FaultyWire];
      readonly agentId: string;
    },
  ) {
    this.#postgresUrl = postgresUrl;
    this.#servers = parts.servers;
    this.machine = parts.machine;
    [this.#agentWire, this.#personWire] = parts.wires;
    this.#agentId = parts.agentId;
    this.#inBackground(this.#keepLink());
  }

  static async start(postgresUrl: string, resources: AsyncDisposableStack): Promise<KillsWorld> {
    const servers: RealServer[] = [];
    resources.defer(async () => {
      for (const each of servers) await each[Symbol.asyncDispose]();
    });
    for (let i = 0; i < 2; i += 1) {
      servers.push(await startServer(postgresUrl, await freePort()));
    }
    const [one, two] = servers as [RealServer, RealServer];
    const agentWire = resources.use(await FaultyWire.start(one.port));
    const personWire = resources.use(await FaultyWire.start(two.port));
    const machine = resources.use(await attachMachine({ ...one, url: agentWire.url }));
    await machine.until(two, "connected", CONNECTED_MS_MAX);
    const { token } = machine.person;
    const found = await two.api("GET", "/api/v2/users/me/workspace/dev", { token });
    const agentId: string = found.body.agents[0].id;
    const wires = [agentWire, personWire] as const;
    const world = new KillsWorld(postgresUrl, { servers, machine, wires, agentId });
    resources.defer(() => world.#end());
    return world;
  }

  /** Null: the person has no link now. */
  services(): WorkspaceServices | null {
    return this.#link?.services ?? null;
  }

  /** What was done to it last, and what its agents said, for whoever looks for a fault. */
  history(): string {
    const log = this.machine.agentLog().slice(-LOG_CHARS_TOLD);
    return `${this.#strikes.slice(-STRIKES_TOLD).join("\n")}\n${log}`;
  }

  /** Does it now; what was killed comes back by itself. `draw` decides what is left open. */
  strike(kind: StrikeKind, draw: (times: number) => boolean): void {
    const ports = `${this.#agentWire.targetPort} ${this.#personWire.targetPort}`;
    this.#strikes.push(`${new Date().toISOString()} ${kind}; they were at ${ports}`);
    switch (kind) {
      case "agent killed":
        return this.#killAgent();
      case "agent's connection reset":
        if (draw(3)) this.#turn(this.#agentWire);
        return this.#agentWire.cut();
      case "person's connection reset":
        if (draw(3)) this.#turn(this.#personWire);
        return this.#personWire.cut();
      case "agent's connection half-open":
        return this.#agentWire.deafen();
      case "person's connection half-open":
        return this.#personWire.deafen();
      case "agent's server killed":
        return this.#killServerOf(this.#agentWire, draw(2));
      case "person's server killed":
        return this.#killServerOf(this.#personWire, draw(2));
    }
  }

  /** Started again as a supervisor does it. */
  #killAgent(): void {
    const child = this.machine.agent();
    if (child === this.#dying) return;
    this.#dying = child;
    const startAgain = async (): Promise<void> => {
      if (child.exitCode !== null) throw new Error(`an agent ended by itself: ${this.history()}`);
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      if (this.#stop.signal.aborted) return;
      this.agents += 1;
      this.machine.startAgent(this.#agentWire.url);
    };
    this.#inBackground(startAgain());
  }

  /** It comes back on the same port; meanwhile, perhaps, its clients go to the other one. */
  #killServerOf(wire: FaultyWire, isTurned: boolean): void {
    const index = this.#servers.findIndex(({ port }) => port === wire.targetPort);
    const server = this.#servers[index];
    if (server === undefined || this.#restarting.has(index)) return wire.cut();
    this.#restarting.add(index);
    server.child.kill("SIGKILL");
    if (isTurned) this.#turn(wire);
    const startAgain = async (): Promise<void> => {
      await server[Symbol.asyncDispose]();
      this.#servers[index] = await startServer(this.#postgresUrl, server.port);
      this.#restarting.delete(index);
    };
    this.#inBackground(startAgain());
  }

  #turn(wire: FaultyWire): void {
    const other = this.#servers.find(({ port }) => port !== wire.targetPort);
    if (other !== undefined) wire.targetPort = other.port;
  }

  /** The person's program, which dials again whenever its link broke. */
  async #keepLink(): Promise<void> {
    const { signal } = this.#stop;
    const url = new URL(`/api/v2/workspaceagents/${this.#agentId}/link`, this.#personWire.url);
    url.protocol = "ws:";
    const token = new Secret(this.machine.person.token);
    while (!signal.aborted) {
      const options = { url, token, userAgent: "simulation", timeoutMs: DIAL_MS_MAX };
      const deps = { clock: systemClock, log: silentLogger };
      const dialled = await dialServices(options, deps, signal).catch(() => null);
      if (dialled === null) return; // It is over.
      if (dialled.ok) {
        this.#link = dialled.value;
        await dialled.value.closed;
        this.#link = null;
      }
      await sleep(REDIAL_MS);
    }
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
    // What fails here is thrown when the world ends.
    tracked.catch(() => this.#background.add(tracked));
  }

  async #end(): Promise<void> {
    this.#stop.abort(new Error("the world ends"));
    this.#link?.close();
    await Promise.all(this.#background);
  }
}

function startServer(postgresUrl: string, port: number): Promise<RealServer> {
  return startRealServer({
    postgresUrl,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    // What is killed all the time warns all the time.
    args: ["--log-level", "error", "--http-address", `127.0.0.1:${port}`],
  });
}
