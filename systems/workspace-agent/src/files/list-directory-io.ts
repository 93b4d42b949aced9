/** One page of a directory's entries. */
import { ok, type Result } from "@atelier/base/result";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { orAbsent } from "../paths/system-failure.ts";
import { EntryPage } from "./entry-page.ts";
import { readFileInfo } from "./file-info-io.ts";
import { holdDirectory } from "./held-directory-io.ts";
import type { RealPath } from "./real-path-io.ts";

/** Files that are asked about at once. */
const CONCURRENT_MAX = 32;

export async function listDirectory(
  { named, real, realRoot }: RealPath,
  { after, limit }: { readonly after: string; readonly limit: number },
  signal: AbortSignal,
): Promise<
  Result<{ readonly entries: FileInfo[]; readonly next: string | null }, WorkspaceFailure>
> {
  const held = await holdDirectory(real, realRoot);
  if (!held.ok) return held;
  await using directory = held.value;
  const page = new EntryPage(after, limit);
  for await (const entry of await opendir(directory.at("."), { bufferSize: 256 })) {
    signal.throwIfAborted();
    page.add({ name: entry.name, isDirectory: entry.isDirectory() });
  }
  const { entries, next } = page.end();
  const found: FileInfo[] = [];
  for (let at = 0; at < entries.length; at += CONCURRENT_MAX) {
    const some = entries.slice(at, at + CONCURRENT_MAX).map(({ name }) =>
      // What went away meanwhile is not there.
      orAbsent(readFileInfo({ named: join(named, name), real: directory.at(name), realRoot })),
    );
    found.push(...(await Promise.all(some)).filter((info) => info !== null));
  }
  return ok({ entries: found, next });
}
