/**
 * One directory for each process, which agent and keeper share. Everything that the agent knows of a
 * process after a restart stands here: `start.json` (what was asked), `run/keeper` (claimed, and who),
 * `run/command`, `run/exit` (how it ended), `run/killed`, `run/lost`, and its output.
 *
 * Whoever makes `run/keeper` first decides whether the process starts: a keeper, which then runs the
 * command, or the agent, which revokes the start.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseProcessRow, type ProcessIdentity } from "./process-identity.ts";
import {
  encodeStartRecord,
  parseStartRecord,
  type ProcessTraces,
  type StartRecord,
} from "./process-record.ts";

/** Of a directory that is being removed: no process has a dot in its id. */
const GONE = ".gone";

/** In `run/keeper` where no keeper is allowed to start any more. */
const REVOKED = "revoked\n";

/** Expected when a directory is made or written. */
const DISK_FAILURES: Readonly<Record<string, WorkspaceFailure>> = {
  ENOSPC: { code: "no_space", message: "No space is left on the disk of the workspace." },
  EDQUOT: { code: "no_space", message: "The disk quota of the workspace is used up." },
};

export class ProcessStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  directoryOf(id: string): string {
    return join(this.#directory, id);
  }

  /** Ids of all processes that were ever to start. Removes what a crash left half removed. */
  async list(): Promise<string[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const names = await readdir(this.#directory);
    const gone = names.filter((name) => name.endsWith(GONE));
    await Promise.all(gone.map((name) => rm(this.directoryOf(name), RECURSIVELY)));
    return names.filter((name) => !name.endsWith(GONE));
  }

  /** The directory of a process that may start. One that is there already keeps what it says. */
  async prepare(record: StartRecord): Promise<Result<StartRecord, WorkspaceFailure>> {
    const directory = this.directoryOf(record.id);
    try {
      if (await this.#isRevoked(record.id)) await this.remove(record.id);
      const known = await this.readStart(record.id);
      await mkdir(join(directory, "run"), { recursive: true, mode: 0o700 });
      if (known !== null) return ok(known);
      for (const name of ["stdout", "stderr"]) {
        await (await open(join(directory, name), "a", 0o600)).close();
      }
      const next = join(directory, "start.next");
      await writeFile(next, encodeStartRecord(record), { mode: 0o600 });
      await rename(next, join(directory, "start.json"));
      return ok(record);
    } catch (error) {
      const failure = DISK_FAILURES[codeOf(error)];
      if (failure === undefined) throw error;
      await this.remove(record.id);
      return fail(failure);
    }
  }

  async readStart(id: string): Promise<StartRecord | null> {
    const text = await readText(join(this.directoryOf(id), "start.json"));
    return text === null ? null : parseStartRecord(text);
  }

  async readTraces(id: string): Promise<ProcessTraces> {
    const run = join(this.directoryOf(id), "run");
    const [keeper, command, exit, killed, lost] = await Promise.all([
      readText(join(run, "keeper")),
      readText(join(run, "command")),
      readText(join(run, "exit")),
      readText(join(run, "killed")),
      readText(join(run, "lost")),
    ]);
    return {
      isClaimed: keeper !== null && keeper !== REVOKED,
      keeper: identityIn(keeper),
      command: identityIn(command),
      // A shell that was killed while it wrote leaves an empty file.
      exit:
        exit !== null && /^\d{1,3}\n$/.test(exit)
          ? { status: Number(exit), atMs: await modifiedAtMs(join(run, "exit")) }
          : null,
      isKilled: killed !== null,
      lostAtMs: lost === null ? null : await modifiedAtMs(join(run, "lost")),
    };
  }

  /** True: no keeper can start this process any more, and none has. False: one has. */
  async revoke(id: string): Promise<boolean> {
    const path = join(this.directoryOf(id), "run", "keeper");
    try {
      await writeFile(path, REVOKED, { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return true;
      if (codeOf(error) !== "EEXIST") throw error;
      return this.#isRevoked(id);
    }
  }

  /** What the keeper could not write. Its own word stands. */
  async writeExit(id: string, status: number): Promise<void> {
    const path = join(this.directoryOf(id), "run", "exit");
    if ((await readText(path)) === "") await rm(path);
    await writeFile(path, `${status}\n`, { flag: "wx", mode: 0o600 }).catch(ignore("EEXIST"));
  }

  async mark(id: string, what: "killed" | "lost"): Promise<void> {
    await writeFile(join(this.directoryOf(id), "run", what), "", { flag: "a", mode: 0o600 });
  }

  async #isRevoked(id: string): Promise<boolean> {
    return (await readText(join(this.directoryOf(id), "run", "keeper"))) === REVOKED;
  }

  /** At once for whoever looks, also if the agent is killed half-way. */
  async remove(id: string): Promise<void> {
    const directory = this.directoryOf(id);
    await rename(directory, `${directory}${GONE}`).catch(ignore("ENOENT"));
    await rm(`${directory}${GONE}`, RECURSIVELY);
  }
}

const RECURSIVELY = { recursive: true, force: true } as const;

function identityIn(text: string | null): ProcessIdentity | null {
  if (text === null || !text.endsWith("\n")) return null;
  const row = parseProcessRow(text.slice(0, -1));
  return row === null ? null : { pid: row.pid, startTime: row.startTime };
}

/** Null: there is no such file. */
async function readText(path: string): Promise<string | null> {
  return readFile(path, "latin1").catch(ignore("ENOENT", null));
}

async function modifiedAtMs(path: string): Promise<number> {
  return Math.round((await stat(path)).mtimeMs);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function ignore<Value = void>(code: string, instead?: Value): (error: unknown) => Value {
  return (error) => {
    if (codeOf(error) !== code) throw error;
    return instead as Value;
  };
}
