/** Which git repositories a workspace has, as far as one looks without walking all of its disk. */
import { ok, type Result } from "@atelier/base/result";
import { GIT_REPOSITORIES_MAX } from "@atelier/contract/http/workspace-git";
import type { MachineFailure } from "@atelier/contract/rpc/workspace/machine-failure";
import { join } from "node:path/posix";
import { absolutePath, type Asking } from "./machine-path.ts";
import { fromMachine } from "./panel-failure.ts";

/** Entries of the directory that are looked at. */
const DIRECTORIES_MAX = 500;
/** Directories that are asked about at once. */
const CONCURRENT_MAX = 16;

export type Repositories = { readonly roots: readonly string[]; readonly isCut: boolean };

/** The one that holds the directory, and those that are just below it. */
export async function findRepositories(
  asking: Asking,
  path: string,
): Promise<Result<Repositories, MachineFailure>> {
  const { services, signal } = asking;
  const directory = await absolutePath(asking, path);
  if (!directory.ok) return fromMachine(directory);
  const own = await services.git.state({ path: directory.value }, { signal });
  if (!own.ok && own.failure.code !== "not_found") return fromMachine(own);
  const page = { path: directory.value, limit: DIRECTORIES_MAX };
  const listed = await services.files.list(page, { signal });
  if (!listed.ok) return fromMachine(listed);
  const { entries, next } = listed.value;
  const below = entries.filter(({ kind, name }) => kind === "directory" && name !== ".git");
  const roots = own.ok ? [own.value.root] : [];
  for (let at = 0; at < below.length; at += CONCURRENT_MAX) {
    const some = below.slice(at, at + CONCURRENT_MAX);
    const found = await Promise.all(
      some.map((entry) => services.files.stat({ path: join(entry.path, ".git") }, { signal })),
    );
    roots.push(...some.filter((_, index) => found[index]?.ok).map((entry) => entry.path));
    if (roots.length >= GIT_REPOSITORIES_MAX) break;
  }
  const isCut = roots.length > GIT_REPOSITORIES_MAX || next !== null;
  return ok({ roots: roots.slice(0, GIT_REPOSITORIES_MAX), isCut });
}
