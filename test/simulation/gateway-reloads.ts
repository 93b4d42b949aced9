/**
 * `npm run simulate -- gateway-reloads [--reloads N] [--seed N]`: an operator who changes providers all
 * the time, on servers that are in use all the time. Not one request may fail.
 *
 * A key is revoked at the provider as soon as that is fair: both servers have taken the new one over,
 * and the requests that were under way then have ended. So a server that went back to an old snapshot,
 * or that served one request from two, would be refused and seen.
 */
import { parseArgs } from "node:util";
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { figuresTable, type Figures } from "./reload-figures.ts";
import { ReloadLoad } from "./reload-load.ts";
import {
  baseUrlOf,
  lastReloadAtMs,
  startReloadWorld,
  type ProviderName,
  type ReloadWorld,
} from "./reload-world.ts";

export type ReloadSimulation = {
  readonly reloads: number;
  readonly seed: number;
  readonly workers: number;
  report(line: string): void;
};

/** How often each change is made, in a hundred. `weight` sums up to that. */
const CHANGES = [
  { name: "key replaced", weight: 50 },
  { name: "key added, old one removed", weight: 10 },
  { name: "moved to another address", weight: 10 },
  { name: "notified without a change", weight: 20 },
  { name: "listener killed, key replaced", weight: 6 },
  { name: "changed without a notification", weight: 4 },
] as const;
type ChangeName = (typeof CHANGES)[number]["name"];

/** A server that has not taken a change over by then never will. */
const TAKEN_OVER_MS_MAX = 15_000;
const RELOADS_DEFAULT = 1_000;
const WORKERS_DEFAULT = 8;
const REPORT_EVERY = 100;
const PROVIDERS_PATH = "/api/v2/ai/providers";
const CHANNEL = "ai_providers_changed";

/** Throws only when the simulation itself cannot go on. */
export async function simulateReloads(
  database: TestDatabase,
  options: ReloadSimulation,
): Promise<Figures> {
  await using world = await startReloadWorld(database);
  const operator = new Operator(world, options.seed);
  await operator.createProviders();
  const { load } = operator;
  const stop = new AbortController();
  const startedAtMs = performance.now();
  const using = load.run(options.workers, options.seed, stop.signal);
  let reportedAt = 0;
  try {
    while (load.reloads < options.reloads) {
      await operator.changeSomething();
      if (load.reloads - reportedAt >= REPORT_EVERY) {
        reportedAt = load.reloads;
        options.report(`${load.reloads} reloads, ${load.failures.length} failed requests`);
      }
    }
  } finally {
    stop.abort();
    await using;
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  return { ...(await operator.finish()), seconds, seed: options.seed };
}

class Operator {
  readonly load: ReloadLoad;
  readonly #world: ReloadWorld;
  readonly #draws: SeededDraws;
  readonly #keys = new Map<ProviderName, string>();
  readonly #doors = new Map<ProviderName, number>([
    ["openai", 0],
    ["anthropic", 0],
  ]);
  readonly #takenOverMs = new Map<ChangeName, number[]>();
  readonly #revocations: Promise<void>[] = [];
  readonly #oldKeyUsesMs: number[] = [];
  #keysMade = 0;

  constructor(world: ReloadWorld, seed: number) {
    this.#world = world;
    this.#draws = new SeededDraws(seed);
    this.load = new ReloadLoad(world);
  }

  async createProviders(): Promise<void> {
    for (const provider of ["openai", "anthropic"] as const) {
      const key = this.#makeKey(provider);
      const baseUrl = baseUrlOf(provider, this.#world.doors[0]!);
      const body = { type: provider, name: provider, base_url: baseUrl, api_keys: [key] };
      await this.#api({ method: "POST", path: PROVIDERS_PATH, body }, 201);
      this.#keys.set(provider, key);
      for (const server of this.#servers()) await this.#untilServed(server, provider, () => true);
    }
    // Until the second server had taken the providers over, it did not know them.
    this.load.failures.length = 0;
  }

  async changeSomething(): Promise<void> {
    const provider = this.#draws.pick<ProviderName>(["openai", "anthropic"]);
    const name = this.#drawChange();
    switch (name) {
      case "key replaced":
        return this.#replaceKey(name, provider);
      case "key added, old one removed":
        return this.#overlapKeys(name, provider);
      case "moved to another address":
        return this.#move(name, provider, (server, baseUrl) =>
          this.#patch(server, provider, { base_url: baseUrl }),
        );
      case "notified without a change":
        return this.#notify(name);
      case "listener killed, key replaced":
        return this.#replaceKeyUnheard(name, provider);
      case "changed without a notification":
        return this.#move(name, provider, (_, baseUrl) => this.#storeSilently(provider, baseUrl));
    }
  }

  async finish(): Promise<Omit<Figures, "seconds" | "seed">> {
    await Promise.all(this.#revocations);
    const { database, doors, refusedKeys } = this.#world;
    const leftDoors = doors.map((door, index) => ({ door, index }));
    const unused = leftDoors.filter(({ index }) => ![...this.#doors.values()].includes(index));
    for (const { door } of unused) await isSoon(async () => door.connections === 0);
    // Records are written soon after their request; the last ones may still be on their way.
    const { counts, failures } = this.load;
    const wanted = counts.blocking + counts.streams;
    await isSoon(async () => (await recorded(database)).ended >= wanted);
    const records = await recorded(database);
    return {
      reloads: this.load.reloads,
      takenOverMs: this.#takenOverMs,
      counts,
      failures: failures.map(({ request, what }) => `${JSON.stringify(request)} ${what}`),
      refusedKeys: refusedKeys.length,
      oldKeyUsesMs: this.#oldKeyUsesMs,
      recordedEnded: records.ended,
      recordedFailed: records.failed,
      connectionsLeft: unused.reduce((sum, { door }) => sum + door.connections, 0),
    };
  }

  #drawChange(): ChangeName {
    let drawn = this.#draws.below(100);
    for (const { name, weight } of CHANGES) {
      if (drawn < weight) return name;
      drawn -= weight;
    }
    throw new Error("the weights sum up to a hundred");
  }

  async #replaceKey(change: ChangeName, provider: ProviderName): Promise<void> {
    const key = this.#makeKey(provider);
    const server = this.#draws.below(this.#world.servers.length);
    await this.#patch(server, provider, { api_keys: [{ api_key: key }] });
    await this.#takenOver(change, provider, (sighting) => sighting.key === key);
    this.#retire(provider, key);
  }

  /** As a careful operator does it: both are there for a while, the new one first in line afterwards. */
  async #overlapKeys(change: ChangeName, provider: ProviderName): Promise<void> {
    const key = this.#makeKey(provider);
    const server = this.#draws.below(this.#world.servers.length);
    const path = `${PROVIDERS_PATH}/${provider}`;
    const before = await this.#api({ method: "GET", path }, 200);
    const old = before.api_keys.map(({ id }) => ({ id }));
    const both = await this.#patch(server, provider, { api_keys: [...old, { api_key: key }] });
    this.load.reloads += 1;
    const added = both.api_keys.slice(-1).map(({ id }) => ({ id }));
    await this.#patch(server, provider, { api_keys: added });
    await this.#takenOver(change, provider, (sighting) => sighting.key === key);
    this.#retire(provider, key);
  }

  async #move(
    change: ChangeName,
    provider: ProviderName,
    store: (server: number, baseUrl: string) => Promise<unknown>,
  ): Promise<void> {
    const door = 1 - (this.#doors.get(provider) ?? 0);
    this.#doors.set(provider, door);
    const baseUrl = baseUrlOf(provider, this.#world.doors[door]!);
    await store(this.#draws.below(this.#world.servers.length), baseUrl);
    await this.#takenOver(change, provider, (sighting) => sighting.door === door);
  }

  async #notify(change: ChangeName): Promise<void> {
    const wallMs = Date.now();
    const startedMs = performance.now();
    await this.#world.database.pool.query("select pg_notify($1, '')", [CHANNEL]);
    for (const server of this.#world.servers) {
      const isReloaded = await isSoon(async () => (await lastReloadAtMs(server)) >= wallMs);
      if (!isReloaded)
        throw new Error(`a server did not hear a notification${this.#failedSoFar()}`);
      this.#tookOver(change, performance.now() - startedMs);
    }
    this.load.reloads += 1;
  }

  /** The other server's connection dies again and again until it has taken the change over all the same. */
  async #replaceKeyUnheard(change: ChangeName, provider: ProviderName): Promise<void> {
    const stop = new AbortController();
    await this.#killListeners();
    const killing = this.#killUntil(stop.signal);
    try {
      await this.#replaceKey(change, provider);
    } finally {
      stop.abort();
      await killing;
    }
  }

  async #killUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#killListeners();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #killListeners(): Promise<void> {
    await this.#world.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'atelier events' and datname = current_database()`,
    );
  }

  /** As a lost message looks: stored and counted, and nobody is told. */
  async #storeSilently(provider: ProviderName, baseUrl: string): Promise<void> {
    await this.#world.database.pool.query(
      `with changed as (update ai_providers set base_url = $2 where name = $1)
       update ai_provider_changes set version = version + 1`,
      [provider, baseUrl],
    );
  }

  /** Waits until both servers serve what was changed, and notes how long that took from now on. */
  async #takenOver(
    change: ChangeName,
    provider: ProviderName,
    isNew: (sighting: { readonly key: string; readonly door: number }) => boolean,
  ): Promise<void> {
    const changedMs = performance.now();
    await Promise.all(
      this.#servers().map(async (server) => {
        const askedMs = await this.#untilServed(server, provider, isNew);
        this.#tookOver(change, askedMs - changedMs);
      }),
    );
    this.load.reloads += 1;
  }

  /** Asks one request after the other. Answers when the first one began that was served so. */
  async #untilServed(
    server: number,
    provider: ProviderName,
    isNew: (sighting: { readonly key: string; readonly door: number }) => boolean,
  ): Promise<number> {
    const deadlineMs = performance.now() + TAKEN_OVER_MS_MAX;
    for (;;) {
      const request = await this.load.ask({ server, provider, isStream: false, delayMs: 0 });
      const sighting = this.#world.sightings.get(request.number);
      if (sighting !== undefined && isNew(sighting)) return request.startedAtMs;
      if (performance.now() > deadlineMs) {
        const change = `server ${server} did not take a change of ${provider} over`;
        throw new Error(`${change}${this.#failedSoFar()}`);
      }
    }
  }

  #failedSoFar(): string {
    const { failures } = this.load;
    return `; ${failures.length} requests failed: ${failures[0]?.what ?? "none"}`;
  }

  #tookOver(change: ChangeName, afterMs: number): void {
    const all = this.#takenOverMs.get(change) ?? [];
    this.#takenOverMs.set(change, all);
    all.push(afterMs);
  }

  #makeKey(provider: ProviderName): string {
    this.#keysMade += 1;
    const key = `sk-${provider}-${String(this.#keysMade).padStart(8, "0")}`;
    this.#world.goodKeys.add(key);
    return key;
  }

  /** The key before is refused once the requests that may hold it have ended. */
  #retire(provider: ProviderName, key: string): void {
    const old = this.#keys.get(provider);
    this.#keys.set(provider, key);
    const takenOverMs = performance.now();
    const { goodKeys, sightings } = this.#world;
    const revoke = async (): Promise<void> => {
      await this.load.settled();
      if (old === undefined) return;
      goodKeys.delete(old);
      const uses = sightings.values().filter((each) => each.key === old && each.atMs > takenOverMs);
      this.#oldKeyUsesMs.push(...uses.map(({ atMs }) => atMs - takenOverMs));
    };
    this.#revocations.push(revoke());
  }

  #servers(): readonly number[] {
    return this.#world.servers.map((_, index) => index);
  }

  #patch(server: number, provider: ProviderName, body: object): Promise<Provider> {
    const path = `${PROVIDERS_PATH}/${provider}`;
    return this.#api({ method: "PATCH", path, body, server }, 200);
  }

  async #api(
    call: {
      readonly method: string;
      readonly path: string;
      readonly body?: object;
      readonly server?: number;
    },
    status: number,
  ): Promise<Provider> {
    const { servers, person } = this.#world;
    const { method, path, server = 0, ...rest } = call;
    const answer = await servers[server]!.api(method, path, { token: person.session, ...rest });
    if (answer.status !== status) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }
}

/** What we read of the API's answer. */
type Provider = { readonly api_keys: readonly { readonly id: string }[] };

async function recorded({ pool }: ReloadWorld["database"]) {
  const { rows } = await pool.query<{ ended: number; failed: number }>(
    `select count(*) filter (where ended_at is not null)::int as ended,
       count(*) filter (where error_type is not null)::int as failed
     from ai_interceptions`,
  );
  return rows[0] ?? { ended: 0, failed: 0 };
}

/** Asks until it is so. False: it is not, after a long while. */
async function isSoon(holds: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + TAKEN_OVER_MS_MAX;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/** The command. Answers its exit code. */
export async function runGatewayReloads(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      reloads: { type: "string", default: String(RELOADS_DEFAULT) },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      workers: { type: "string", default: String(WORKERS_DEFAULT) },
    },
  });
  await using postgres = await startPostgresServer();
  const { host, port, user, database: template } = postgres;
  process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify({ host, port, user, database: template });
  await using database = await testDatabase();
  const figures = await simulateReloads(database, {
    reloads: Number(values.reloads),
    seed: Number(values.seed),
    workers: Number(values.workers),
    report: (line) => console.log(line),
  });
  console.log(`\n${figuresTable(figures)}\n`);
  for (const failure of figures.failures) console.log(`FAILED  ${failure}`);
  console.log(`${figures.reloads} reloads, ${figures.failures.length} failed requests`);
  return figures.failures.length === 0 && figures.connectionsLeft === 0 ? 0 : 1;
}
