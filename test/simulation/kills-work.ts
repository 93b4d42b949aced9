/**
 * What a person does in a workspace while everything is killed: each kind of work repeats what was not
 * answered until it is, and says what may never be: done twice, lost, garbled, or without an answer.
 */
import type { Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KillsWorld } from "./kills-world.ts";

/** What was done of one kind of work. */
export type WorkCounts = { done: number; repeated: number };

/** A call that neither answers nor breaks by then never will: links notice silence within 10 s. */
const HUNG_MS = 30_000;
/** A busy machine starts servers slowly: how long each kill was felt is told by the table. */
const AWAY_MS_MAX = 240_000;
const RETRY_MS = 50;
/** Of what was tried in vain. */
const TRIES_TOLD = 5;
/** Between two pieces of work, so that processors are left for what is started again. */
const PAUSE_MS = 200;
const EXIT_CODE = 3;
const FILE_BYTES = 400_000;
const ECHO_BYTES = 100_000;

type Attempt<Value> = (
  services: WorkspaceServices,
  signal: AbortSignal,
) => Promise<Result<Value, WorkspaceFailure>>;

export class KillsWork {
  readonly counts = {
    "processes started with a key": { done: 0, repeated: 0 },
    "edits of one file": { done: 0, repeated: 0 },
    "files written and read": { done: 0, repeated: 0 },
    "lines followed of one process": { done: 0, repeated: 0 },
    "lines typed into a terminal": { done: 0, repeated: 0 },
    "connections to a port": { done: 0, repeated: 0 },
  } satisfies Record<string, WorkCounts>;
  readonly violations: string[] = [];
  readonly #world: KillsWorld;
  readonly #stop: AbortSignal;
  readonly #onViolation: (text: string) => void;
  readonly #home: string;
  readonly #started: string[] = [];
  readonly #edited: string[] = [];
  #tickerId: string | null = null;

  constructor(world: KillsWorld, stop: AbortSignal, onViolation: (text: string) => void) {
    this.#world = world;
    this.#stop = stop;
    this.#onViolation = onViolation;
    this.#home = world.machine.home;
  }

  /** Until the signal aborts: then what has begun is finished. */
  async run(): Promise<void> {
    writeFileSync(join(this.#home, "edited.txt"), "END\n");
    writeFileSync(join(this.#home, "started.txt"), "");
    await Promise.all([
      this.#untilStopped(() => this.#startProcess()),
      this.#untilStopped(() => this.#edit()),
      this.#untilStopped(() => this.#writeAndRead()),
      this.#followTicker(),
      this.#type(),
      this.#connect(),
    ]);
    await this.#judge();
  }

  /** Resolves when every kind of work was done once more. */
  async progress(): Promise<void> {
    const before = Object.entries(this.counts).map(([name, { done }]) => [name, done] as const);
    const all: Record<string, WorkCounts> = this.counts;
    const giveUpAtMs = performance.now() + AWAY_MS_MAX;
    for (;;) {
      const waiting = before.filter(([name, done]) => (all[name]?.done ?? 0) <= done);
      if (waiting.length === 0) return;
      if (performance.now() > giveUpAtMs) {
        const names = waiting.map(([name]) => name).join(", ");
        throw new Error(`nothing is done of ${names}\n${this.#world.history()}`);
      }
      await sleep(RETRY_MS);
    }
  }

  async #untilStopped(work: () => Promise<void>): Promise<void> {
    while (!this.#stop.aborted) {
      try {
        await work();
      } catch (error) {
        this.#violated(String(error));
      }
      await sleep(PAUSE_MS);
    }
  }

  #violated(text: string): void {
    this.violations.push(text);
    this.#onViolation(text);
  }

  async #repeat<Value>(
    what: string,
    counts: WorkCounts | null,
    attempt: Attempt<Value>,
  ): Promise<Value> {
    const brokenMs: string[] = [];
    let giveUpAtMs = performance.now() + AWAY_MS_MAX;
    let doneBefore = counts?.done;
    for (;;) {
      const services = this.#world.services();
      if (services !== null) {
        const beganMs = performance.now();
        const late = AbortSignal.timeout(HUNG_MS);
        const result = await attempt(services, late).catch((error: unknown) => {
          // A stream broke in its middle, which is how links break.
          if (error instanceof BrokenOff) return null;
          if (late.aborted) throw new Error(`${what} got no answer within ${HUNG_MS} ms`);
          throw error;
        });
        if (result?.ok === true) return result.value;
        if (result !== null && result.failure.code !== "disconnected") {
          throw new Error(`${what}: ${result.failure.code}: ${result.failure.message}`);
        }
        if (counts !== null) counts.repeated += 1;
        const tookMs = (performance.now() - beganMs).toFixed(0);
        brokenMs.push(`${result === null ? "broken" : "disconnected"} ${tookMs}`);
        // What went on for long, and then broke, was well until then.
        if (counts?.done !== doneBefore) giveUpAtMs = performance.now() + AWAY_MS_MAX;
        doneBefore = counts?.done;
      }
      if (performance.now() > giveUpAtMs) {
        const tries = brokenMs.slice(-TRIES_TOLD).join(", ");
        throw new Error(`${what} was not answered in time: ${tries}\n${this.#world.history()}`);
      }
      await sleep(RETRY_MS);
    }
  }

  async #startProcess(): Promise<void> {
    const counts = this.counts["processes started with a key"];
    const key = randomUUID();
    this.#started.push(key);
    const command = `echo ${key} >> started.txt; sleep 0.05; echo out-${key}; exit ${EXIT_CODE}`;
    const start = { command, workingDirectory: this.#home, idempotencyKey: key };
    const { process } = await this.#repeat("a start", counts, ({ processes }, signal) =>
      processes.start(start, { signal }),
    );
    const { id } = process;
    let ended = process;
    while (ended.state === "running") {
      ended = await this.#repeat("a wait", counts, ({ processes }, signal) =>
        processes.wait({ id, timeoutMs: 10_000 }, { signal }),
      );
    }
    if (ended.state !== "exited" || ended.exitCode !== EXIT_CODE) {
      this.#violated(`a process ended as ${ended.state} with ${ended.exitCode}`);
    }
    const output = await this.#repeat("an output", counts, ({ processes }, signal) =>
      processes.output({ id }, { signal }),
    );
    if (output.head !== `out-${key}\n`) this.#violated(`a process said ${output.head}`);
    counts.done += 1;
  }

  async #edit(): Promise<void> {
    const counts = this.counts["edits of one file"];
    const key = randomUUID();
    this.#edited.push(key);
    const path = join(this.#home, "edited.txt");
    const effect = {
      chatId: "simulation",
      callId: key,
      inputHash: createHash("sha256").update(key).digest("hex"),
      fence: 0,
    };
    const edits = [{ path, oldText: "END\n", newText: `${key}\nEND\n` }];
    await this.#repeat("an edit", counts, ({ files }, signal) =>
      files.edit({ edits, effect }, { signal }),
    );
    counts.done += 1;
  }

  async #writeAndRead(): Promise<void> {
    const counts = this.counts["files written and read"];
    const content = randomBytes(FILE_BYTES);
    const path = join(this.#home, "written.bin");
    await this.#repeat("a write", counts, ({ files }, signal) =>
      files.write({ path }, piecesOf(content), { signal }),
    );
    const read = await this.#repeat("a read", counts, async ({ files }, signal) => {
      const opened = await files.readBytes({ path }, { signal });
      return opened.ok ? { ok: true, value: await wholeOf(opened.value.bytes) } : opened;
    });
    if (!read.equals(content)) this.#violated(`a file came back as ${read.byteLength} other bytes`);
    counts.done += 1;
  }

  /** One process that counts for as long as all this lasts: no line of it may be missing or come twice. */
  async #followTicker(): Promise<void> {
    const counts = this.counts["lines followed of one process"];
    const command = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done";
    const { process } = await this.#repeat("a start", counts, ({ processes }, signal) =>
      processes.start({ command, idempotencyKey: "ticker" }, { signal }),
    );
    const { id } = process;
    this.#tickerId = id;
    let offset = 0;
    let rest = "";
    await this.#untilStopped(async () => {
      await this.#repeat("a follow", counts, async ({ processes }) => {
        const followed = await processes.follow({ id, stream: "stdout", offset });
        if (!followed.ok) return followed;
        if (followed.value.value.fromOffset !== offset) throw new Error("output has a hole");
        try {
          for await (const bytes of followed.value.bytes) {
            offset += bytes.byteLength;
            const lines = (rest + Buffer.from(bytes).toString()).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) {
              if (line !== String(counts.done)) throw new Error(`${line} after ${counts.done - 1}`);
              counts.done += 1;
            }
            if (this.#stop.aborted) return { ok: true, value: null };
          }
        } catch (error) {
          if (error instanceof Error && / after /.test(error.message)) throw error;
          throw new BrokenOff();
        }
        throw new Error("the process that counts has ended");
      });
    });
  }

  /** A terminal answers each line with how many it has read; it ends only with its agent. */
  async #type(): Promise<void> {
    const counts = this.counts["lines typed into a terminal"];
    const command =
      "exec sh -c 'stty -echo; n=0; while read -r line; do n=$((n+1)); echo \"<$line:$n>\"; done'";
    let terminal = { id: randomUUID(), agents: this.#world.agents, pid: 0, last: 0 };
    await this.#untilStopped(async () => {
      await this.#repeat("a terminal", counts, async ({ terminals }) => {
        const { id } = terminal;
        const { agents } = this.#world;
        const attached = await terminals.attach({ id, columns: 100, rows: 5, command });
        if (!attached.ok) return attached;
        const { channel, value } = attached.value;
        const isOther = terminal.pid !== 0 && terminal.pid !== value.pid;
        if (isOther && terminal.agents === agents) {
          this.#violated("a terminal ended while its agent lived");
        }
        const last = value.pid === terminal.pid ? terminal.last : 0;
        terminal = { id, agents, pid: value.pid, last };
        try {
          const reader = channel.incoming[Symbol.asyncIterator]();
          while (!this.#stop.aborted) {
            const line = randomUUID().slice(0, 8);
            await channel.write(Buffer.from(`${line}\n`));
            const answer = await readUntil(reader, new RegExp(`<${line}:(\\d+)>`));
            const number = Number(answer[1]);
            if (number <= terminal.last) this.#violated(`line ${number} after ${terminal.last}`);
            terminal.last = number;
            counts.done += 1;
            await sleep(PAUSE_MS);
          }
          return { ok: true, value: null };
        } catch (error) {
          if (error instanceof Hung) throw error;
          throw new BrokenOff();
        } finally {
          channel.destroy();
        }
      });
    });
  }

  /** What a connection brings is all of it, or it breaks. */
  async #connect(): Promise<void> {
    const counts = this.counts["connections to a port"];
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await this.#untilStopped(async () => {
      const sent = randomBytes(ECHO_BYTES);
      const back = await this.#repeat("a connection", counts, async ({ ports }, signal) => {
        const dialled = await ports.dial({ port }, { signal });
        if (!dialled.ok) return dialled;
        const { channel } = dialled.value;
        const received = wholeOf(channel.incoming);
        received.catch(() => {}); // It is awaited below.
        try {
          await channel.write(sent);
          await channel.end();
        } catch {
          throw new BrokenOff();
        }
        return { ok: true, value: await received };
      });
      if (!back.equals(sent)) this.#violated(`${back.byteLength} bytes of ${ECHO_BYTES} came back`);
      counts.done += 1;
    });
    server.close();
  }

  /** After the last kill: every counter is exactly one. */
  async #judge(): Promise<void> {
    const id = this.#tickerId;
    if (id !== null) {
      await this.#repeat("a kill", null, ({ processes }, signal) =>
        processes.signal({ id, signal: "SIGKILL" }, { signal }),
      );
    }
    const started = linesOf(join(this.#home, "started.txt"));
    this.#compare("processes", started.toSorted(), this.#started.toSorted());
    const edited = linesOf(join(this.#home, "edited.txt")).filter((line) => line !== "END");
    this.#compare("edits", edited, this.#edited);
  }

  #compare(what: string, found: readonly string[], wanted: readonly string[]): void {
    const twice = found.length - new Set(found).size;
    const missing = wanted.filter((each) => !found.includes(each)).length;
    if (twice > 0 || missing > 0 || found.length !== wanted.length) {
      this.#violated(`${what}: ${twice} twice, ${missing} missing of ${wanted.length}`);
    } else if (found.some((each, i) => each !== wanted[i]))
      this.#violated(`${what}: another order`);
  }
}

/** A stream broke in its middle. */
class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

class Hung extends Error {
  override readonly name = "Hung";
}

async function wholeOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const bytes of source) pieces.push(bytes);
  } catch {
    throw new BrokenOff();
  }
  return Buffer.concat(pieces);
}

async function* piecesOf(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += 65_536) yield content.subarray(at, at + 65_536);
}

async function readUntil(
  reader: AsyncIterator<Uint8Array>,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  let text = "";
  for (;;) {
    const next = await Promise.race([reader.next(), sleep(HUNG_MS, null, { ref: false })]);
    if (next === null) throw new Hung(`a typed line got no answer within ${HUNG_MS} ms`);
    if (next.done === true) throw new Error("the terminal has ended");
    text += Buffer.from(next.value).toString();
    const found = pattern.exec(text);
    if (found !== null) return found;
  }
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
