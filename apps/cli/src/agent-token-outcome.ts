/** What commands that make a workspace's token print: the command that attaches a machine. */
import type { Result } from "@atelier/base/result";
import type { CallAnswer } from "@atelier/contract/client";
import { createWorkspaceAgentToken } from "@atelier/contract/http/workspaces";
import type { CliFailure } from "./cli-failure.ts";
import type { Api } from "./cli.ts";
import { safe } from "./output/terminal-safe.ts";

export type IssuedToken = CallAnswer<typeof createWorkspaceAgentToken>;

export function issueToken(
  api: Api,
  workspaceId: string,
): Promise<Result<IssuedToken, CliFailure>> {
  return api.call(createWorkspaceAgentToken, { params: { workspace: workspaceId } });
}

/** Safe for terminals. */
export function attachText({ command, warning }: IssuedToken): string {
  const hint = warning === null ? "" : safe`\n${warning}\n`;
  const heading =
    "Run this on the machine that you want to attach, which needs curl and Node 24 or later:";
  return safe`${heading}\n\n  ${command}\n` + hint;
}

export const TOKEN_NOTE =
  "Keep the token secret: whoever has it can stand in for the machine. It is not shown again.";
