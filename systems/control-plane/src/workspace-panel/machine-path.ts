/** Paths as clients write them, as the machine that they are on knows them. */
import { ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { join, normalize } from "node:path/posix";

/** A machine, for one request of somebody who waits for the answer. */
export type Asking = { readonly services: WorkspaceServices; readonly signal: AbortSignal };

/** The absolute path that is meant. Empty: the workspace's directory. */
export async function absolutePath(
  { services, signal }: Asking,
  path: string,
): Promise<Result<string, WorkspaceFailure>> {
  if (path.startsWith("/")) return ok(withoutSlash(normalize(path)));
  const info = await services.machine.info({}, { signal });
  if (!info.ok) return info;
  const { directory, home } = info.value;
  return ok(path === "" ? directory : withoutSlash(join(home, path.slice(1))));
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
