/** From a workspace's name to the services of its workspace agent, for the commands that act there. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { Link } from "@atelier/tunnel/link";
import type { OpenSocketFailure } from "@atelier/tunnel/open-socket";
import { z } from "zod";
import { EXIT_CODES, notFoundFailure, plainFailure, type CliFailure } from "./cli-failure.ts";
import { signedIn, type Cli } from "./cli.ts";
import { safe } from "./output/terminal-safe.ts";
import { findWorkspace } from "./workspace-lookup.ts";

/** Runs `work` with a link to the workspace, and closes it after. */
export async function withWorkspace<Value>(
  cli: Cli,
  workspace: string,
  work: (link: Link) => Promise<Result<Value, CliFailure>>,
): Promise<Result<Value, CliFailure>> {
  const linked = await linkTo(cli, workspace);
  if (!linked.ok) return linked;
  const link = linked.value;
  try {
    return await work(link);
  } finally {
    link.close();
  }
}

async function linkTo(cli: Cli, workspace: string): Promise<Result<Link, CliFailure>> {
  const api = await signedIn(cli);
  if (!api.ok) return api;
  const found = await findWorkspace(api.value, workspace);
  if (!found.ok) return found;
  const [agent] = found.value.agents;
  if (agent === undefined) return fail(notFoundFailure("The workspace has no machine."));
  if (agent.status !== "connected") {
    const remedy = safe`Start the workspace agent on its machine; \`atelier workspaces token ${workspace}\` shows how.`;
    return fail({ ...plainFailure("The workspace is not connected.", remedy), ...UNREACHABLE });
  }
  const { url, token } = api.value;
  const dialled = await cli.dialAgent({ url, token, agentId: agent.id });
  return dialled.ok ? dialled : fail(failureOfDial(dialled.failure));
}

const UNREACHABLE = { exitCode: EXIT_CODES.unreachable, code: "workspace.disconnected" } as const;

const Problem = z.object({ message: z.string(), code: z.string() });

/** What a WebSocket that was not opened means. */
export function failureOfDial(failure: OpenSocketFailure): CliFailure {
  if (failure.kind === "unreachable") {
    const message = safe`The server cannot be reached: ${failure.error.message}`;
    return { ...plainFailure(message), exitCode: EXIT_CODES.unreachable };
  }
  const { status } = failure;
  const problem = Problem.safeParse(jsonOf(failure.body));
  const message = problem.success ? problem.data.message : `The server answered ${status}.`;
  const exitCode =
    status === 404
      ? EXIT_CODES.notFound
      : status === 401
        ? EXIT_CODES.notSignedIn
        : EXIT_CODES.failed;
  const code = problem.success ? problem.data.code : "cli.failed";
  return { ...plainFailure(message), exitCode, code, status };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // A proxy between us and the server speaks for itself.
  }
}

/** What a workspace answered, as the CLI says it. */
export function failureOfWorkspace({ code, message }: WorkspaceFailure): CliFailure {
  const failure = { ...plainFailure(message), code: `workspace.${code}` };
  if (code === "not_found") return { ...failure, exitCode: EXIT_CODES.notFound };
  if (code === "invalid") return { ...failure, exitCode: EXIT_CODES.usage };
  if (code === "disconnected") return { ...failure, exitCode: EXIT_CODES.unreachable };
  if (code === "already_exists" || code === "conflict") {
    return { ...failure, exitCode: EXIT_CODES.conflict };
  }
  return failure;
}

/** The value, or the failure as the CLI says it. */
export function answered<Value>(
  result: Result<Value, WorkspaceFailure>,
): Result<Value, CliFailure> {
  return result.ok ? ok(result.value) : fail(failureOfWorkspace(result.failure));
}
