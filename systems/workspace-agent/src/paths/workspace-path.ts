/** Paths as callers write them: absolute, or from the home directory on. Pure: nothing is looked up. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { isAbsolute, join, normalize } from "node:path";

/** The absolute path without `.`, `..` and a slash at its end. */
export function parsePath(text: string, homeDirectory: string): Result<string, WorkspaceFailure> {
  if (text.includes("\0")) return invalid("A path has no NUL in it.");
  const path = text === "~" || text.startsWith("~/") ? join(homeDirectory, text.slice(1)) : text;
  if (!isAbsolute(path)) {
    return invalid(`A path is absolute or begins with ~/, and ${JSON.stringify(text)} does not.`);
  }
  const normal = normalize(path);
  return ok(normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal);
}

/** Whether a path is the directory or below it. Both are absolute and normal. */
export function isInside(directory: string, path: string): boolean {
  if (path === directory) return true;
  return path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function invalid(message: string): Result<never, WorkspaceFailure> {
  return fail({ code: "invalid", message });
}
