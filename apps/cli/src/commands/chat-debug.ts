/** `atelier chat debug`: what a chat sent to models and was answered. */
import { fail, ok, type Result } from "@atelier/base/result";
import { getChatDebugRun, listChatDebugRuns } from "@atelier/contract/http/chat-debug";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { notFoundFailure, type CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import { argument, defineCommand, optionalArgument } from "../command.ts";
import { debugRunsText, debugRunText } from "../output/debug-runs.ts";

export const chatDebug = defineCommand({
  name: "chat debug",
  summary: "Show the recorded model calls of a chat: its runs, or one run step by step",
  details:
    "Calls are recorded where the server's option, or an administrator and you, want them to be. With --json a run has its requests, answers and attempts.",
  examples: [
    "atelier chat debug last",
    "atelier chat debug last last --json",
    "atelier chat debug last 3f9c",
  ],
  args: {
    chat: argument(CHAT_ARGUMENT),
    run: optionalArgument("a run: its id, the beginning of it, or `last`"),
  },
  options: {},
  run: (cli, { args }) =>
    withChat(cli, args.chat, async (api, { id }) => {
      const listed = await api.call(listChatDebugRuns, { params: { chat: id } });
      if (!listed.ok) return listed;
      if (args.run === undefined) {
        return ok({ json: listed.value, text: debugRunsText(cli.look, listed.value) });
      }
      const run = await findRun(api, id, {
        ref: args.run,
        ids: listed.value.runs.map((each) => each.id),
      });
      if (!run.ok) return run;
      return ok({ json: run.value, text: debugRunText(cli.look, run.value) });
    }),
});

async function findRun(
  api: Api,
  chat: string,
  { ref, ids }: { readonly ref: string; readonly ids: readonly string[] },
): Promise<Result<Parameters<typeof debugRunText>[1], CliFailure>> {
  const found = ref === "last" ? ids.slice(0, 1) : ids.filter((id) => id.startsWith(ref));
  const [run, another] = found;
  if (another !== undefined) {
    return fail(notFoundFailure(`Several runs begin with "${ref}": give more of the id.`));
  }
  if (run === undefined) return fail(notFoundFailure("This chat has no such recorded run."));
  return api.call(getChatDebugRun, { params: { chat, run }, query: {} });
}
