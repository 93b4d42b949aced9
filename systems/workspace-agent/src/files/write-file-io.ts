/**
 * Writes a file whole: into a temp file beside it, then in its place. A stamped write notes when its
 * temp file is durable; from then on it counts as decided, and a repeat only finishes it. A temp file
 * that was noted and is gone has taken its place: nothing else removes it that early.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { Stats } from "node:fs";
import { access, constants, link, lstat, mkdir, rename } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { EffectAttempt } from "../effects/effect-journal-io.ts";
import { errorCode, orAbsent } from "../paths/system-failure.ts";
import { readFileInfo } from "./file-info-io.ts";
import type { FilesDeps } from "./files-deps.ts";
import { holdDirectory, type HeldDirectory } from "./held-directory-io.ts";
import { notAFile } from "./open-file-io.ts";
import { outsideRoot, resolveTarget, type RealPath } from "./real-path-io.ts";
import { dropTemp, hasTemp, sweepTemps, writeTemp } from "./temp-file-io.ts";
import { tempNames } from "./temp-name.ts";

export type WriteInput = {
  readonly path: string;
  readonly root: string;
  readonly mode: number | null;
  readonly overwrite: "always" | "never";
  readonly effect: Effect | null;
};

/** What a stamped write notes once its content is durable. */
type WritePlan = {
  readonly kind: "write";
  readonly directory: string;
  readonly name: string;
  readonly temp: string;
};

type Outcome = Result<{ readonly file: FileInfo }, WorkspaceFailure>;

export async function writeFile(
  deps: FilesDeps,
  input: WriteInput,
  content: AsyncIterable<Uint8Array>,
  attempt: EffectAttempt,
): Promise<Outcome> {
  if (input.path.endsWith("/")) return fail({ code: "invalid", message: "A file is meant." });
  const resolved = await resolveTarget(input, deps.homeDirectory);
  if (!resolved.ok) return resolved;
  const path = resolved.value;
  const noted = attempt.noted as WritePlan | null; // Only this function notes for writes.
  const target: WriteTarget = { path, overwrite: input.overwrite };
  if (noted !== null) return finish(deps, target, noted, attempt);
  const refusal = await findRefusal(path, input);
  if (refusal !== null) return refusal;
  const made = await makeParents(path);
  if (made !== null) return made;
  const held = await holdDirectory(dirname(path.real), path.realRoot);
  if (!held.ok) return held;
  await using directory = held.value;
  if (deps.isFirstWriteIn(directory.path)) await sweepTemps(directory, deps.clock);

  const plan: WritePlan = {
    kind: "write",
    directory: directory.path,
    name: basename(path.real),
    temp: tempNames(input.effect, deps.random)(0),
  };
  const replaces = () => findFile(directory, plan.name);
  await writeTemp(directory, { name: plan.temp, bytes: content, replaces, mode: input.mode });
  return await deps.locks.hold([path.real], async () => {
    try {
      if (input.effect !== null) {
        await directory.sync();
        await attempt.note(plan);
      }
      const outcome = await placeTemp(directory, plan, target);
      if (!outcome.ok) await discard(attempt, directory, plan.temp);
      return outcome;
    } catch (error) {
      await discard(attempt, directory, plan.temp);
      throw error;
    }
  });
}

/** Of a write whose content was durable when it was interrupted. */
async function finish(
  deps: FilesDeps,
  target: WriteTarget,
  plan: WritePlan,
  attempt: EffectAttempt,
): Promise<Outcome> {
  const held = await holdDirectory(plan.directory, target.path.realRoot);
  if (!held.ok) return held;
  await using directory = held.value;
  return await deps.locks.hold([target.path.real], async () => {
    if (!(await hasTemp(directory, plan.temp))) return infoOf(directory, plan, target);
    const outcome = await placeTemp(directory, plan, target);
    if (!outcome.ok) await discard(attempt, directory, plan.temp);
    return outcome;
  });
}

type WriteTarget = { readonly path: RealPath; readonly overwrite: "always" | "never" };

async function findFile(directory: HeldDirectory, name: string): Promise<Stats | null> {
  const found = await orAbsent(lstat(directory.at(name)));
  return found !== null && found.isFile() ? found : null;
}

/** Nothing is decided any more: a repeat begins anew. */
async function discard(
  attempt: EffectAttempt,
  directory: HeldDirectory,
  temp: string,
): Promise<void> {
  await attempt.note(null);
  await dropTemp(directory, temp);
}

async function placeTemp(
  directory: HeldDirectory,
  plan: WritePlan,
  target: WriteTarget,
): Promise<Outcome> {
  if (target.overwrite === "always") {
    await rename(directory.at(plan.temp), directory.at(plan.name));
  } else if (!(await placeIfAbsent(directory, plan))) return exists(target.path.named);
  await directory.sync();
  return infoOf(directory, plan, target);
}

/** Of what is in place, also where the path's end is a symlink to it. */
async function infoOf(
  directory: HeldDirectory,
  { name }: WritePlan,
  { path }: WriteTarget,
): Promise<Outcome> {
  return ok({ file: await readFileInfo({ ...path, real: directory.at(name) }) });
}

/** False: something is there. */
async function placeIfAbsent(
  directory: HeldDirectory,
  { temp, name }: WritePlan,
): Promise<boolean> {
  const waiting = await lstat(directory.at(temp));
  const found = await orAbsent(lstat(directory.at(name)));
  if (found !== null) {
    // An interrupted attempt may have linked it, and not yet removed the other name.
    const isPlaced = found.ino === waiting.ino && found.dev === waiting.dev;
    if (isPlaced) await dropTemp(directory, temp);
    return isPlaced;
  }
  try {
    await link(directory.at(temp), directory.at(name));
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    // A file system without hard links: the moment since we looked stays unguarded.
    await rename(directory.at(temp), directory.at(name));
    return true;
  }
  await dropTemp(directory, temp);
  return true;
}

async function findRefusal(
  { named, real }: RealPath,
  { overwrite }: WriteInput,
): Promise<Result<never, WorkspaceFailure> | null> {
  const found: Stats | null = await orAbsent(lstat(real));
  if (found === null) {
    const isNamed = overwrite === "never" && (await orAbsent(lstat(named))) !== null;
    return isNamed ? exists(named) : null; // A symlink that leads nowhere is there too.
  }
  if (!found.isFile()) return notAFile(named, found);
  if (overwrite === "never") return exists(named);
  // The directory would allow to replace it; its own mode forbids to change it.
  await access(real, constants.W_OK);
  return null;
}

function exists(path: string): Result<never, WorkspaceFailure> {
  return fail({ code: "already_exists", message: `${path} exists already.` });
}

async function makeParents({
  named,
  real,
  realRoot,
}: RealPath): Promise<Result<never, WorkspaceFailure> | null> {
  const parent = dirname(real);
  const first = await mkdir(parent, { recursive: true });
  if (first === undefined) return null;
  // The first that was made is a name in one that was there.
  const held = await holdDirectory(dirname(first), realRoot);
  if (!held.ok) return outsideRoot(named);
  await using directory = held.value;
  await directory.sync();
  return null;
}
