/** What a directory entry is, as the contract says it. */
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { Stats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { basename } from "node:path";
import { isInside } from "../paths/workspace-path.ts";
import type { RealPath } from "./real-path-io.ts";

const PERMISSION_BITS = 0o7777;

/** Of the entry itself, with a symlink's target. Throws as the system does. */
export async function readFileInfo({ named, real, realRoot }: RealPath): Promise<FileInfo> {
  const stats = await lstat(real);
  const target = stats.isSymbolicLink() ? await findTarget(real, realRoot) : null;
  return toFileInfo(named, stats, target);
}

export function toFileInfo(named: string, stats: Stats, target: string | null): FileInfo {
  return {
    path: named,
    name: basename(named),
    kind: kindOf(stats),
    size: stats.size,
    mode: stats.mode & PERMISSION_BITS,
    modifiedAt: stats.mtime.toISOString(),
    target,
  };
}

function kindOf(stats: Stats): FileInfo["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
}

async function findTarget(real: string, realRoot: string | null): Promise<string | null> {
  try {
    const target = await realpath(real);
    return realRoot === null || isInside(realRoot, target) ? target : null;
  } catch {
    return null; // It leads nowhere, in a circle, or where the agent may not look.
  }
}
