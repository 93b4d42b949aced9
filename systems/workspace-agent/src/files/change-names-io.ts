/**
 * Makes directories, renames and removes. Before a stamped rename or removal takes place, what it is
 * about is noted, so that a repeat after a crash can tell what has happened from what was there.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { Stats } from "node:fs";
import { lstat, mkdir, rename, rm, stat, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { EffectAttempt } from "../effects/effect-journal-io.ts";
import { errorCode, orAbsent } from "../paths/system-failure.ts";
import { isInside } from "../paths/workspace-path.ts";
import { readFileInfo } from "./file-info-io.ts";
import type { FilesDeps } from "./files-deps.ts";
import { holdDirectory } from "./held-directory-io.ts";
import { resolveEntry, resolveTarget, type NamedPath } from "./real-path-io.ts";

/** Which thing it is, whatever it is called. */
type Identity = {
  readonly inode: number;
  readonly device: number;
  /** Systems give the number of what was removed to the next that is made. */
  readonly bornMs: number;
};

type Refusal = Result<never, WorkspaceFailure>;

export async function makeDirectory(
  { homeDirectory }: FilesDeps,
  named: NamedPath,
): Promise<Result<{ readonly directory: FileInfo }, WorkspaceFailure>> {
  const path = await resolveTarget(named, homeDirectory);
  if (!path.ok) return path;
  const { real, realRoot } = path.value;
  try {
    await mkdir(real, { recursive: true });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return fail({ code: "already_exists", message: `${named.path} exists and is no directory.` });
  }
  const held = await holdDirectory(real, realRoot);
  if (!held.ok) return held;
  await held.value[Symbol.asyncDispose]();
  return ok({ directory: await readFileInfo(path.value) });
}

export async function renameEntry(
  { homeDirectory }: FilesDeps,
  input: { readonly from: string; readonly to: string; readonly root: string },
  attempt: EffectAttempt,
): Promise<Result<{ readonly file: FileInfo }, WorkspaceFailure>> {
  const from = await resolveEntry({ path: input.from, root: input.root }, homeDirectory);
  if (!from.ok) return from;
  const to = await resolveEntry({ path: input.to, root: input.root }, homeDirectory);
  if (!to.ok) return to;
  const noted = attempt.noted as Identity | null; // Only this function notes for renames.
  const found = await orAbsent(lstat(from.value.real));
  const there = await orAbsent(lstat(to.value.real));
  if (noted !== null && there !== null && isSame(there, noted)) {
    return ok({ file: await readFileInfo(to.value) }); // It took place before the crash.
  }
  if (noted !== null && (found === null || !isSame(found, noted))) {
    const message = `${input.from} was being renamed when the agent stopped, and neither name has it.`;
    return fail({ code: "effect_lost", message });
  }
  if (found === null) return fail(NOT_FOUND(input.from));
  if (there !== null && !isSame(there, identityOf(found))) {
    return fail({ code: "already_exists", message: `${input.to} exists already.` });
  }
  await using stack = new AsyncDisposableStack();
  const heldFrom = await holdDirectory(dirname(from.value.real), from.value.realRoot);
  if (!heldFrom.ok) return heldFrom;
  const source = stack.use(heldFrom.value);
  const heldTo = await holdDirectory(dirname(to.value.real), to.value.realRoot);
  if (!heldTo.ok) return heldTo;
  const target = stack.use(heldTo.value);
  await attempt.note(identityOf(found));
  await rename(source.at(basename(from.value.real)), target.at(basename(to.value.real)));
  await target.sync();
  await source.sync();
  return ok({ file: await readFileInfo(to.value) });
}

export async function removeEntry(
  { homeDirectory }: FilesDeps,
  input: NamedPath & { readonly recursive: boolean },
  attempt: EffectAttempt,
): Promise<Result<object, WorkspaceFailure>> {
  const resolved = await resolveEntry(input, homeDirectory);
  if (!resolved.ok) return resolved;
  const { real, realRoot } = resolved.value;
  const refusal = await findRefusal(real, realRoot, homeDirectory);
  if (refusal !== null) return refusal;
  const noted = attempt.noted as Identity | null; // Only this function notes for removals.
  const found = await orAbsent(lstat(real));
  if (noted !== null && (found === null || !isSame(found, noted))) return ok({});
  if (found === null) return fail(NOT_FOUND(input.path));
  if (found.isDirectory() && !input.recursive) {
    const message = `${input.path} is a directory: it is removed only with recursive.`;
    return fail({ code: "not_a_file", message });
  }
  const held = await holdDirectory(dirname(real), realRoot);
  if (!held.ok) return held;
  await using directory = held.value;
  await attempt.note(identityOf(found));
  const path = directory.at(basename(real));
  if (found.isDirectory()) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  else await orAbsent(unlink(path));
  await directory.sync();
  return ok({});
}

/** Nobody means these, and nobody gets them back. */
async function findRefusal(
  real: string,
  realRoot: string | null,
  homeDirectory: string,
): Promise<Refusal | null> {
  if (real === realRoot) {
    const message = "The directory in which this call may act is not removed itself.";
    return fail({ code: "outside_root", message });
  }
  const own = await orAbsent(stat(homeDirectory));
  const found = await orAbsent(lstat(real));
  const isHome = own !== null && found !== null && isSame(found, identityOf(own));
  if (!isHome && !isInside(real, homeDirectory)) return null;
  const message = "The home directory, and what holds it, is not removed.";
  return fail({ code: "permission_denied", message });
}

const NOT_FOUND = (path: string): WorkspaceFailure => ({
  code: "not_found",
  message: `${path} does not exist.`,
});

function identityOf({ ino, dev, birthtimeMs }: Stats): Identity {
  return { inode: ino, device: dev, bornMs: birthtimeMs };
}

function isSame(stats: Stats, { inode, device, bornMs }: Identity): boolean {
  return stats.ino === inode && stats.dev === device && stats.birthtimeMs === bornMs;
}
