/**
 * Two servers over one Postgres that drive chats, each with a wire of its own to the database, and a
 * machine whose agent reaches one of them. Everything can be struck, and comes back.
 */
import {
  callApi,
  startRealServer,
  type ApiAnswer,
  type RealServer,
} from "@atelier/testkit/real-server";
import type { TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setUpChats } from "../journeys/chat-world.ts";
import { attachMachine, type Attached } from "../journeys/workspace-world.ts";
import { startKillsModel, type KillsModel } from "./chat-kills-model.ts";
import { FaultyWire } from "./faulty-wire.ts";

export const CHAT_STRIKES = [
  "server killed",
  "server stopped",
  "agent killed",
  "database cut",
  "server paused",
] as const;
export type ChatStrike = (typeof CHAT_STRIKES)[number];

const ENCRYPTION_KEY = Buffer.alloc(32, 9).toString("base64");
/** A paused server has lost its lease, of 9 s, and another has the chat. */
const PAUSE_MS = 12_000;
const CALL_MS_MAX = 5_000;
const CALL_AGAIN_MS = 100;
const CALLS_MS_MAX = 90_000;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

type Side = {
  readonly wire: FaultyWire;
  /** Ids that its server has taken chats with, or kept them: its runners are among them. */
  readonly ids: Set<string>;
  server: RealServer;
};

export class ChatKillsWorld {
  readonly database: TestDatabase;
  readonly machine: Attached;
  readonly model: KillsModel;
  readonly workspaceId: string;
  readonly token: string;
  readonly #sides: readonly Side[];
  readonly #agentWire: FaultyWire;
  readonly #background = new Set<Promise<void>>();
  readonly #busy = new Set<Side>();
  #isAgentDying = false;
  #isOver = false;

  private constructor(
    database: TestDatabase,
    parts: {
      readonly sides: readonly Side[];
      readonly machine: Attached;
      readonly agentWire: FaultyWire;
      readonly model: KillsModel;
      readonly workspaceId: string;
    },
  ) {
    this.database = database;
    this.#sides = parts.sides;
    this.machine = parts.machine;
    this.#agentWire = parts.agentWire;
    this.model = parts.model;
    this.workspaceId = parts.workspaceId;
    this.token = parts.machine.person.session;
  }

  static async start(
    database: TestDatabase,
    resources: AsyncDisposableStack,
  ): Promise<ChatKillsWorld> {
    const { host, port } = database.connection;
    const sides: Side[] = [];
    const model = resources.use(await startKillsModel());
    const socket = `${host}/.s.PGSQL.${port}`;
    // Servers end before their wires do, so that they can say what they have.
    const stopServers = async (): Promise<void> => {
      for (const { server } of sides) await server[Symbol.asyncDispose]();
    };
    for (let i = 0; i < 2; i += 1) {
      const ids = new Set<string>();
      const wire = resources.use(
        await FaultyWire.start(socket, (sent) => {
          const text = sent.toString("latin1");
          if (!text.includes("insert into chat_heartbeats")) return;
          for (const [id] of text.matchAll(UUID)) ids.add(id);
        }),
      );
      sides.push({ wire, ids, server: await startServer(database, wire, 0) });
    }
    resources.defer(stopServers);
    const [one, two] = sides as [Side, Side];
    const agentWire = resources.use(await FaultyWire.start(one.server.port));
    const machine = resources.use(await attachMachine({ ...one.server, url: agentWire.url }));
    writeFileSync(join(machine.home, "edited"), "END\n");
    writeFileSync(join(machine.home, "count"), "");
    await machine.until(two.server, "connected");
    await setUpChats(one.server, { token: machine.person.session, model: model.model });
    const found = await two.server.api("GET", "/api/v2/users/me/workspace/dev", {
      token: machine.person.session,
    });
    const workspaceId = found.body.id as string;
    const world = new ChatKillsWorld(database, { sides, machine, agentWire, model, workspaceId });
    resources.defer(() => world.#end());
    return world;
  }

  /** Base URLs of the servers. One that is struck does not answer, for a while. */
  get urls(): readonly string[] {
    return this.#sides.map(({ server }) => server.url);
  }

  /** Asks one server, then the other, until one answers. */
  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const untilMs = performance.now() + CALLS_MS_MAX;
    for (let turn = 0; ; turn += 1) {
      const url = this.urls[turn % 2] ?? "";
      const options = { token: this.token, ...(body === undefined ? {} : { body }) };
      const answer = await Promise.race([
        callApi(url, method, path, options).catch(() => null),
        sleep(CALL_MS_MAX, null, { ref: false }),
      ]);
      // 409: an earlier attempt of the same call had come through, or the chat is not there yet.
      if (answer !== null && answer.status < 500) return answer;
      assert.ok(performance.now() < untilMs, `${method} ${path}: no server answered`);
      await sleep(CALL_AGAIN_MS);
    }
  }

  /** Does it now, to whoever drives the chat. What was struck comes back by itself. */
  async strike(kind: ChatStrike, chatId: string, draw: (limit: number) => number): Promise<void> {
    if (kind === "agent killed") return this.#killAgent();
    const { rows } = await this.#runner(chatId);
    const driver = this.#sides.find(({ ids }) => ids.has(rows[0]?.runner_id ?? ""));
    const side = driver ?? this.#sides[draw(2)];
    if (side === undefined || this.#busy.has(side)) return;
    const turned = this.#sides.find((each) => each !== side);
    const isTurned = draw(2) === 0 && turned !== undefined;
    const durationMs = draw(3) * 1_000;
    switch (kind) {
      case "server killed":
      case "server stopped":
        side.server.child.kill(kind === "server killed" ? "SIGKILL" : "SIGTERM");
        if (isTurned) this.#agentWire.targetPort = turned.server.port;
        this.#inBackground(side, async () => {
          const { port } = side.server;
          await side.server[Symbol.asyncDispose]();
          if (!this.#isOver) side.server = await startServer(this.database, side.wire, port);
        });
        break;
      case "database cut":
        side.wire.isDown = true;
        side.wire.cut();
        this.#inBackground(side, async () => {
          await sleep(durationMs);
          side.wire.isDown = false;
        });
        break;
      case "server paused":
        side.server.child.kill("SIGSTOP");
        this.#inBackground(side, async () => {
          await sleep(PAUSE_MS);
          side.server.child.kill("SIGCONT");
        });
        break;
    }
  }

  /** Resolves when all that was struck is back. */
  async recovered(): Promise<void> {
    await Promise.all(this.#background);
  }

  async #runner(chatId: string) {
    return this.database.pool.query<{ runner_id: string | null }>(
      "select runner_id from chats where id = $1",
      [chatId],
    );
  }

  #killAgent(): void {
    if (this.#isAgentDying) return;
    this.#isAgentDying = true;
    const child = this.machine.agent();
    this.#inBackground(null, async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      if (!this.#isOver) this.machine.startAgent(this.#agentWire.url);
      this.#isAgentDying = false;
    });
  }

  #inBackground(side: Side | null, work: () => Promise<void>): void {
    if (side !== null) this.#busy.add(side);
    const tracked = work().then(() => {
      this.#background.delete(tracked);
      if (side !== null) this.#busy.delete(side);
    });
    this.#background.add(tracked);
    tracked.catch(() => {}); // It is thrown where it is awaited.
  }

  async #end(): Promise<void> {
    await this.recovered();
    this.#isOver = true;
  }
}

function startServer(
  { connection }: TestDatabase,
  wire: FaultyWire,
  port: number,
): Promise<RealServer> {
  const { user, database } = connection;
  return startRealServer({
    postgresUrl: `postgres://${user}@127.0.0.1:${wire.port}/${database}?sslmode=disable`,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    args: ["--log-level", "error", "--http-address", `127.0.0.1:${port}`],
  });
}
