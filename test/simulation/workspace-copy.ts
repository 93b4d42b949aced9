/**
 * `npm run simulate -- workspace-copy [--megabytes N]`: one large file to a workspace and back, by
 * `atelier cp`, over the server that has the machine and over another. Every process real. The file must
 * come back as it was, and no process on the way may hold more of it than what is on its way.
 *
 * Linux only: what a process takes is read from procfs. Needs three times the file's size on the disk.
 */
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { attachMachine, type Attached } from "../journeys/workspace-world.ts";

export type CopyLeg = {
  readonly name: string;
  readonly seconds: number;
  /**
   * Process → the most memory that it had in this leg, beyond what it had before all of them. Of `atelier
   * cp`, which is new in each, all that it had.
   */
  readonly grownBytes: Readonly<Record<string, number>>;
};

export type CopyFigures = {
  readonly bytes: number;
  /** Process → its memory after a small copy each way. */
  readonly restBytes: Readonly<Record<string, number>>;
  readonly legs: readonly CopyLeg[];
};

const MIB = 1024 * 1024;
/** Beyond this, a server or an agent keeps more than its buffers and what is not collected yet. */
const GROWN_BYTES_MAX = 128 * MIB;
/** All of `atelier cp`, Node included. */
const COPIER = "atelier cp";
const COPIER_BYTES_MAX = 320 * MIB;
const WARM_UP_BYTES = 16 * MIB;
const SAMPLE_MS = 50;
const KEY = Buffer.alloc(32, 5).toString("base64");

/** Throws when a file does not come back as it was, or a copy fails. */
export async function copyThroughWorkspace(
  database: TestDatabase,
  { bytes, report }: { readonly bytes: number; readonly report: (line: string) => void },
): Promise<CopyFigures> {
  const options = {
    postgresUrl: database.url,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: KEY },
  };
  const [one, two] = await Promise.all([startRealServer(options), startRealServer(options)]);
  await using _one = one;
  await using _two = two;
  await using machine = await attachMachine(one);
  await machine.until(two, "connected");
  const copies = new Copies(machine, { "its server": one, "the other server": two });
  using _removed = { [Symbol.dispose]: () => copies.remove() };
  await copies.makeFile(WARM_UP_BYTES);
  for (const server of [one, two]) {
    await copies.send(server);
    await copies.fetchBack(server);
  }
  await copies.makeFile(bytes);
  const restBytes = copies.memory();
  const legs: CopyLeg[] = [];
  for (const [name, server] of [
    ["over its server", one],
    ["over the other server", two],
  ] as const) {
    legs.push(
      await measured(copies, restBytes, `to the workspace ${name}`, () => copies.send(server)),
    );
    report(legTexts(legs.at(-1)));
    legs.push(
      await measured(copies, restBytes, `from the workspace ${name}`, () =>
        copies.fetchBack(server),
      ),
    );
    report(legTexts(legs.at(-1)));
  }
  return { bytes, restBytes, legs };
}

async function measured(
  copies: Copies,
  restBytes: Readonly<Record<string, number>>,
  name: string,
  work: () => Promise<void>,
): Promise<CopyLeg> {
  const grownBytes: Record<string, number> = {};
  const sample = (): void => {
    for (const [process, bytes] of Object.entries(copies.memory())) {
      const grown = bytes - (restBytes[process] ?? 0);
      grownBytes[process] = Math.max(grownBytes[process] ?? 0, grown);
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const startedMs = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  sample();
  return { name, seconds: (performance.now() - startedMs) / 1_000, grownBytes };
}

/** The file, and its ways to and from the machine. */
class Copies {
  readonly #machine: Attached;
  readonly #servers: Readonly<Record<string, RealServer>>;
  readonly #directory = mkdtempSync(join(tmpdir(), "atelier-copies-"));
  readonly #file = join(this.#directory, "file");
  #sha256 = "";
  #copier: number | null = null;

  constructor(machine: Attached, servers: Readonly<Record<string, RealServer>>) {
    this.#machine = machine;
    this.#servers = servers;
  }

  /** No two of its blocks are alike. */
  async makeFile(bytes: number): Promise<void> {
    await using file = await open(this.#file, "w");
    const hash = createHash("sha256");
    const block = Buffer.alloc(MIB, "atelier\n");
    for (let at = 0; at < bytes; at += MIB) {
      block.writeDoubleBE(at, at % (MIB - 8));
      const part = block.subarray(0, Math.min(MIB, bytes - at));
      hash.update(part);
      await file.write(part);
    }
    this.#sha256 = hash.digest("hex");
  }

  async send(server: RealServer): Promise<void> {
    await this.#cp(server, this.#file, "dev:~/copy");
    await this.#expectWhole(join(this.#machine.home, "copy"));
  }

  /** The copy there is dropped after. */
  async fetchBack(server: RealServer): Promise<void> {
    const back = join(this.#directory, "back");
    await this.#cp(server, "dev:~/copy", back);
    await this.#expectWhole(back);
    for (const path of [back, join(this.#machine.home, "copy")]) truncateSync(path);
  }

  /** Resident bytes of each process. */
  memory(): Record<string, number> {
    const pids = Object.entries(this.#servers).map(
      ([name, { child }]) => [name, child.pid] as const,
    );
    const all = [...pids, ["agent", this.#machine.agent().pid] as const];
    const known = Object.fromEntries(all.map(([name, pid]) => [name, residentBytes(pid)]));
    return this.#copier === null ? known : { ...known, [COPIER]: residentBytes(this.#copier) };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #cp(server: RealServer, from: string, to: string): Promise<void> {
    const child = this.#machine.start(server, ["cp", from, to]);
    this.#copier = child.pid ?? null;
    let said = "";
    child.stdout?.resume();
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    await once(child, "close");
    this.#copier = null;
    if (child.exitCode !== 0) throw new Error(`atelier cp ${from} ${to}: ${said}`);
  }

  async #expectWhole(path: string): Promise<void> {
    const hash = createHash("sha256");
    for await (const part of createReadStream(path)) hash.update(part as Buffer);
    if (hash.digest("hex") !== this.#sha256) throw new Error(`${path} is not what was copied`);
  }
}

/** 0: it has ended. */
function residentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function legTexts(leg: CopyLeg | undefined): string {
  if (leg === undefined) return "";
  const grown = Object.entries(leg.grownBytes).map(([name, bytes]) => `${name} +${inMib(bytes)}`);
  return `${leg.name}: ${leg.seconds.toFixed(1)} s, ${grown.join(", ")}`;
}

const inMib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

/** Who held more than what is on its way. Of small files, even half would show. */
export function fatProcesses({ bytes, legs }: CopyFigures): string[] {
  const grownBytesMax = Math.min(GROWN_BYTES_MAX, bytes / 2 + WARM_UP_BYTES);
  return legs.flatMap(({ name, grownBytes }) =>
    Object.entries(grownBytes)
      .filter(([process, each]) => each > (process === COPIER ? COPIER_BYTES_MAX : grownBytesMax))
      .map(([process, each]) => `${name}: ${process} took ${inMib(each)} more`),
  );
}

export async function runWorkspaceCopy(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { megabytes: { type: "string", default: "1024" } },
  });
  const bytes = Number(values.megabytes) * MIB;
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new Error("--megabytes is a whole number");
  await using postgres = await startPostgresServer();
  const { host, port, user, database: template } = postgres;
  process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify({ host, port, user, database: template });
  await using database = await testDatabase();
  const { legs, restBytes } = await copyThroughWorkspace(database, { bytes, report: console.log });
  const rest = Object.entries(restBytes).map(([name, each]) => `${name} ${inMib(each)}`);
  console.log(`before: ${rest.join(", ")}`);
  const fat = fatProcesses({ bytes, restBytes, legs });
  for (const line of fat) console.log(`FAILED  ${line}`);
  console.log(
    `${inMib(bytes)} went four times and came whole; ${fat.length} processes took too much`,
  );
  return fat.length === 0 ? 0 : 1;
}
