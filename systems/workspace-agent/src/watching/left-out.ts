/** Directories whose insides change so much, and matter so little, that watches leave them out. */
import { basename } from "node:path";
import { isInside } from "../paths/workspace-path.ts";

const LEFT_OUT = new Set([".git", "node_modules"]);

/** Whether a path is inside of such a directory, seen from the directory that is watched. */
export function isLeftOut(watched: string, path: string): boolean {
  if (path === watched || !isInside(watched, path)) return false;
  const below = path.slice(watched === "/" ? 1 : watched.length + 1);
  return below
    .split("/")
    .slice(0, -1)
    .some((part) => LEFT_OUT.has(part));
}

/** Whether what is inside of a directory is left out. */
export function isClosed(directory: string): boolean {
  return LEFT_OUT.has(basename(directory));
}
