/** `atelier agent`: attach this machine to a workspace. */
import { ok } from "@atelier/base/result";
import { defineCommand } from "../command.ts";

export const attachAgent = defineCommand({
  name: "agent",
  summary: "Attach this machine to a workspace, for as long as this runs",
  details:
    "All that follows goes to the workspace agent as it is: `atelier agent --help` lists its options.\n`atelier workspaces token` prints the command with a token.",
  examples: ["atelier agent --url https://atelier.example.com --token-file ./token"],
  args: {},
  options: {},
  passesThrough: true,
  run: async (cli, { words }) =>
    ok({ kind: "exited", exitCode: await cli.startOwnProgram("workspace-agent", words) }),
});
