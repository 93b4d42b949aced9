/** `atelier chat pin`. */
import { ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { changeChat } from "../chat/chat-operations.ts";
import { argument, countOption, defineCommand, switchOption } from "../command.ts";

const PLACE_MAX = 1_000;

export const chatPin = defineCommand({
  name: "chat pin",
  summary: "Keep a chat at the top of the list",
  examples: [
    "atelier chat pin last",
    "atelier chat pin last --place 2",
    "atelier chat pin last --off",
  ],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {
    place: countOption("--place <n>", "among those that are pinned (default: 1)", PLACE_MAX),
    off: switchOption("--off", "pin it no longer"),
  },
  run: (cli, { args, options }) =>
    withChat(cli, args.chat, async (api, { id }) => {
      const place = options.off ? 0 : (options.place ?? 1);
      const done = await changeChat(api, id, { pin_order: place });
      const text = options.off ? "It is pinned no longer." : "It is pinned.";
      return done.ok ? ok({ json: { chat: id, pin_order: place }, text }) : done;
    }),
});
