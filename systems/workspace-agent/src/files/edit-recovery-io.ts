/** Finishes edits of several files that a crash interrupted. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { createHash } from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { orAbsent } from "../paths/system-failure.ts";
import {
  decideRecovery,
  type EditPlan,
  type PlannedFile,
  type PlannedFileState,
} from "./edit-plan.ts";
import { holdDirectory, type HeldDirectory } from "./held-directory-io.ts";
import { dropTemp, hasTemp } from "./temp-file-io.ts";

/**
 * `finished`: the plan holds. `forgotten`: nothing of it does, it may begin anew. `left`: only the
 * repeat can decide, since it has somebody who hears of it.
 */
export type EditRecovery = "finished" | "forgotten" | "left";

/** `note` is the repeat's; null at a start, which only finishes what can be finished. */
export async function recoverEdit(
  plan: EditPlan,
  realRoot: string | null,
  note: ((plan: EditPlan | null) => Promise<void>) | null,
): Promise<Result<EditRecovery, WorkspaceFailure>> {
  if (plan.torn !== null) return fail({ code: "conflict", message: plan.torn });
  await using stack = new AsyncDisposableStack();
  const found = new Map<PlannedFile, { directory: HeldDirectory; state: PlannedFileState }>();
  for (const file of plan.files) {
    const held = await holdDirectory(file.directory, realRoot);
    if (!held.ok) return held;
    const directory = stack.use(held.value);
    const content = await orAbsent(readFile(directory.at(file.name)));
    const isUnchanged = content !== null && hashOf(content) === file.beforeHash;
    const isWaiting = await hasTemp(directory, file.temp);
    found.set(file, { directory, state: { isWaiting, isUnchanged } });
  }
  const at = (file: PlannedFile): HeldDirectory => placeOf(found, file).directory;
  const recovery = decideRecovery(plan, (file) => placeOf(found, file).state);
  if (recovery.kind === "finish") {
    for (const file of recovery.waiting) await placeFile(at(file), file);
    return ok("finished");
  }
  if (note === null) return ok("left");
  // Noted before the contents go away: a plan without any that wait counts as finished.
  await note(recovery.kind === "torn" ? { ...plan, torn: recovery.message } : null);
  for (const file of plan.files) await dropTemp(at(file), file.temp);
  if (recovery.kind === "forget") return ok("forgotten");
  return fail({ code: "conflict", message: recovery.message });
}

export async function placeFile(directory: HeldDirectory, file: PlannedFile): Promise<void> {
  await rename(directory.at(file.temp), directory.at(file.name));
  await directory.sync();
}

export function hashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function placeOf<Place>(places: ReadonlyMap<PlannedFile, Place>, file: PlannedFile): Place {
  const place = places.get(file);
  if (place === undefined) throw new Error("every file of a plan was looked at");
  return place;
}
