/** Chats in words: what each is doing, why it waits, and what it did last. One table for every page. */
import type {
  ChatAsk,
  ChatErrorKind,
  ChatInboxSection,
  ChatStatus,
} from "@atelier/contract/chat/chat-words";
import type { Chat } from "@atelier/contract/http/chats";
import type { Tone } from "../ui/badge.tsx";

export function chatPath(chatId: string): string {
  return `/chats/${chatId}`;
}

export type StateWords = {
  readonly tone: Tone;
  /** One or two. */
  readonly words: string;
  /** Why, or what it waits for; null: the word says it. */
  readonly reason: string | null;
};

/** What the state of a chat is made of. */
export type StateFacts = {
  readonly status: ChatStatus;
  readonly asks?: ChatAsk | undefined;
  readonly has_unread?: boolean;
  readonly last_error?: Chat["last_error"];
  readonly retry?: Chat["retry"];
  readonly queued_for_capacity?: boolean | undefined;
};

export function stateWords(chat: StateFacts, now: Date): StateWords {
  switch (chat.status) {
    case "running":
      return runningWords(chat, now);
    case "interrupting":
      return { tone: "warn", words: "stopping", reason: "It keeps what it wrote so far." };
    case "requires_action":
      return {
        tone: "warn",
        words: "waits for its client",
        reason: "The program that made this chat has to run a tool and send the result.",
      };
    case "error":
      return { tone: "bad", words: "failed", reason: errorWords(chat.last_error) };
    case "waiting":
      if (chat.asks !== undefined) return ASK_WORDS[chat.asks];
      return chat.has_unread === true
        ? { tone: "good", words: "done", reason: null }
        : { tone: "neutral", words: "idle", reason: null };
  }
}

const ASK_WORDS: Readonly<Record<ChatAsk, StateWords>> = {
  question: { tone: "warn", words: "asks you", reason: null },
  plan: { tone: "warn", words: "plan to approve", reason: null },
};

function runningWords({ retry, queued_for_capacity: isQueued }: StateFacts, now: Date): StateWords {
  if (retry !== undefined) {
    const leftS = Math.ceil((Date.parse(retry.retrying_at) - now.getTime()) / 1_000);
    const when = leftS > 0 ? `in ${leftS} s` : "now";
    return {
      tone: "warn",
      words: "tries again",
      reason: `Attempt ${retry.attempt + 1} ${when}: ${retry.error}`,
    };
  }
  return isQueued === true
    ? {
        tone: "neutral",
        words: "waits its turn",
        reason: "As many agents work as may at a time.",
      }
    : { tone: "accent", words: "working", reason: null };
}

function errorWords(error: Chat["last_error"]): string {
  if (error === undefined) return "It gave up.";
  return error.kind === undefined ? error.message : `${error.message} ${ERROR_STEPS[error.kind]}`;
}

/** What can be done about each kind of error; a page puts its button beside. */
export const ERROR_STEPS: Readonly<Record<ChatErrorKind, string>> = {
  generic: "Send a message to go on, or choose another model.",
  overloaded: "Wait some minutes and send a message to go on, or choose another model.",
  rate_limit: "Wait some minutes and send a message to go on, or choose another model.",
  timeout: "Send a message to go on.",
  stream_silence_timeout: "The model stopped in the middle. Send a message to go on.",
  auth: "The provider refuses the key. Look at your own key, or ask an administrator.",
  config: "Ask an administrator to look at the model's settings, or choose another model.",
  usage_limit: "Wait until the limit is renewed, or choose another model.",
  missing_key: "Add a key of your own, or choose another model.",
  provider_disabled: "Choose another model, or ask an administrator to switch the provider on.",
  content_filter: "Edit your last message and say it in another way.",
};

export const SECTION_WORDS: Readonly<
  Record<ChatInboxSection, { readonly title: string; readonly about: string }>
> = {
  needs_you: { title: "Needs you", about: "They asked something, wait for a tool, or failed." },
  working: { title: "Working", about: "They go on, whether you look or not." },
  unreviewed: { title: "Done, not seen yet", about: "Answers that you have not opened." },
  idle: { title: "Idle", about: "It is your turn, whenever you like." },
};

export type ActionWords = {
  readonly verb: string;
  readonly object: string;
  /** The object is a command, a path or the like. */
  readonly isCode: boolean;
};

const CODE_TOOLS = new Set([
  "execute",
  "process_output",
  "read_file",
  "write_file",
  "edit_files",
  "attach_file",
  "read_skill_file",
]);

/** While it goes on, and once it is done. */
const TOOL_VERBS: Readonly<Record<string, readonly [doing: string, done: string]>> = {
  execute: ["runs", "ran"],
  process_output: ["looks at the output of", "looked at the output of"],
  process_list: ["lists its processes", "listed its processes"],
  process_signal: ["ends a process", "ended a process"],
  read_file: ["reads", "read"],
  write_file: ["writes", "wrote"],
  edit_files: ["edits", "edited"],
  attach_file: ["attaches", "attached"],
  propose_plan: ["proposes a plan", "proposed a plan"],
  ask_user_question: ["asks", "asked"],
  list_workspaces: ["looks for workspaces", "looked for workspaces"],
  read_skill: ["reads the skill", "read the skill"],
  read_skill_file: ["reads a file of the skill", "read a file of the skill"],
  spawn_agent: ["starts an agent", "started an agent"],
  wait_agent: ["waits for an agent", "waited for an agent"],
  message_agent: ["writes to an agent", "wrote to an agent"],
  interrupt_agent: ["stops an agent", "stopped an agent"],
  list_agents: ["lists its agents", "listed its agents"],
  list_subagent_models: ["lists models", "listed models"],
  advisor: ["asks the advisor", "asked the advisor"],
  web_search: ["searches the web for", "searched the web for"],
  chat_summarized: ["sums up the history", "summed up the history"],
  chat_cleared: ["empties its context", "emptied its context"],
};

/** A call of a tool as a verb and what it is about. Tools of other servers are called by their name. */
export function actionWords(toolName: string, subject: string, isDone: boolean): ActionWords {
  const verbs = TOOL_VERBS[toolName];
  if (verbs !== undefined) {
    return { verb: verbs[isDone ? 1 : 0], object: subject, isCode: CODE_TOOLS.has(toolName) };
  }
  const [server, ...rest] = toolName.split("__");
  const name = rest.length === 0 ? toolName : `${rest.join("__")} of ${server}`;
  return {
    verb: isDone ? "used" : "uses",
    object: subject === "" ? name : `${name}: ${subject}`,
    isCode: false,
  };
}

/** What people recognise a call by: its command, its path. Empty: its arguments say nothing short. */
export function callSubject(args: unknown): string {
  if (typeof args !== "object" || args === null) return "";
  const fields = args as Readonly<Record<string, unknown>>;
  for (const name of SUBJECT_FIELDS) {
    const value = fields[name];
    if (typeof value === "string" && value.trim() !== "") return firstLine(value);
  }
  const paths = textsIn(fields["edits"], "path");
  if (paths.length > 0) return [...new Set(paths)].join(" ");
  return firstLine(textsIn(fields["questions"], "question")[0] ?? "");
}

/** The server looks for the same ones, in this order. */
const SUBJECT_FIELDS = ["command", "path", "query", "url", "name", "title", "prompt"];

function textsIn(list: unknown, name: string): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each: unknown) => {
    const value =
      typeof each === "object" && each !== null ? (each as Record<string, unknown>)[name] : null;
    return typeof value === "string" ? [value] : [];
  });
}

function firstLine(text: string): string {
  return text.trim().split(/\r\n|[\r\n]/)[0] ?? "";
}

/** What a list says of the last thing that an agent did. Null: nothing yet. */
export function lastActionWords({
  last_action: action,
}: Pick<Chat, "last_action">): ActionWords | null {
  if (action === undefined) return null;
  const { tool_name: toolName, subject, is_done: isDone } = action;
  if (toolName === undefined) {
    return { verb: "wrote", object: `“${subject}”`, isCode: false };
  }
  return actionWords(toolName, firstLine(subject), isDone);
}

/** Whole percent. Null: not known. */
export function contextPercent({
  context_tokens: tokens,
  context_limit: limit,
}: Pick<Chat, "context_tokens" | "context_limit">): number | null {
  if (tokens === undefined || limit === undefined || limit === 0) return null;
  return Math.min(100, Math.round((tokens / limit) * 100));
}
