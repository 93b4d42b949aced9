/**
 * A directory that is held open while something is done in it, so that nobody can put another, or a
 * symlink, in its place meanwhile. On Linux names are looked up from the held directory itself;
 * elsewhere by its real path.
 */
import { ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { existsSync } from "node:fs";
import { constants, open, readlink, realpath, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isInside } from "../paths/workspace-path.ts";
import { outsideRoot } from "./real-path-io.ts";

const DESCRIPTORS = "/proc/self/fd";
const hasDescriptors = existsSync(DESCRIPTORS);

export class HeldDirectory implements AsyncDisposable {
  /** The real path by which it was opened. */
  readonly path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** A path to a name in this directory, for as long as it is held. */
  at(name: string): string {
    return join(hasDescriptors ? `${DESCRIPTORS}/${this.#handle.fd}` : this.path, name);
  }

  /** Makes names that were added, changed or removed durable. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Throws as the system does where it cannot be opened. */
export async function holdDirectory(
  real: string,
  realRoot: string | null,
): Promise<Result<HeldDirectory, WorkspaceFailure>> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  await using closing = new AsyncDisposableStack();
  closing.use(handle);
  if (await isOpenOutside(handle, real, realRoot)) return outsideRoot(real);
  closing.move();
  return ok(new HeldDirectory(real, handle));
}

/** Whether what was opened lies out of the root: somebody changed the way there meanwhile. */
export async function isOpenOutside(
  handle: FileHandle,
  real: string,
  realRoot: string | null,
): Promise<boolean> {
  if (realRoot === null) return false;
  const where = await (hasDescriptors ? readlink(`${DESCRIPTORS}/${handle.fd}`) : realpath(real));
  return !isInside(realRoot, where);
}
