/** What the lines of a session that begin with `/` do. Each answers with what the person is told. */
import { fail, ok, type Result } from "@atelier/base/result";
import { REASONING_EFFORTS, type ReasoningEffort } from "@atelier/contract/chat/chat-words";
import { listChatModels } from "@atelier/contract/http/chat-models";
import { proposeChatTitle } from "@atelier/contract/http/chats";
import { findChatModel, ORGANIZATION } from "../chat-model-lookup.ts";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import { safe } from "../output/terminal-safe.ts";
import { findWorkspace } from "../workspace-lookup.ts";
import {
  actOnChat,
  changeChat,
  changeQueued,
  costText,
  deleteQueued,
  editMessage,
  promoteQueued,
  queueOf,
  stopChat,
} from "./chat-operations.ts";
import { messageText } from "./message-text.ts";
import { sessionHelp, type SessionCommand } from "./session-lines.ts";

export type SessionState = {
  readonly api: Api;
  readonly chatId: string;
  /** The id of the message whose turn is on the screen. */
  readonly turn: () => number | undefined;
  /** Of the next messages; null: the chat's own. */
  modelId: string | null;
  effort: ReasoningEffort | null;
};

type Said = Promise<Result<string, CliFailure>>;
type Command = (state: SessionState, rest: string) => Said;

/** An empty answer: the stream says what happened. `quit` is the session's own. */
export const SESSION_RUNS: Readonly<Record<Exclude<SessionCommand, "quit">, Command>> = {
  stop: ({ api, chatId, turn }) => said(stopChat(api, chatId, turn()), ""),
  compact: ({ api, chatId }) => said(actOnChat(api, chatId, "compact"), ""),
  clear: ({ api, chatId }) => said(actOnChat(api, chatId, "clear"), ""),
  queue: runQueue,
  edit: ({ api, chatId }, text) =>
    text === ""
      ? usage("/edit <text>")
      : said(editMessage(api, chatId, { message: undefined, text }), ""),
  model: runModel,
  effort: async (state, word) => {
    const effort = REASONING_EFFORTS.find((each) => each === word);
    if (effort === undefined) return usage(`/effort ${REASONING_EFFORTS.join("|")}`);
    state.effort = effort;
    return ok(`From the next message on, the effort is ${effort}.`);
  },
  plan: ({ api, chatId }, word) => {
    if (word === "on") return said(changeChat(api, chatId, { plan_mode: "plan" }), "Plans only.");
    if (word === "off")
      return said(changeChat(api, chatId, { plan_mode: "" }), "Does things again.");
    return usage("/plan on|off");
  },
  title: async ({ api, chatId }, given) => {
    let title = given;
    if (title === "") {
      const proposed = await api.call(proposeChatTitle, { params: { chat: chatId } });
      if (!proposed.ok) return proposed;
      title = proposed.value.title;
    }
    return said(changeChat(api, chatId, { title }), safe`The chat is called ${title}.`);
  },
  cost: async ({ api, chatId }) => {
    const cost = await costText(api, chatId);
    return cost.ok ? ok(cost.value.text) : cost;
  },
  workspace: async ({ api, chatId }, name) => {
    if (name === "") return usage("/workspace <name>|none");
    if (name === "none")
      return said(changeChat(api, chatId, { workspace_id: null }), "No workspace.");
    const found = await findWorkspace(api, name);
    if (!found.ok) return found;
    const { id, owner_name: owner, name: known } = found.value;
    return said(changeChat(api, chatId, { workspace_id: id }), safe`Works in ${owner}/${known}.`);
  },
  help: async () => ok(sessionHelp()),
};

async function runQueue({ api, chatId }: SessionState, rest: string): Said {
  if (rest === "") {
    const queue = await queueOf(api, chatId);
    if (!queue.ok) return queue;
    const lines = queue.value.map(({ id, content }) => safe`  #${id}  ${messageText(content)}`);
    return ok(lines.length === 0 ? "Nothing waits." : lines.join("\n"));
  }
  const [, verb, number, more = ""] = /^(\w+)\s+#?(\d{1,15})(?:\s+([^]*))?$/.exec(rest) ?? [];
  const queued = Number(number);
  if (verb === "delete") return said(deleteQueued(api, chatId, queued), `Deleted #${queued}.`);
  if (verb === "promote") return said(promoteQueued(api, chatId, queued), "");
  if (verb === "edit" && more !== "") {
    return said(changeQueued(api, { chat: chatId, queued }, { text: more }), "");
  }
  if (verb === "move" && /^\d{1,6}$/.test(more) && more !== "0") {
    const index = Number(more) - 1;
    return said(changeQueued(api, { chat: chatId, queued }, { index }), `Moved #${queued}.`);
  }
  return usage("/queue [delete <id>|promote <id>|edit <id> <text>|move <id> <place>]");
}

async function runModel(state: SessionState, name: string): Said {
  if (name !== "") {
    const model = await findChatModel(state.api, name);
    if (!model.ok) return model;
    state.modelId = model.value.id;
    return ok(safe`From the next message on, the model is ${model.value.model}.`);
  }
  const listed = await state.api.call(listChatModels, { params: ORGANIZATION });
  if (!listed.ok) return listed;
  const lines = listed.value.models
    .filter(({ available }) => available)
    .map(({ model, display_name: shown }) => safe`  ${model}  ${shown === model ? "" : shown}`);
  return ok(lines.length === 0 ? "There is no model." : lines.join("\n"));
}

async function said(done: Promise<Result<unknown, CliFailure>>, text: string): Said {
  const result = await done;
  return result.ok ? ok(text) : result;
}

async function usage(form: string): Said {
  return fail(usageFailure(`Write ${form}.`));
}
