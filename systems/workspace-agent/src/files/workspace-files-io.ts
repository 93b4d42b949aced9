/**
 * Files in a workspace (contract, workspace/files): the port, from the operations beside this file.
 * What changes something goes through the effect journal.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, type Result } from "@atelier/base/result";
import {
  FILE_OPERATIONS,
  type FileInfo,
  type WorkspaceFiles,
} from "@atelier/contract/rpc/workspace/files";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { EffectJournal } from "../effects/effect-journal-io.ts";
import { tried } from "../paths/system-failure.ts";
import { makeDirectory, removeEntry, renameEntry } from "./change-names-io.ts";
import { editFiles } from "./edit-files-io.ts";
import type { EditPlan } from "./edit-plan.ts";
import { recoverEdit } from "./edit-recovery-io.ts";
import { readFileInfo } from "./file-info-io.ts";
import type { FilesDeps } from "./files-deps.ts";
import { listDirectory } from "./list-directory-io.ts";
import { PathLocks } from "./path-locks.ts";
import { readBytes, readLines } from "./read-file-io.ts";
import { resolveEntry, resolveTarget, type NamedPath, type RealPath } from "./real-path-io.ts";
import { BrokenSource, UploadContent } from "./upload-content.ts";
import { watchFiles } from "./watch-files-io.ts";
import { writeFile, type WriteInput } from "./write-file-io.ts";

export type FilesOptions = {
  /** What `~` means. */
  readonly homeDirectory: string;
  readonly journal: EffectJournal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** At once; each holds watches of the system. */
const WATCHES_MAX = 64;
/** Directories that are remembered as swept; beyond, they are swept again. */
const SWEPT_MAX = 10_000;

/** Finishes edits that were interrupted, before it answers. */
export async function openFiles(options: FilesOptions): Promise<WorkspaceFiles> {
  const { homeDirectory, journal, clock, random } = options;
  await finishInterruptedEdits(options);
  const locks = new PathLocks();
  const deps: FilesDeps = { homeDirectory, clock, random, locks, isFirstWriteIn: onceEach() };
  const watches = new Slots(WATCHES_MAX);
  const target = <Value>(named: NamedPath, work: (path: RealPath) => Outcome<Value>) =>
    resolved(resolveTarget, named, { homeDirectory, work });

  return implement(FILE_OPERATIONS, {
    stat: (input) =>
      resolved(resolveEntry, input, {
        homeDirectory,
        work: async (path) => ({ ok: true, value: await readFileInfo(path) }),
      }),
    list: (input, signal) => target(input, (path) => listDirectory(path, input, signal)),
    readBytes: (input, signal) =>
      target(input, (path) => readBytes(path, input, { clock, signal })),
    readLines: (input, signal) =>
      target(input, (path) => readLines(path, { ...input }, { clock, signal })),
    write: (input, bytes, signal) => write(options, deps, { input, bytes, signal }),
    edit: (input) =>
      journal.run(input.effect, (attempt) =>
        tried(input.edits[0]?.path ?? "", () => editFiles(deps, input, attempt)),
      ),
    makeDirectory: (input) =>
      journal.run(input.effect, () => tried(input.path, () => makeDirectory(deps, input))),
    rename: (input) =>
      journal.run(input.effect, (attempt) =>
        tried(input.from, () => renameEntry(deps, input, attempt)),
      ),
    remove: (input) =>
      journal.run(input.effect, (attempt) =>
        tried(input.path, () => removeEntry(deps, input, attempt)),
      ),
    watch: async (input, signal) => {
      const slot = watches.take();
      if (slot === null)
        return fail({ code: "busy", message: "Too many directories are watched." });
      const watching = await tried(input.path, () => watchFiles(deps, input, signal));
      if (watching.ok) return { ok: true, value: slot.during(watching.value, signal) };
      slot.free();
      return watching;
    },
  });
}

type Upload = {
  readonly input: WriteInput;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
};

async function write(
  { journal }: FilesOptions,
  deps: FilesDeps,
  { input, bytes, signal }: Upload,
): Outcome<{ readonly replayed: boolean; readonly file: FileInfo }> {
  await using content = new UploadContent(bytes, signal);
  try {
    return await journal.run(input.effect, (attempt) =>
      tried(input.path, () => writeFile(deps, input, content.bytes(), attempt)),
    );
  } catch (error) {
    // The caller's own: it gets back what it threw.
    throw error instanceof BrokenSource ? error.cause : error;
  }
}

type Outcome<Value> = Promise<Result<Value, WorkspaceFailure>>;

function resolved<Value>(
  resolve: (named: NamedPath, homeDirectory: string) => Outcome<RealPath>,
  named: NamedPath,
  { homeDirectory, work }: { homeDirectory: string; work: (path: RealPath) => Outcome<Value> },
): Outcome<Value> {
  return tried(named.path, async () => {
    const path = await resolve(named, homeDirectory);
    return path.ok ? work(path.value) : path;
  });
}

/** What nobody repeats must not stay half done. What cannot be finished waits for its repeat. */
async function finishInterruptedEdits({ journal, log }: FilesOptions): Promise<void> {
  const isPlan = (note: unknown): note is EditPlan =>
    typeof note === "object" && note !== null && "kind" in note && note.kind === "edit";
  for (const plan of journal.openNotes().filter(isPlan)) {
    const paths = plan.files.map(({ path }) => path);
    const recovered = await tried(paths[0] ?? "", () => recoverEdit(plan, null, null));
    if (recovered.ok && recovered.value === "finished") {
      log.info({ paths }, "an interrupted edit was finished");
    } else log.warn({ paths }, "an interrupted edit could not be finished");
  }
}

function onceEach(): (directory: string) => boolean {
  const seen = new Set<string>();
  return (directory) => {
    if (seen.has(directory)) return false;
    if (seen.size >= SWEPT_MAX) seen.clear();
    seen.add(directory);
    return true;
  };
}

/** So many at once and no more. */
class Slots {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  take(): Slot | null {
    if (this.#free === 0) return null;
    this.#free -= 1;
    let isTaken = true;
    const free = (): void => {
      if (isTaken) this.#free += 1;
      isTaken = false;
    };
    return {
      free,
      async *during(events, signal) {
        signal.addEventListener("abort", free, { once: true });
        try {
          yield* events;
        } finally {
          free();
        }
      },
    };
  }
}

type Slot = {
  free(): void;
  /** Frees it when the events end, or the signal aborts. */
  during<Event>(events: AsyncIterable<Event>, signal: AbortSignal): AsyncIterable<Event>;
};
