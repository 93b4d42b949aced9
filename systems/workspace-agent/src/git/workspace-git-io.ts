/** The state of git repositories in a workspace (contract, workspace/git): the port. */
import { fail, ok, type Result } from "@atelier/base/result";
import { GIT_OPERATIONS, type WorkspaceGit } from "@atelier/contract/rpc/workspace/git";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { tried } from "../paths/system-failure.ts";
import { parsePath } from "../paths/workspace-path.ts";
import { readChanges } from "./git-changes-io.ts";
import { readDiff } from "./git-diff-io.ts";
import { findRepository, readState, type Repository } from "./git-state-io.ts";
import type { GitDeps } from "./run-git-io.ts";
import { watchGit } from "./watch-git-io.ts";

const WATCHES_MAX = 32;

/** `directory`: what is looked at unless a call says otherwise. */
export function openGit(deps: GitDeps & { readonly directory: string }): WorkspaceGit {
  let watches = 0;

  return implement(GIT_OPERATIONS, {
    state: ({ path }, signal) =>
      inRepository(deps, path, signal, (repository) => readState(deps, repository, signal)),
    changes: ({ path = deps.directory, ...request }, signal) =>
      tried(path, async () => {
        const parsed = parsePath(path, deps.homeDirectory);
        if (!parsed.ok) return parsed;
        const stats = await stat(parsed.value);
        if (!stats.isDirectory()) {
          return fail({ code: "not_a_directory", message: `${parsed.value} is no directory.` });
        }
        return readChanges(deps, parsed.value, request, signal);
      }),
    diff: ({ path, since, prefix, maxBytes }, signal) =>
      inRepository(deps, path, signal, (repository) =>
        readDiff(deps, repository, { since, prefix, maxBytes, signal }),
      ),
    watch: async ({ path }, signal) => {
      if (watches >= WATCHES_MAX) {
        return fail({ code: "busy", message: "Too many repositories are watched." });
      }
      const found = await inRepository(deps, path, signal, async ({ root }) => ok(root));
      if (!found.ok) return found;
      return ok(counted(watchGit(deps, found.value, signal)));
    },
  });

  async function* counted<Event>(events: AsyncIterable<Event>): AsyncGenerator<Event> {
    watches += 1;
    try {
      yield* events;
    } finally {
      watches -= 1;
    }
  }
}

function inRepository<Value>(
  deps: GitDeps,
  path: string,
  signal: AbortSignal,
  look: (repository: Repository) => Promise<Result<Value, WorkspaceFailure>>,
): Promise<Result<Value, WorkspaceFailure>> {
  return tried(path, async () => {
    const parsed = parsePath(path, deps.homeDirectory);
    if (!parsed.ok) return parsed;
    const stats = await stat(parsed.value);
    const directory = stats.isDirectory() ? parsed.value : dirname(parsed.value);
    const repository = await findRepository(deps, directory, signal);
    return repository.ok ? look(repository.value) : repository;
  });
}
