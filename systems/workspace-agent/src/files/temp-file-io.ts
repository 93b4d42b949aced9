/**
 * Content that waits beside a file to take its place. It is whole and durable before it does, so that
 * readers, and whoever comes after a crash, see the old or the new file and nothing between.
 */
import type { Clock } from "@atelier/base/clock";
import type { Stats } from "node:fs";
import { constants, lstat, open, opendir, unlink, type FileHandle } from "node:fs/promises";
import { errorCode, orAbsent } from "../paths/system-failure.ts";
import type { HeldDirectory } from "./held-directory-io.ts";
import { isForgotten } from "./temp-name.ts";

export type TempContent = {
  /** Of the temp file, in the directory of the file that it will be. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** The file whose place it will take keeps its mode and owner. Undefined: it is a new file. */
  readonly replaces: () => Promise<Stats | null>;
  /** Null: of the file that it replaces, or by the agent's umask. */
  readonly mode: number | null;
};

const NEW_FILE_MODE = 0o666;
const PERMISSION_BITS = 0o7777;
/** Set-id bits are for the owner that set them. */
const WITHOUT_SET_ID = 0o1777;
/** Entries of a directory that are looked through for forgotten temp files. */
const SWEPT_ENTRIES_MAX = 10_000;

/** Leaves nothing behind when it throws, and throws as the system or the source of bytes does. */
export async function writeTemp(directory: HeldDirectory, content: TempContent): Promise<void> {
  const path = directory.at(content.name);
  await dropTemp(directory, content.name);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, NEW_FILE_MODE);
  try {
    for await (const bytes of content.bytes) await writeAll(handle, bytes);
    await takeOver(handle, await content.replaces(), content.mode);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await dropTemp(directory, content.name);
    throw error;
  }
  await handle.close();
}

export async function dropTemp(directory: HeldDirectory, name: string): Promise<void> {
  await orAbsent(unlink(directory.at(name)));
}

export async function hasTemp(directory: HeldDirectory, name: string): Promise<boolean> {
  return (await orAbsent(lstat(directory.at(name)))) !== null;
}

/** Removes what crashed writers left, once nobody can come back for it. */
export async function sweepTemps(directory: HeldDirectory, clock: Clock): Promise<void> {
  let left = SWEPT_ENTRIES_MAX;
  for await (const { name } of await opendir(directory.at("."), { bufferSize: 256 })) {
    if (left === 0) return;
    left -= 1;
    if (!isForgotten(name, Infinity)) continue;
    const stats = await orAbsent(lstat(directory.at(name)));
    if (stats === null || !stats.isFile()) continue;
    if (isForgotten(name, clock.now().getTime() - stats.mtimeMs)) await dropTemp(directory, name);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.byteLength - at);
    at += bytesWritten;
  }
}

async function takeOver(
  handle: FileHandle,
  replaced: Stats | null,
  mode: number | null,
): Promise<void> {
  if (replaced === null) {
    if (mode !== null) await handle.chmod(mode);
    return;
  }
  const isOwned = await giveTo(handle, replaced);
  const bits = (mode ?? replaced.mode) & PERMISSION_BITS;
  await handle.chmod(isOwned || mode !== null ? bits : bits & WITHOUT_SET_ID);
}

/** Whether owner and group are those of the other file now. Only some users may give files away. */
async function giveTo(handle: FileHandle, { uid, gid }: Stats): Promise<boolean> {
  const own = await handle.stat();
  if (own.uid === uid && own.gid === gid) return true;
  try {
    await handle.chown(uid, gid);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EPERM") throw error;
    return false;
  }
}
