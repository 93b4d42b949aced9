/** `atelier chat list`. */
import { ok } from "@atelier/base/result";
import { CHAT_STATUSES } from "@atelier/contract/chat/chat-words";
import { listChats } from "@atelier/contract/http/chats";
import { chatNames, chatsTable } from "../chat/chat-fields.ts";
import { LABEL_OPTION, labelsOf } from "../chat/chat-options.ts";
import { signedIn } from "../cli.ts";
import { choicesOption, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { collectPages, PAGING_OPTIONS } from "../paging.ts";
import { searchQuery } from "../search-query.ts";

const PAGE_MAX = 200;

export const chatList = defineCommand({
  name: "chat list",
  summary: "List your chats: pinned ones first, then the latest",
  examples: [
    "atelier chat list",
    "atelier chat list --status running --status requires_action",
    "atelier chat list --label team=core --archived --json",
  ],
  args: {},
  options: {
    status: choicesOption("--status <status>", "in this state; may be repeated", CHAT_STATUSES),
    search: textOption(
      "--search <words>",
      "with this in the title, or these words in what was said",
    ),
    title: textOption("--title <text>", "with this in the title"),
    archived: switchOption("--archived", "those in the archive"),
    shared: switchOption("--shared", "those that others share with you, in place of your own"),
    unread: switchOption("--unread", "with an answer that you have not seen"),
    label: LABEL_OPTION,
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const labels = labelsOf(options.label);
    if (!labels.ok) return labels;
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const q = searchQuery({
      search: options.search,
      title: options.title,
      status: options.status.length === 0 ? undefined : options.status.join(","),
      archived: options.archived ? "true" : undefined,
      source: options.shared ? "shared_with_me" : undefined,
      has_unread: options.unread ? "true" : undefined,
    });
    const label = Object.entries(labels.value).map(([key, value]) => `${key}:${value}`);
    const page = await collectPages(options, {
      pageMax: PAGE_MAX,
      load: async ({ limit, after }) => {
        const query = { q, label: label.length === 0 ? undefined : label, limit, after_id: after };
        const answer = await api.value.call(listChats, { query });
        // The server does not count them.
        return answer.ok ? ok({ items: answer.value, count: Number.MAX_SAFE_INTEGER }) : answer;
      },
      idOf: ({ id }) => id,
    });
    if (!page.ok) return page;
    const { items: chats, isComplete } = page.value;
    const names = cli.flags.isJson ? null : await chatNames(api.value, chats);
    return ok(
      shown({
        json: { chats },
        text: () =>
          chats.length === 0 || names === null
            ? options.shared
              ? "Nobody shares such chats with you."
              : "No such chats. Begin one with `atelier chat new`."
            : chatsTable(cli.look, chats, { ...names, showsOwner: options.shared }),
        note: isComplete ? null : `Showing ${chats.length}. More: --limit <count> or --all.`,
      }),
    );
  },
});
