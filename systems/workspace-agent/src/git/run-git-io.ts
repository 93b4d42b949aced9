/**
 * Runs git to look, never to change: without locks, prompts, pagers, hooks, networks, and without
 * programs that a repository's own configuration names. Output and time have limits.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { spawn } from "node:child_process";
import { errorCode } from "../paths/system-failure.ts";

export type GitDeps = {
  readonly homeDirectory: string;
  /** Of the agent: what git is given is picked from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
};

export type GitRun = {
  /** Absolute. */
  readonly directory: string;
  readonly args: readonly string[];
  readonly bytesMax: number;
  readonly signal: AbortSignal;
};

export type GitOutput = {
  readonly bytes: Buffer;
  /** There was more, and git was stopped. */
  readonly isCut: boolean;
};

/** Large repositories on slow disks take seconds. */
const GIT_MS_MAX = 20_000;
const STDERR_BYTES_MAX = 4 * 1024;

const KEPT_VARIABLES = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "GIT_EXEC_PATH",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_NOSYSTEM",
];

const HARMLESS = [
  "--no-pager",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.quotePath=false",
  // A repository may hold another in disguise, with a configuration of its own.
  "-c",
  "safe.bareRepository=explicit",
  "-c",
  "submodule.recurse=false",
];

export async function runGit(
  deps: GitDeps,
  run: GitRun,
): Promise<Result<GitOutput, WorkspaceFailure>> {
  run.signal.throwIfAborted();
  const child = spawn("git", [...HARMLESS, ...run.args], {
    cwd: run.directory,
    env: environmentOf(deps),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, run.signal]);
  let isLate = false;
  const limit = deps.clock.sleep(GIT_MS_MAX, signal).then(
    () => {
      isLate = true;
      child.kill("SIGKILL");
    },
    () => child.kill("SIGKILL"), // It is over, or the caller has left.
  );
  const parts: Buffer[] = [];
  let bytes = 0;
  let isCut = false;
  child.stdout.on("data", (part: Buffer) => {
    if (isCut) return;
    parts.push(part);
    bytes += part.byteLength;
    isCut = bytes > run.bytesMax;
    if (isCut) child.kill("SIGKILL");
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, STDERR_BYTES_MAX);
  });
  const ended = Promise.withResolvers<Error | number | null>();
  child.once("error", ended.resolve);
  child.once("close", ended.resolve);
  const end = await ended.promise;
  stop.abort(new Error("git ended"));
  await limit;
  run.signal.throwIfAborted();
  if (end instanceof Error) return notStarted(end, run.directory);
  if (isLate) {
    const message = `git did not answer within ${GIT_MS_MAX / 1_000} seconds.`;
    return fail({ code: "timed_out", message });
  }
  if (!isCut && end !== 0) return refused(said, run.directory);
  return ok({ bytes: Buffer.concat(parts).subarray(0, run.bytesMax), isCut });
}

function environmentOf({ environment, homeDirectory }: GitDeps): Record<string, string> {
  const kept = KEPT_VARIABLES.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    HOME: homeDirectory,
    ...Object.fromEntries(kept),
    LC_ALL: "C",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    SSH_ASKPASS: "false",
    // No object is fetched from anywhere, whatever the repository's configuration allows.
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_LITERAL_PATHSPECS: "1",
  };
}

function notStarted(error: Error, directory: string): Result<never, WorkspaceFailure> {
  const code = errorCode(error);
  // The system says the same of a program and of a directory that are not there; this was looked at.
  if (code === "ENOENT" || code === "EACCES") {
    return fail({ code: "unsupported", message: "There is no git on this machine." });
  }
  return fail({ code: "failed", message: `git could not be started in ${directory}: ${code}.` });
}

function refused(said: string, directory: string): Result<never, WorkspaceFailure> {
  if (said.includes("not a git repository")) {
    return fail({ code: "not_found", message: `${directory} is in no git repository.` });
  }
  if (said.includes("must be run in a work tree") || said.includes("cannot use bare repository")) {
    return fail({ code: "unsupported", message: `${directory} is a repository without files.` });
  }
  const line = said.trim().split("\n")[0] ?? "";
  const code = said.includes("dubious ownership") ? "permission_denied" : "failed";
  return fail({ code, message: `git: ${line === "" ? "it failed and did not say why" : line}.` });
}
