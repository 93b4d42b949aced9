/**
 * The gateway workers of this server: threads that listen on one address, each with a gateway of its
 * own. They share their limits and what they learn of providers in memory, write their records over
 * connections of their own, and ask this thread for everything else that needs the database.
 *
 * A worker that dies is replaced after a pause; what it held is given back, and its open records are
 * ended, before its place is taken again. The others go on.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { ControlPlane } from "@atelier/control-plane/start";
import type { GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import { giveBackOf } from "@atelier/gateway/gateway-memory";
import type { Gateway } from "@atelier/gateway/start";
import type { CollectedMetrics } from "@atelier/host/metrics";
import type { Address } from "@atelier/host/option";
import { StartError } from "@atelier/host/start-error";
import { Worker } from "node:worker_threads";
import type { PlainConnection } from "./plain-connection.ts";
import { toPlainSnapshot } from "./provider-messages.ts";
import { RecordReceiver } from "./recorder-messages.ts";
import { ThreadChannel } from "./thread-channel.ts";
import type { AsksOfMain, AsksOfWorker, WorkerStart } from "./worker-protocol.ts";

const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 5_000;
/** A worker that lived for longer did not die of its start. */
const LIVED_MS = 30_000;
/** A worker that is too busy to answer: what it said last counts. */
const COLLECT_MS_MAX = 1_000;
/** An administrator's answer does not wait for a stuck worker. */
const SNAPSHOT_MS_MAX = 500;
/** After its requests had their time: its records and its end. */
const END_MS_MAX = 4_000;

export type GatewayWorkersDeps = {
  readonly controlPlane: Pick<ControlPlane, "providers" | "principals" | "recorder" | "recording">;
  /** The gateway of this thread: it gives slots of keys, and checks keys. */
  readonly gateway: Pick<Gateway, "newMember">;
  /** To the other servers. Null: they are told nothing. */
  readonly peers: Pick<GatewayPeers, "tell"> | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** How many threads listen. */
  readonly count: number;
  readonly start: Omit<WorkerStart, "membership" | "providers" | "isConnected" | "recording"> & {
    readonly memory: WorkerStart["membership"]["memory"];
    /** For workers that record by themselves. */
    readonly connection: PlainConnection;
    readonly peersName: string;
  };
  /** What runs in each thread: another in tests. */
  readonly entry?: URL;
};

type Live = {
  readonly thread: Worker;
  readonly channel: ThreadChannel<AsksOfMain, AsksOfWorker>;
  readonly listening: Promise<Address>;
  readonly ended: Promise<void>;
};

const ENTRY = new URL("./worker-thread.ts", import.meta.url);

export class GatewayWorkers {
  readonly #deps: GatewayWorkersDeps;
  readonly #live = new Map<number, Live>();
  readonly #collected = new Map<number, CollectedMetrics>();
  /** What dead workers had counted. */
  readonly #retired: CollectedMetrics[] = [];
  readonly #stop = new AbortController();
  readonly #resources = new DisposableStack();
  #address: Address;

  private constructor(deps: GatewayWorkersDeps) {
    this.#deps = deps;
    this.#address = deps.start.address;
  }

  /** Resolves once all of them listen. */
  static async start(deps: GatewayWorkersDeps): Promise<GatewayWorkers> {
    const workers = new GatewayWorkers(deps);
    await workers.#startAll();
    return workers;
  }

  get address(): Address {
    return this.#address;
  }

  /** How many threads there are at the moment. */
  get running(): number {
    return this.#live.size;
  }

  async collect(): Promise<readonly CollectedMetrics[]> {
    const asked = [...this.#live].map(async ([member, { channel }]) => {
      const metrics = await this.#inTime(channel.ask("collect", null), COLLECT_MS_MAX);
      if (metrics !== null && this.#live.has(member)) this.#collected.set(member, metrics);
    });
    await Promise.all(asked);
    return [...this.#retired, ...this.#collected.values()];
  }

  /** Lets requests under way finish, ends the workers, and says how many connections were cut. */
  async drain(timeoutMs: number): Promise<{ readonly cut: number }> {
    this.#stop.abort(new Error("the server stops"));
    this.#resources.dispose();
    const drained = [...this.#live.values()].map(async ({ thread, channel, ended }) => {
      const told = await this.#inTime(channel.ask("drain", null), timeoutMs + END_MS_MAX);
      await thread.terminate();
      await ended;
      return told?.cut ?? 0;
    });
    const cuts = await Promise.all(drained);
    return { cut: cuts.reduce((sum, each) => sum + each, 0) };
  }

  async #startAll(): Promise<void> {
    const { count, controlPlane } = this.#deps;
    const first = this.#spawn(1);
    try {
      // Where the port is for the host to choose, the first one finds it out.
      this.#address = await first.listening;
      const others = Array.from({ length: count - 1 }, (_, i) => this.#spawn(i + 2));
      await Promise.all(others.map(({ listening }) => listening));
    } catch (error) {
      await this.drain(0);
      throw new StartError(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
    for (const [member, live] of this.#live) this.#keep(member, live);
    this.#resources.use(
      controlPlane.providers.follow(async (snapshot) => {
        const plain = toPlainSnapshot(snapshot);
        const taken = [...this.#live.values()].map(({ channel }) =>
          this.#inTime(channel.ask("providers", plain), SNAPSHOT_MS_MAX),
        );
        await Promise.all(taken);
      }),
    );
    this.#resources.use(
      controlPlane.principals.follow({
        message: (payload) => this.#tellNews({ kind: "message", payload }),
        resync: () => this.#tellNews({ kind: "resync" }),
        lost: () => this.#tellNews({ kind: "lost" }),
      }),
    );
    // Between their start and now, a change may have gone by.
    const { providers, principals } = controlPlane;
    const plain = toPlainSnapshot(providers.current());
    await Promise.all(
      [...this.#live.values()].map(({ channel }) => channel.ask("providers", plain)),
    );
    this.#tellNews({ kind: principals.isConnected ? "resync" : "lost" });
  }

  #tellNews(news: AsksOfMain["news"]["ask"]): void {
    // A worker that is gone knows nothing that could be wrong.
    for (const { channel } of this.#live.values()) channel.ask("news", news).catch(() => {});
  }

  #spawn(member: number): Live {
    const { controlPlane, gateway, clock, log, start, entry = ENTRY } = this.#deps;
    const { memory, connection, peersName, ...rest } = start;
    const { providers, principals, recorder, recording } = controlPlane;
    const openRecords = recording?.newMemory() ?? null;
    const workerData: WorkerStart = {
      ...rest,
      address: this.#address,
      membership: { memory, member },
      providers: toPlainSnapshot(providers.current()),
      isConnected: principals.isConnected,
      recording:
        recording === null || openRecords === null
          ? null
          : {
              replicaId: recording.replicaId,
              logRecords: recording.logRecords,
              connection,
              peersName,
              openRecords,
            },
    };
    const thread = new Worker(entry, { workerData, stdin: false });
    const desk = gateway.newMember();
    const receiver = new RecordReceiver(recorder, clock);
    const { promise: listening, resolve, reject } = Promise.withResolvers<Address>();
    listening.catch(() => {}); // Whoever starts it looks at it; a later one ends in the log.
    const channel = new ThreadChannel<AsksOfMain, AsksOfWorker>(thread, {
      ...answersOf(this.#deps, desk),
      listening: (address) => {
        resolve(address);
        return null;
      },
      record: (batch) => receiver.take(batch),
    });
    thread.on("error", (error) => {
      if (!this.#stop.signal.aborted) log.error({ error, worker: member }, "gateway worker failed");
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    // Not events.once: a thread that ends by an error ends, too.
    const { promise: exited, resolve: exit } = Promise.withResolvers<void>();
    thread.on("exit", () => exit());
    const ended = exited.then(() => {
      reject(new Error("the gateway worker ended"));
      channel.close("the gateway worker is gone");
      this.#live.delete(member);
      giveBackOf({ memory, member }, clock);
      desk[Symbol.dispose]();
      receiver.workerIsGone();
      if (openRecords !== null) this.#endLeft(openRecords);
      this.#retire(member);
    });
    const live = { thread, channel, listening, ended };
    this.#live.set(member, live);
    return live;
  }

  /** Replaces it whenever it has died. */
  #keep(member: number, first: Live): void {
    const { clock, log } = this.#deps;
    const { signal } = this.#stop;
    const keep = async (): Promise<void> => {
      let live = first;
      let pauseMs = RESTART_MS_MIN;
      for (;;) {
        const beganMs = clock.monotonicMs();
        await live.ended;
        if (signal.aborted) return;
        if (clock.monotonicMs() - beganMs > LIVED_MS) pauseMs = RESTART_MS_MIN;
        log.warn({ worker: member, restartsInMs: pauseMs }, "gateway worker ended");
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, RESTART_MS_MAX);
        live = this.#spawn(member);
      }
    };
    keep().catch((error: unknown) => {
      if (!signal.aborted) log.error({ error, worker: member }, "keeping a gateway worker failed");
    });
  }

  #endLeft(openRecords: SharedArrayBuffer): void {
    const { controlPlane, log } = this.#deps;
    const { signal } = this.#stop;
    controlPlane.recording?.endLeft(openRecords, signal).catch((error: unknown) => {
      // What is still open then is ended once this server is gone.
      if (!signal.aborted) log.error({ error }, "ending the records of a gateway worker failed");
    });
  }

  /** Gauges die with their worker; what it counted was counted. */
  #retire(member: number): void {
    const last = this.#collected.get(member);
    this.#collected.delete(member);
    if (last === undefined) return;
    this.#retired.push(last.filter(({ type }) => String(type) !== "gauge"));
  }

  /** Null: not in time, or not at all. */
  async #inTime<Told>(told: Promise<Told>, msMax: number): Promise<Told | null> {
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(msMax, timer.signal).then(
      () => null,
      () => null,
    );
    const first = await Promise.race([told.catch(() => null), late]);
    timer.abort(new Error("told"));
    return first;
  }
}

/** What any worker may ask, with a desk of its own. */
function answersOf(
  { controlPlane: { principals }, peers }: GatewayWorkersDeps,
  desk: ReturnType<Gateway["newMember"]>,
) {
  return {
    load: ({ by, value }: AsksOfWorker["load"]["ask"]) =>
      by === "token" ? principals.load(value) : principals.loadOfKey(value),
    used: (uses: AsksOfWorker["used"]["ask"]) => {
      principals.note(uses);
      return null;
    },
    claimSlot: (ask: AsksOfWorker["claimSlot"]["ask"]) => desk.claim(ask),
    leaveSlot: (id: number) => {
      desk.leave(id);
      return null;
    },
    keyRefused: (refused: AsksOfWorker["keyRefused"]["ask"]) => {
      desk.keyRefused(refused);
      return null;
    },
    tellPeers: (news: AsksOfWorker["tellPeers"]["ask"]) => {
      peers?.tell(news);
      return null;
    },
  };
}
