/**
 * Opens regular files for reading, and only those: opening a pipe or a device could wait for ever or
 * do something. Nothing here waits longer than a limit, though files of the kernel and of networks may.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { Stats } from "node:fs";
import { constants, lstat, open, type FileHandle } from "node:fs/promises";
import { isOpenOutside } from "./held-directory-io.ts";
import { outsideRoot, type RealPath } from "./real-path-io.ts";

/** Of one request to the system. */
export const READ_MS_MAX = 10_000;

export type OpenFile = AsyncDisposable & { readonly handle: FileHandle; readonly stats: Stats };

export async function openForReading(
  { named, real, realRoot }: RealPath,
  clock: Clock,
): Promise<Result<OpenFile, WorkspaceFailure>> {
  const found = await lstat(real);
  if (!found.isFile()) return notAFile(named, found);
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const opening = open(real, flags);
  const handle = await withinTime(opening, clock);
  if (handle === null) {
    opening
      .then(
        (late) => late.close(),
        () => {}, // Nobody waits for it any more.
      )
      .catch(() => {});
    return tooSlow(named);
  }
  await using closing = new AsyncDisposableStack();
  closing.use(handle);
  const stats = await handle.stat();
  if (await isOpenOutside(handle, real, realRoot)) return outsideRoot(named);
  if (!stats.isFile()) return notAFile(named, stats);
  closing.move();
  return ok({ handle, stats, [Symbol.asyncDispose]: () => handle.close() });
}

export function notAFile(path: string, stats: Stats): Result<never, WorkspaceFailure> {
  const what = stats.isDirectory() ? "a directory" : "a device, a pipe or a socket";
  return fail({ code: "not_a_file", message: `${path} is ${what}.` });
}

export function tooSlow(path: string): Result<never, WorkspaceFailure> {
  const message = `${path} did not answer within ${READ_MS_MAX / 1_000} seconds.`;
  return fail({ code: "timed_out", message });
}

/** Null: it took longer than the limit, and goes on where nobody waits. */
export async function withinTime<Value>(work: Promise<Value>, clock: Clock): Promise<Value | null> {
  const stop = new AbortController();
  const limit = clock.sleep(READ_MS_MAX, stop.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    stop.abort();
    work.catch(() => {}); // A late failure is nobody's any more.
  }
}
