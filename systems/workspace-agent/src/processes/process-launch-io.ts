/**
 * Starts a keeper with a command: finds where and what to run, and says in words of the contract why
 * it cannot. The keeper is in a session of its own and writes to files, so it needs the agent for
 * nothing once it runs.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { StartProcess } from "@atelier/contract/rpc/workspace/processes";
import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { keeperArguments } from "./process-keeper.ts";

export type Launch = {
  /** The process' directory. */
  readonly directory: string;
  readonly shell: string;
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input: StartProcess["input"];
  readonly output: StartProcess["output"];
};

export type WorkspaceDirectories = {
  readonly homeDirectory: string;
  readonly workspaceDirectory: string;
};

/** Absolute, and a directory. */
export async function findWorkingDirectory(
  asked: string,
  { homeDirectory, workspaceDirectory }: WorkspaceDirectories,
): Promise<Result<string, WorkspaceFailure>> {
  const path =
    asked === "" ? workspaceDirectory : resolve(homeDirectory, asked.replace(/^~(?=\/|$)/, "."));
  try {
    if ((await stat(path)).isDirectory()) return ok(path);
    return fail({ code: "not_a_directory", message: `${path} is not a directory.` });
  } catch (error) {
    return fail(toFailure(error, `the working directory ${path}`));
  }
}

/**
 * What to run, without a shell's own words in it: a program is named by its path, so that the keeper
 * does not take `echo` for its own.
 */
export async function findArguments(
  command: StartProcess["command"],
  shell: string,
  workingDirectory: string,
  searchPath: string,
): Promise<Result<readonly string[], WorkspaceFailure>> {
  if (typeof command === "string") return ok([shell, "-c", command]);
  const [program = "", ...rest] = command;
  if (program.includes("/")) {
    const failure = await findReasonNotToRun(resolve(workingDirectory, program));
    return failure === null ? ok(command) : fail(failure);
  }
  for (const directory of searchPath.split(":")) {
    const path = resolve(workingDirectory, directory, program);
    if ((await findReasonNotToRun(path)) === null) return ok([path, ...rest]);
  }
  return fail({
    code: "not_found",
    message: `There is no program ${program} on the PATH: install it, or name it by its path.`,
  });
}

async function findReasonNotToRun(path: string): Promise<WorkspaceFailure | null> {
  try {
    if (!(await stat(path)).isFile()) {
      return { code: "not_a_file", message: `${path} is not a program.` };
    }
    await access(path, constants.X_OK);
    return null;
  } catch (error) {
    return toFailure(error, path);
  }
}

/** Resolves when the keeper is there. Whether it starts the command is another question. */
export async function launchKeeper(
  launch: Launch,
): Promise<Result<ChildProcess, WorkspaceFailure>> {
  const { directory, shell, argv, workingDirectory, environment, input, output } = launch;
  const stdout = await open(join(directory, "stdout"), "a");
  const stderr = output === "combined" ? stdout : await open(join(directory, "stderr"), "a");
  try {
    const child = spawn(shell, [...keeperArguments("/proc"), directory, ...argv], {
      cwd: workingDirectory,
      env: environment,
      detached: true,
      stdio: [input === "pipe" ? "pipe" : "ignore", stdout.fd, "ignore", stderr.fd],
    });
    await new Promise((onSpawn, onError) => child.once("spawn", onSpawn).once("error", onError));
    child.unref();
    return ok(child);
  } catch (error) {
    return fail(await toSpawnFailure(error, launch));
  } finally {
    await stdout.close();
    if (stderr !== stdout) await stderr.close();
  }
}

async function toSpawnFailure(error: unknown, launch: Launch): Promise<WorkspaceFailure> {
  const hasShell = await access(launch.shell, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!hasShell) {
    return {
      code: "unsupported",
      message:
        `Commands need ${launch.shell}, which this machine does not have. Install a POSIX shell ` +
        "there; on Windows run the workspace agent inside WSL.",
    };
  }
  return toFailure(error, launch.workingDirectory);
}

function toFailure(error: unknown, what: string): WorkspaceFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { code: "not_found", message: `There is no such file or directory: ${what}.` };
    case "EACCES":
    case "EPERM":
      return { code: "permission_denied", message: `This user may not use ${what}.` };
    case "E2BIG":
      return { code: "too_large", message: "Command and environment are too large together." };
    case "EAGAIN":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return { code: "busy", message: `The machine has no room for a process (${code}).` };
    default:
      throw error;
  }
}
