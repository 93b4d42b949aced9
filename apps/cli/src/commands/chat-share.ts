/** `atelier chat share`. */
import { ok } from "@atelier/base/result";
import { getChatAcl, updateChatAcl } from "@atelier/contract/http/chat-sharing";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { argument, defineCommand, textsOption } from "../command.ts";
import { table } from "../output/people.ts";

export const chatShare = defineCommand({
  name: "chat share",
  summary: "Let others read a chat and the agents that it started, and see who may",
  examples: [
    "atelier chat share last",
    "atelier chat share last --with grace --with linus",
    "atelier chat share last --without linus",
  ],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {
    with: textsOption("--with <user>", "may read it from now on; may be repeated"),
    without: textsOption("--without <user>", "may not any more; may be repeated"),
  },
  run: (cli, { args, options }) =>
    withChat(cli, args.chat, async (api, { id: chat }) => {
      const roles = {
        ...Object.fromEntries(options.with.map((user) => [user, "read" as const])),
        ...Object.fromEntries(options.without.map((user) => [user, "" as const])),
      };
      if (Object.keys(roles).length > 0) {
        const input = { params: { chat }, body: { user_roles: roles } };
        const changed = await api.call(updateChatAcl, input);
        if (!changed.ok) return changed;
      }
      const readers = await api.call(getChatAcl, { params: { chat } });
      if (!readers.ok) return readers;
      const { users, sharing_enabled: isEnabled } = readers.value;
      const columns = [{ title: "USER", isWhole: true }, { title: "NAME" }, { title: "MAY" }];
      const rows = users.map(({ username, name, role }) => [username, name, role]);
      const listed =
        users.length === 0 ? "It is shared with nobody." : table(cli.look, columns, rows);
      const off = "\nChats are not shared in this deployment: nobody of them reads it.";
      return ok({ json: readers.value, text: isEnabled ? listed : listed + off });
    }),
});
