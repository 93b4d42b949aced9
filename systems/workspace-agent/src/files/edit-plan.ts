/**
 * What a stamped edit of several files notes once all new contents are durable beside their files. From
 * then on it is decided: after a crash it is finished, as long as nobody else changed the files.
 */
export type EditPlan = {
  readonly kind: "edit";
  readonly files: readonly PlannedFile[];
  /** It was found torn, and this was said. Null: it was not. */
  readonly torn: string | null;
};

export type PlannedFile = {
  /** As the caller named it, for the answer. */
  readonly path: string;
  readonly diff: string;
  /** The real directory, and in it the file and the new content that waits. */
  readonly directory: string;
  readonly name: string;
  readonly temp: string;
  /** SHA-256 of the content that the edit was made for. */
  readonly beforeHash: string;
};

/** What is found of one planned file after a crash. */
export type PlannedFileState = {
  /** The new content still waits. */
  readonly isWaiting: boolean;
  /** The file is as the edit was made for. */
  readonly isUnchanged: boolean;
};

/** What to do about a plan that was interrupted. */
export type Recovery =
  /** Put the contents that wait in place, which may be none. */
  | { readonly kind: "finish"; readonly waiting: readonly PlannedFile[] }
  /** Nothing has taken place, and the files have changed since: begin anew. */
  | { readonly kind: "forget" }
  /** Some of it has taken place, and somebody has changed other files since. */
  | { readonly kind: "torn"; readonly message: string };

export function decideRecovery(
  plan: EditPlan,
  stateOf: (file: PlannedFile) => PlannedFileState,
): Recovery {
  const waiting = plan.files.filter((file) => stateOf(file).isWaiting);
  const changed = waiting.filter((file) => !stateOf(file).isUnchanged);
  if (changed.length === 0) return { kind: "finish", waiting };
  if (waiting.length === plan.files.length) return { kind: "forget" };
  const done = plan.files.filter((file) => !waiting.includes(file));
  return {
    kind: "torn",
    message:
      "The edit was interrupted, and somebody changed files before it could be finished: " +
      `${namesOf(done)} has it, ${namesOf(waiting)} does not. Read them again.`,
  };
}

function namesOf(files: readonly PlannedFile[]): string {
  return files.map((file) => file.path).join(", ");
}
