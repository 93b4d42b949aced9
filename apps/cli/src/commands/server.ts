/** `atelier server`: start the server on this machine. */
import { ok } from "@atelier/base/result";
import { defineCommand } from "../command.ts";

export const server = defineCommand({
  name: "server",
  summary: "Start the server, or run one of its own commands",
  details:
    "All that follows goes to the server as it is: `atelier server --help` lists its options.",
  examples: [
    "atelier server",
    "atelier server --http-address 127.0.0.1:4000 --data-dir ./data",
    "atelier server dbcrypt --help",
  ],
  args: {},
  options: {},
  passesThrough: true,
  run: async (cli, { words }) =>
    ok({ kind: "exited", exitCode: await cli.startOwnProgram("server", words) }),
});
