/** `atelier terminal`: a terminal in a workspace, which stays there when you leave it. */
import { fail, ok } from "@atelier/base/result";
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import { EXIT_CODES, plainFailure, usageFailure } from "../cli-failure.ts";
import type { ByteStreams } from "../byte-streams.ts";
import { argument, defineCommand, optionalArgument, textOption } from "../command.ts";
import { answered, withWorkspace } from "../workspace-link.ts";
import { WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

/** Ctrl-] leaves the terminal running, as telnet has it. */
const DETACH_BYTE = 0x1d;

export const terminal = defineCommand({
  name: "terminal",
  summary: "Open a terminal in a workspace, or go back to one",
  details:
    "Ctrl-] leaves it running: the id that is then shown brings you back, with the screen as it is.",
  examples: [
    "atelier terminal dev",
    "atelier terminal dev 6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c",
    "atelier terminal dev --command htop",
  ],
  args: {
    workspace: argument(WORKSPACE_ARGUMENT),
    id: optionalArgument("the terminal to go back to; default: a new one"),
  },
  options: {
    command: textOption("--command <text>", "what runs in a new one; default: the login shell"),
  },
  run: async (cli, { args, options }) => {
    const { streams } = cli;
    if (!streams.isInputTerminal || !streams.isOutputTerminal) {
      const remedy = "For programs there is `atelier exec`.";
      return fail(usageFailure("This needs a terminal on both sides.", remedy));
    }
    const id = args.id ?? cli.random.uuid();
    const left = await withWorkspace(cli, args.workspace, async ({ services, closed }) => {
      const attached = await services.terminals.attach({
        id,
        ...streams.size(),
        command: options.command ?? "",
        mayStart: args.id === undefined,
      });
      if (!attached.ok) return answered(attached);
      const { channel } = attached.value;
      const endResize = streams.onResize(() => {
        services.terminals.resize({ id, ...streams.size() }).catch(() => {}); // The next one counts.
      });
      streams.setRaw(true);
      try {
        closed.then(
          () => channel.destroy(),
          () => {},
        );
        return ok(await converse(streams, channel));
      } finally {
        streams.setRaw(false);
        streams.releaseInput();
        endResize();
      }
    });
    if (!left.ok) return left;
    if (left.value === "ended") return ok({ kind: "exited", exitCode: EXIT_CODES.done });
    const again = `atelier terminal ${args.workspace} ${id}`;
    if (left.value === "broken") {
      return fail(plainFailure("The connection broke; the terminal runs on.", `Go back: ${again}`));
    }
    cli.note(`\r\nThe terminal runs on. Go back to it: ${again}`);
    return ok({ kind: "exited", exitCode: EXIT_CODES.done });
  },
});

/** Until the program in the terminal ended, the person left it, or the link broke. */
async function converse(
  streams: ByteStreams,
  channel: ByteChannel,
): Promise<"ended" | "left" | "broken"> {
  const showing = (async (): Promise<"ended" | "broken"> => {
    try {
      for await (const bytes of channel.incoming) await streams.writeOut(bytes);
      return "ended";
    } catch {
      return "broken";
    }
  })();
  const typing = (async (): Promise<"left" | "ended" | "broken"> => {
    try {
      for await (const bytes of streams.input()) {
        const at = bytes.indexOf(DETACH_BYTE);
        if (at === -1) {
          await channel.write(bytes);
          continue;
        }
        if (at > 0) await channel.write(bytes.subarray(0, at));
        return "left";
      }
      return "left"; // The terminal on this side is gone.
    } catch {
      return showing; // What comes from there says why.
    }
  })();
  const how = await Promise.race([showing, typing]);
  channel.destroy();
  return how;
}
