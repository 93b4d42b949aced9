/**
 * Edits several files or none. All edits are tried on what the files hold; then all new contents are
 * written beside the files; then they take their places. A stamped edit notes its plan before the
 * last step, so that a crash in the middle of it is mended: by the next start, or by the repeat.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import {
  EDIT_CALL_BYTES_MAX,
  EDIT_DIFF_BYTES_MAX,
  EDIT_FILE_BYTES_MAX,
} from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { isUtf8 } from "node:buffer";
import type { Stats } from "node:fs";
import { access, constants, lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { EffectAttempt } from "../effects/effect-journal-io.ts";
import { orAbsent, systemFailure } from "../paths/system-failure.ts";
import { applyEdits, type FileTextEdit } from "./apply-edits.ts";
import type { EditPlan, PlannedFile } from "./edit-plan.ts";
import { hashOf, placeFile, recoverEdit } from "./edit-recovery-io.ts";
import type { FilesDeps } from "./files-deps.ts";
import { holdDirectory, type HeldDirectory } from "./held-directory-io.ts";
import { openForReading, tooSlow, withinTime } from "./open-file-io.ts";
import { resolveTarget, type RealPath } from "./real-path-io.ts";
import { dropTemp, sweepTemps, writeTemp } from "./temp-file-io.ts";
import { tempNames } from "./temp-name.ts";
import { cutDiffs, unifiedDiff } from "./unified-diff.ts";

export type EditInput = {
  readonly edits: readonly Omit<FileTextEdit, "index">[];
  readonly root: string;
  readonly effect: Effect | null;
};

type Outcome = Result<{ readonly files: EditedFile[] }, WorkspaceFailure>;
type EditedFile = { readonly path: string; readonly diff: string };

/** A file that is to be edited, as it is before. */
type FileBefore = {
  readonly path: RealPath;
  readonly directory: HeldDirectory;
  readonly stats: Stats;
  readonly bytes: Buffer;
  readonly text: string;
};

export async function editFiles(
  deps: FilesDeps,
  input: EditInput,
  attempt: EffectAttempt,
): Promise<Outcome> {
  const plan = attempt.noted as EditPlan | null; // Only this function notes for edits.
  const byFile = await groupByFile(deps, input);
  if (!byFile.ok) return byFile;
  const realPaths = [...byFile.value.keys()];
  return deps.locks.hold(realPaths, async () => {
    if (plan !== null) {
      const root = [...byFile.value.values()][0]?.path.realRoot ?? null;
      const recovered = await recoverEdit(plan, root, attempt.note);
      if (!recovered.ok) return recovered;
      if (recovered.value === "finished") return ok({ files: answerOf(plan.files) });
    }
    await using stack = new AsyncDisposableStack();
    const before = await readAll(deps, byFile.value, stack);
    if (!before.ok) return before;
    const edits = new Map([...byFile.value].map(([real, file]) => [real, file.edits]));
    const texts = new Map([...before.value].map(([real, file]) => [real, file.text]));
    const after = applyEdits(edits, texts);
    if (!after.ok) return after;
    return await commit(
      deps,
      { before: before.value, after: after.value, effect: input.effect },
      attempt,
    );
  });
}

type FileEdits = { readonly path: RealPath; readonly edits: FileTextEdit[] };

/** Two names of one file are one file. */
async function groupByFile(
  { homeDirectory }: FilesDeps,
  { edits, root }: EditInput,
): Promise<Result<ReadonlyMap<string, FileEdits>, WorkspaceFailure>> {
  const files = new Map<string, FileEdits>();
  for (const [index, edit] of edits.entries()) {
    if (edit.oldText === edit.newText) {
      const message = `edits[${index}] (${edit.path}): oldText and newText are the same.`;
      return fail({ code: "invalid", message });
    }
    const path = await resolveTarget({ path: edit.path, root }, homeDirectory);
    if (!path.ok) return named(index, path.failure);
    const file = files.get(path.value.real) ?? { path: path.value, edits: [] };
    file.edits.push({ ...edit, index });
    files.set(path.value.real, file);
  }
  return ok(files);
}

function named(index: number, failure: WorkspaceFailure): Result<never, WorkspaceFailure> {
  const message = `edits[${index}]: ${failure.message} No edits were applied.`;
  return fail({ ...failure, message });
}

async function readAll(
  deps: FilesDeps,
  files: ReadonlyMap<string, FileEdits>,
  stack: AsyncDisposableStack,
): Promise<Result<ReadonlyMap<string, FileBefore>, WorkspaceFailure>> {
  const read = new Map<string, FileBefore>();
  let bytes = 0;
  for (const [real, { path, edits }] of files) {
    const index = edits[0]?.index ?? 0;
    try {
      const file = await readOne(deps, path, stack);
      if (!file.ok) return named(index, file.failure);
      bytes += file.value.bytes.byteLength;
      if (bytes > EDIT_CALL_BYTES_MAX) return named(index, tooLarge(path.named).failure);
      read.set(real, file.value);
    } catch (error) {
      const failure = systemFailure(error, path.named);
      if (failure === null) throw error;
      return named(index, failure);
    }
  }
  return ok(read);
}

async function readOne(
  { clock }: FilesDeps,
  path: RealPath,
  stack: AsyncDisposableStack,
): Promise<Result<FileBefore, WorkspaceFailure>> {
  const opened = await openForReading(path, clock);
  if (!opened.ok) return opened;
  await using file = opened.value;
  await access(path.real, constants.W_OK);
  if (file.stats.size > EDIT_FILE_BYTES_MAX) return tooLarge(path.named);
  const bytes = await withinTime(file.handle.readFile(), clock);
  if (bytes === null) return tooSlow(path.named);
  if (bytes.byteLength > EDIT_FILE_BYTES_MAX) return tooLarge(path.named);
  if (!isUtf8(bytes)) {
    return fail({ code: "conflict", message: `${path.named} is not UTF-8 text.` });
  }
  const held = await holdDirectory(dirname(path.real), path.realRoot);
  if (!held.ok) return held;
  const directory = stack.use(held.value);
  const { stats } = file;
  return ok({ path, directory, stats, bytes, text: bytes.toString("utf8") });
}

function tooLarge(path: string): { readonly ok: false; readonly failure: WorkspaceFailure } {
  const each = EDIT_FILE_BYTES_MAX / 1024 / 1024;
  const all = EDIT_CALL_BYTES_MAX / 1024 / 1024;
  const message = `${path} is too large: edits take files up to ${each} MiB, and ${all} MiB in all.`;
  return { ok: false, failure: { code: "too_large", message } };
}

type Change = {
  readonly before: ReadonlyMap<string, FileBefore>;
  readonly after: ReadonlyMap<string, string>;
  readonly effect: Effect | null;
};

async function commit(
  deps: FilesDeps,
  { before, after, effect }: Change,
  attempt: EffectAttempt,
): Promise<Outcome> {
  const nameOf = tempNames(effect, deps.random);
  const planned = cutDiffs(
    [...before].map(([real, { path, directory, bytes, text }], i) => ({
      path: path.named,
      diff: unifiedDiff(path.named, text, after.get(real) ?? text),
      directory: directory.path,
      name: basename(real),
      temp: nameOf(i),
      beforeHash: hashOf(bytes),
      real,
    })),
    EDIT_DIFF_BYTES_MAX,
  );
  const steps = planned.map(({ real, ...file }) => {
    const own = before.get(real);
    if (own === undefined) throw new Error("every planned file was read");
    return { file, before: own, text: after.get(real) ?? own.text };
  });
  const files = steps.map((step) => step.file);
  try {
    for (const step of steps) await prepare(deps, step, effect !== null);
    const changed = await findChanged(steps);
    if (changed !== null) {
      for (const step of steps) await dropTemp(step.before.directory, step.file.temp);
      return fail({
        code: "conflict",
        message: `${changed} changed while it was edited. No edits were applied.`,
      });
    }
    const plan: EditPlan = { kind: "edit", files, torn: null };
    await attempt.note(plan);
  } catch (error) {
    for (const step of steps) await dropTemp(step.before.directory, step.file.temp);
    throw error;
  }
  await placeAll(steps, attempt);
  return ok({ files: answerOf(files) });
}

type Step = { readonly file: PlannedFile; readonly before: FileBefore; readonly text: string };

async function prepare(deps: FilesDeps, step: Step, isStamped: boolean): Promise<void> {
  const { directory, stats } = step.before;
  if (deps.isFirstWriteIn(directory.path)) await sweepTemps(directory, deps.clock);
  await writeTemp(directory, {
    name: step.file.temp,
    bytes: [Buffer.from(step.text)],
    replaces: async () => stats,
    mode: null,
  });
  if (isStamped) await directory.sync();
}

async function findChanged(steps: readonly Step[]): Promise<string | null> {
  for (const { before, file } of steps) {
    const found = await orAbsent(lstat(before.directory.at(file.name)));
    const isSame =
      found !== null &&
      found.ino === before.stats.ino &&
      found.size === before.stats.size &&
      found.mtimeMs === before.stats.mtimeMs &&
      found.ctimeMs === before.stats.ctimeMs;
    if (!isSame) return file.path;
  }
  return null;
}

/** Where one of them cannot take its place, those that did are given back their old content. */
async function placeAll(steps: readonly Step[], attempt: EffectAttempt): Promise<void> {
  const placed: Step[] = [];
  try {
    for (const step of steps) {
      await placeFile(step.before.directory, step.file);
      placed.push(step);
    }
  } catch (error) {
    for (const { before, file } of placed) {
      const { directory, stats, bytes } = before;
      const replaces = async (): Promise<Stats> => stats;
      await writeTemp(directory, { name: file.temp, bytes: [bytes], replaces, mode: null });
      await placeFile(directory, file);
    }
    await attempt.note(null);
    for (const { before, file } of steps) await dropTemp(before.directory, file.temp);
    throw error;
  }
}

function answerOf(files: readonly PlannedFile[]): EditedFile[] {
  return files.map(({ path, diff }) => ({ path, diff }));
}
