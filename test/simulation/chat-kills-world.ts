/**
 * Two servers over one Postgres that drive chats, each with a wire of its own to the database, and a
 * machine whose agent reaches one of them. Everything can be struck, and comes back.
 */
import { isDatabaseUnavailable } from "@atelier/database/database";
import { callApi, type ApiAnswer } from "@atelier/testkit/real-server";
import type { TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setUpChats } from "../journeys/chat-world.ts";
import { attachMachine, type Attached } from "../journeys/workspace-world.ts";
import { agentTap, type Aim } from "./chat-kills-aim.ts";
import { startKillsModel, type KillsModel } from "./chat-kills-model.ts";
import {
  addSmallModel,
  addToolServer,
  startServer,
  startSide,
  type Aimed,
  type Listener,
  type Side,
} from "./chat-kills-side.ts";
import { startTally, type Tally } from "./chat-kills-tally.ts";
import { FaultyWire, type HeldFate } from "./faulty-wire.ts";

/** `driver`: the server whose worker has the chat. */
export const CHAT_STRIKES = [
  "driver killed",
  "driver stopped",
  "other server killed",
  "agent killed",
  "database cut",
  "driver paused",
  "servers parted",
] as const;
export type ChatStrike = (typeof CHAT_STRIKES)[number];

/** What a strike does to bytes that are held up, and when. */
export type Struck = { readonly fate: HeldFate; readonly releasedAt: Promise<void> };

/** A paused server has lost its lease, of 9 s, and another has the chat. */
const PAUSE_MS = 30_000;
/** A busy machine starts programs slowly. */
const CONNECTED_MS_MAX = 120_000;
const CALL_MS_MAX = 20_000;
const CALL_AGAIN_MS = 100;
const READ_ATTEMPTS = 5;
/** Since all was back that was struck. */
const CALLS_MS_MAX = 300_000;
const LOG_CHARS_TOLD = 4_000;

type Parts = {
  readonly sides: readonly Side[];
  readonly machine: Attached;
  readonly agentWire: FaultyWire;
  readonly model: KillsModel;
  readonly tally: Tally;
  readonly workspaceId: string;
  readonly toolServerId: string;
  readonly smallModelId: string;
  readonly aimed: Aimed;
};
type NamedQuery = { readonly name: string; readonly text: string; readonly values: unknown[] };

export class ChatKillsWorld {
  readonly database: TestDatabase;
  readonly machine: Attached;
  readonly model: KillsModel;
  readonly tally: Tally;
  readonly workspaceId: string;
  readonly toolServerId: string;
  /** Its context is full with what chats are told to fill it with. */
  readonly smallModelId: string;
  readonly token: string;
  readonly #sides: readonly Side[];
  readonly #agentWire: FaultyWire;
  readonly #aimed: Aimed;
  readonly #background = new Set<Promise<void>>();
  readonly #busy = new Set<Side>();
  readonly #strikes: string[] = [];
  #wholeSinceMs = performance.now();
  #isAgentDying = false;
  #isOver = false;

  private constructor(database: TestDatabase, parts: Parts) {
    this.database = database;
    this.#sides = parts.sides;
    this.machine = parts.machine;
    this.#agentWire = parts.agentWire;
    this.#aimed = parts.aimed;
    this.model = parts.model;
    this.tally = parts.tally;
    this.workspaceId = parts.workspaceId;
    this.toolServerId = parts.toolServerId;
    this.smallModelId = parts.smallModelId;
    this.token = parts.machine.person.session;
  }

  static async start(
    database: TestDatabase,
    resources: AsyncDisposableStack,
  ): Promise<ChatKillsWorld> {
    const aimed: Aimed = { aims: [], late: null, listener: null };
    const model = resources.use(
      await startKillsModel(
        (call) => {
          const aim = aimed.aims.find((each) => each.isOfModel(call));
          if (aim?.moment.kind !== "model") return null;
          return { afterBytes: aim.moment.afterBytes, until: aim.hold(null) };
        },
        (key) => isMessageStored(database, `#${key} `),
      ),
    );
    const tally = resources.use(
      await startTally((call) => {
        aimed.listener?.tally(call);
        return aimed.aims.find((each) => each.isOfTally(call))?.hold(null) ?? null;
      }),
    );
    const sides: Side[] = [];
    // Servers end before their wires do, so that they can say what they have.
    const stopServers = async (): Promise<void> => {
      for (const { server } of sides) await server[Symbol.asyncDispose]();
    };
    for (let i = 0; i < 2; i += 1) sides.push(await startSide(database, resources, aimed));
    resources.defer(stopServers);
    const [one, two] = sides as [Side, Side];
    const agentWire = resources.use(
      await FaultyWire.start(one.server.port, () =>
        agentTap(
          () => aimed.aims,
          (text) => aimed.listener?.agent(text),
        ),
      ),
    );
    const machine = resources.use(await attachMachine({ ...one.server, url: agentWire.url }));
    writeFileSync(join(machine.home, "edited"), "END\n");
    writeFileSync(join(machine.home, "count"), "");
    await machine.until(two.server, "connected", CONNECTED_MS_MAX);
    const token = machine.person.session;
    const { providerId } = await setUpChats(one.server, { token, model: model.model });
    const smallModelId = await addSmallModel(one.server, providerId, token);
    const found = await two.server.api("GET", "/api/v2/users/me/workspace/dev", { token });
    const workspaceId = found.body.id as string;
    const toolServerId = await addToolServer(one.server, tally.url, token);
    const world = new ChatKillsWorld(database, {
      ...{ sides, machine, agentWire, model, tally, workspaceId, toolServerId, aimed },
      smallModelId,
    });
    resources.defer(() => world.#end());
    return world;
  }

  /** Base URLs of the servers. One that is struck does not answer, for a while. */
  get urls(): readonly string[] {
    return this.#sides.map(({ server }) => server.url);
  }

  /** Since when nothing is away that was struck; the present while something is. */
  get wholeSinceMs(): number {
    return this.#background.size > 0 ? performance.now() : this.#wholeSinceMs;
  }

  get aims(): readonly Aim<Side>[] {
    return this.#aimed.aims;
  }

  /** At these, and at no others any more. */
  aimAt(aims: readonly Aim<Side>[]): void {
    for (const aim of this.aims) if (!aims.includes(aim)) aim.release("pass");
    this.#aimed.aims = aims;
  }

  listen(listener: Listener): void {
    this.#aimed.listener = listener;
  }

  /** Until it is called with null. */
  comesLate(side: Side | null): void {
    this.#aimed.late = side;
  }

  /** Servers ask for its tools anew, which they remember until it changes. */
  async changeToolServer(description: string): Promise<void> {
    const path = `/api/v2/mcp-servers/${this.toolServerId}`;
    const { status, body } = await this.call("PATCH", path, { description });
    assert.equal(status, 200, JSON.stringify(body));
  }

  /** Which the workspace's agent has dialled. Undefined: none that is known, at the moment. */
  async sideOfAgent(): Promise<Side | undefined> {
    const { rows } = await this.database.pool.query<{ readonly relay_url: string | null }>(
      "select relay_url from workspace_links join replicas on replicas.id = replica_id where agent_id = $1",
      [this.machine.agentId],
    );
    return this.#sides.find(({ relay }) => relay.url === rows[0]?.relay_url);
  }

  /** Servers find and dial each other anew. */
  cutRelays(): void {
    for (const { relay } of this.#sides) relay.cut();
  }

  anySide(index: number): Side {
    const side = this.#sides[index];
    assert(side !== undefined);
    return side;
  }

  /** Straight from the database, which can be long in answering where a machine is busy. */
  async read<Row extends object>(query: NamedQuery): Promise<readonly Row[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.database.pool.query<Row>(query)).rows;
      } catch (error) {
        if (!isDatabaseUnavailable(error) || attempt === READ_ATTEMPTS) throw error;
      }
    }
  }

  /** Asks one server, then the other, until one answers. */
  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const startedMs = performance.now();
    for (let turn = 0; ; turn += 1) {
      const url = this.urls[turn % 2] ?? "";
      const options = { token: this.token, ...(body === undefined ? {} : { body }) };
      const answer = await Promise.race([
        callApi(url, method, path, options).catch(() => null),
        sleep(CALL_MS_MAX, null, { ref: false }),
      ]);
      // 409: an earlier attempt of the same call had come through, or the chat is not there yet.
      if (answer !== null && answer.status < 500) return answer;
      const told = JSON.stringify(answer);
      const waitedMs = performance.now() - Math.max(startedMs, this.wholeSinceMs);
      assert.ok(waitedMs < CALLS_MS_MAX, `${method} ${path}: no server answered; ${told}`);
      await sleep(CALL_AGAIN_MS);
    }
  }

  /** Does it now. What was struck comes back by itself. Null: it was struck already, and is not back. */
  strike(kind: ChatStrike, driver: Side, draw: (limit: number) => number): Struck | null {
    this.#strikes.push(`${new Date().toISOString()} ${kind} at ${driver.server.url}`);
    if (kind === "agent killed") return this.#killAgent();
    if (kind === "servers parted") return this.#part(draw(3) * 1_000);
    const other = this.#sides.find((each) => each !== driver);
    const side = kind === "other server killed" ? other : driver;
    if (side === undefined || this.#busy.has(side)) return null;
    const isTurned = draw(2) === 0;
    switch (kind) {
      case "driver killed":
      case "other server killed":
        return this.#endServer(side, "SIGKILL", { isTurned, isDriver: side === driver });
      case "driver stopped":
        return this.#endServer(side, "SIGTERM", { isTurned, isDriver: true });
      case "database cut":
        return this.#cutDatabase(side, draw(3) * 1_000);
      case "driver paused":
        return this.#pause(side);
    }
  }

  /** Resolves when all that was struck is back. */
  async recovered(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** What can be known of a chat that does not get on. */
  async postMortem(chatId: string): Promise<string> {
    const { pool } = this.database;
    const about = await pool.query(POST_MORTEM, [chatId]);
    const sessions = await pool.query(SESSIONS);
    const logs = this.#sides.map(
      ({ server, ids }) =>
        `${server.url}, exit ${server.child.exitCode}, ids ${ids.size}: ${server.log().slice(-LOG_CHARS_TOLD)}`,
    );
    return [
      ...this.#strikes.slice(-6),
      ...[...about.rows, ...sessions.rows].map((row) => JSON.stringify(row)),
      ...logs,
      this.machine.agentLog().slice(-LOG_CHARS_TOLD),
    ].join("\n");
  }

  /** Undefined: nobody has it. */
  async driverOf(chatId: string): Promise<Side | undefined> {
    const { rows } = await this.database.pool.query<{ runner_id: string | null }>(
      "select runner_id from chats where id = $1",
      [chatId],
    );
    return this.#sides.find(({ ids }) => ids.has(rows[0]?.runner_id ?? ""));
  }

  #endServer(
    side: Side,
    signal: "SIGKILL" | "SIGTERM",
    { isTurned, isDriver }: { readonly isTurned: boolean; readonly isDriver: boolean },
  ): Struck {
    const { child, port } = side.server;
    const exited = once(child, "exit");
    child.kill(signal);
    const turned = this.#sides.find((each) => each !== side);
    if (isTurned && turned !== undefined) this.#agentWire.targetPort = turned.server.port;
    this.#inBackground(side, async () => {
      await side.server[Symbol.asyncDispose]();
      if (!this.#isOver) side.server = await startServer(this.database, side, port);
    });
    if (signal === "SIGTERM" || !isDriver) return { fate: "pass", releasedAt: Promise.resolve() };
    return { fate: "drop", releasedAt: exited.then(() => {}) };
  }

  #cutDatabase(side: Side, durationMs: number): Struck {
    const { wire } = side;
    wire.isDown = true;
    wire.cut();
    this.#inBackground(side, async () => {
      await sleep(durationMs);
      wire.isDown = false;
    });
    return { fate: "drop", releasedAt: Promise.resolve() };
  }

  /** They do not reach each other for a while. */
  #part(durationMs: number): Struck {
    for (const { relay } of this.#sides) relay.isDown = true;
    this.cutRelays();
    this.#inBackground(null, async () => {
      await sleep(durationMs);
      for (const { relay } of this.#sides) relay.isDown = false;
    });
    return { fate: "drop", releasedAt: Promise.resolve() };
  }

  #pause(side: Side): Struck {
    side.server.child.kill("SIGSTOP");
    const paused = sleep(PAUSE_MS).then(() => {
      side.server.child.kill("SIGCONT");
    });
    this.#inBackground(side, () => paused);
    // What it was about to send comes when it goes on.
    return { fate: "pass", releasedAt: paused };
  }

  #killAgent(): Struck | null {
    if (this.#isAgentDying) return null;
    this.#isAgentDying = true;
    const child = this.machine.agent();
    const exited = once(child, "exit").then(() => {});
    child.kill("SIGKILL");
    this.#inBackground(null, async () => {
      await exited;
      if (!this.#isOver) this.machine.startAgent(this.#agentWire.url);
      this.#isAgentDying = false;
    });
    return { fate: "drop", releasedAt: exited };
  }

  #inBackground(side: Side | null, work: () => Promise<void>): void {
    if (side !== null) this.#busy.add(side);
    const tracked = work().then(() => {
      this.#background.delete(tracked);
      if (side !== null) this.#busy.delete(side);
      this.#wholeSinceMs = performance.now();
    });
    this.#background.add(tracked);
    tracked.catch(() => {}); // It is thrown where it is awaited.
  }

  async #end(): Promise<void> {
    this.aimAt([]);
    await this.recovered();
    this.#isOver = true;
  }
}

async function isMessageStored({ pool }: TestDatabase, words: string): Promise<boolean> {
  const { rows } = await pool.query(
    "select from chat_messages where role = 'user' and strpos(content::text, $1) > 0 limit 1",
    [words],
  );
  return rows.length > 0;
}

const POST_MORTEM = `
  select chats.*, (select json_agg(beats) from chat_heartbeats as beats
    where beats.chat_id = chats.id) as beats, clock_timestamp() as now
  from chats where id = $1`;
const SESSIONS = `
  select pid, state, wait_event_type, wait_event, pg_blocking_pids(pid) as blocked_by,
    clock_timestamp() - xact_start as since, left(query, 200) as query
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()
    and (state <> 'idle' or wait_event_type = 'Lock')`;
