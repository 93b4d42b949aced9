/** What commands that do one thing to one chat have in common. */
import { ok, type Result } from "@atelier/base/result";
import type { Chat } from "@atelier/contract/http/chats";
import type { CliFailure } from "../cli-failure.ts";
import { signedIn, type Api, type Cli } from "../cli.ts";
import {
  argument,
  defineCommand,
  shown,
  type CommandDefinition,
  type CommandOutcome,
} from "../command.ts";
import { CHAT_ARGUMENT, findChat } from "./chat-lookup.ts";

/** Finds the chat, does it, and says so. `text` is harmless for terminals. */
export async function withChat(
  cli: Cli,
  ref: string,
  work: (
    api: Api,
    chat: Chat,
  ) => Promise<Result<{ readonly json: unknown; readonly text: string }, CliFailure>>,
): CommandOutcome {
  const api = await signedIn(cli);
  if (!api.ok) return api;
  const chat = await findChat(api.value, ref);
  if (!chat.ok) return chat;
  const done = await work(api.value, chat.value);
  return done.ok ? ok(shown({ json: done.value.json, text: () => done.value.text })) : done;
}

export function simpleChatCommand(command: {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  readonly done: string;
  run(api: Api, chat: Chat): Promise<Result<unknown, CliFailure>>;
}): CommandDefinition {
  return defineCommand({
    name: command.name,
    summary: command.summary,
    examples: [command.example],
    args: { chat: argument(CHAT_ARGUMENT) },
    options: {},
    run: (cli, { args }) =>
      withChat(cli, args.chat, async (api, chat) => {
        const done = await command.run(api, chat);
        if (!done.ok) return done;
        return ok({ json: done.value ?? { chat: chat.id }, text: command.done });
      }),
  });
}
