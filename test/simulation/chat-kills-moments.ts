/**
 * The moments of a turn at which chats are struck: every wait of a turn for the database, the model, the
 * workspace or a client has two, one before and one after; and what a person can see happen.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  ANOTHER_ATTEMPT,
  commit,
  createsChat,
  createsChild,
  dialsForParts,
  dialsForWorkspace,
  fenced,
  FIRST_ATTEMPT,
  heartbeat,
  namesChat,
  ofChat,
  ofRequest,
  ofSomeChat,
  queuesMessage,
  sendsAtRest,
  startsCommand,
  startsEdit,
  step,
  stopsCommand,
  takesResult,
  tellsChild,
  unfenced,
  type AimedChat,
  type Statement,
} from "./chat-kills-statements.ts";
import { TALLY } from "./chat-kills-tally.ts";
import type { Said } from "./postgres-talk.ts";

export type ChatRowSeen = {
  readonly id: number;
  readonly role: string;
  readonly visibility: string;
  readonly compressed: boolean;
  readonly content: readonly MessagePart[];
};

/** What is to be seen at one moment. */
export type Facts = {
  readonly status: string;
  readonly error: unknown;
  readonly version: number;
  readonly runnerId: string | null;
  readonly attempt: number;
  readonly isRetryRecorded: boolean;
  readonly queued: number;
  readonly isCompactionAsked: boolean;
  /** A client's answer is waited for until then. */
  readonly isDeadlineSet: boolean;
  /** Rows of the queue: the chat counts them itself, too. */
  readonly queuedRows: number;
  readonly historyVersion: number;
  readonly revisionMax: number;
  /** Groups of parts in the journal. */
  readonly kept: number;
  readonly steps: number;
  readonly summaries: number;
  /** That a viewer was shown. */
  readonly words: number;
  readonly isCounted: boolean;
  readonly isCommandDone: boolean;
  readonly isEdited: boolean;
};

export type Moment =
  /** It is looked at until it is so. */
  | { readonly kind: "seen"; readonly isNow: (facts: Facts) => boolean }
  /** A statement is held before it reaches the database, or its answer on the way back. */
  | {
      readonly kind: "asked" | "answered";
      readonly nth?: number;
      is(said: Said, chat: AimedChat): boolean;
      /** Of one whose question does not say which chat it is about: what the database answers. */
      isAnswer?(answer: string, chat: AimedChat): boolean;
    }
  /** What the workspace's agent is told is held. */
  | { readonly kind: "dispatched"; is(text: string, chat: AimedChat): boolean }
  /** The agent is told; what it answers is held, and it is struck when this is to be seen. */
  | {
      readonly kind: "carried out";
      is(text: string, chat: AimedChat): boolean;
      readonly isNow: (facts: Facts) => boolean;
    }
  /** What a server asks another one is held. */
  | { readonly kind: "relayed"; is(text: string, chat: AimedChat): boolean }
  /** The other one is asked; what it answers is held, and it is struck when this is to be seen. */
  | {
      readonly kind: "carried out elsewhere";
      is(text: string, chat: AimedChat): boolean;
      readonly isNow: (facts: Facts) => boolean;
    }
  /** The model has been asked, and says so many bytes and no more. */
  | {
      readonly kind: "model";
      readonly call: "step" | "summary" | "title";
      /** The letter of the message that it answers; absent: any. */
      readonly of?: string;
      readonly nth?: number;
      readonly afterBytes: number;
    }
  /** The tool server is called, and has not done it yet, or has and does not say so. */
  | { readonly kind: "remote"; readonly isDone: boolean }
  /** It is asked for its tools, for this chat or others: servers remember them for all. */
  | { readonly kind: "remote list" };

export type ScenarioName =
  | "tools"
  | "patience"
  | "interrupt"
  | "interrupt_command"
  | "summary"
  | "recovery"
  | "retry"
  | "client_tool"
  | "edit"
  | "child"
  | "tool_server"
  | "limit"
  | "limit_message"
  | "interrupt_summary"
  | "message_at_rest"
  | "elsewhere";

/** A server takes whatever there is, and learns which chats those are. */
const CLAIMS = /with wanting as materialized/;
const LOOKS_FOR_KEY = /from "chat_request_keys"/;
const LOOKS_FOR_ABANDONED =
  /from chat_messages\s+where chat_id = \$1 and revision > \$2 and deleted/;

const LOOKS_FOR_SERVER = /select l\.replica_id, r\.relay_url/;
const SUMMARY_PART: Statement = ({ text, values }, { chatId }) =>
  chatId !== null &&
  text.includes("insert into chat_message_parts") &&
  values.includes("chat_summarized") &&
  values.includes(chatId);

/** In the order in which they come. */
export const MOMENTS: Readonly<Record<ScenarioName, Readonly<Record<string, Moment>>>> = {
  tools: {
    ...both(
      "looking for an earlier creation",
      ofRequest(LOOKS_FOR_KEY, (key) => `create-${key}`),
    ),
    ...both("limit at admission", ofSomeChat(/from chat_usage_limit_config/, "before creation")),
    ...both("creation", commit(createsChat)),
    "claim: asked": { kind: "asked", is: ofSomeChat(CLAIMS, "later") },
    "claim: answered": { kind: "answered", is: ofSomeChat(CLAIMS, "later"), isAnswer: namesChat },
    ...both("history and attempt", FIRST_ATTEMPT),
    ...both("key of a call", ofSomeChat(/from user_ai_provider_keys/, "later")),
    "title's model asked": { kind: "model", call: "title", afterBytes: 0 },
    ...both("title", commit(unfenced(/update "chats" set "title"/))),
    ...both("looking for abandoned calls", ofChat(LOOKS_FOR_ABANDONED)),
    ...both("step of the workspace's context", step("context-file")),
    ...both("note of the prompt's prefix", ofChat(/insert into chat_prompt_prefixes/)),
    ...both("record of the model's call", ofChat(/insert into ai_interceptions/)),
    "model asked": { kind: "model", call: "step", afterBytes: 0 },
    "model began to answer": { kind: "model", call: "step", afterBytes: 900 },
    ...both("first parts", ofChat(/insert into chat_message_parts/)),
    ...both("parts for a viewer elsewhere", ofChat(/from "chat_message_parts"/), 3),
    "first part shown": seen(({ words }) => words > 0),
    ...both("queueing", commit(queuesMessage)),
    "answer nearly whole": seen(({ words }) => words >= 20),
    ...both("step of calls", step("tool-call", "write_file")),
    "command dispatched": { kind: "dispatched", is: startsCommand },
    "command took effect, unheard": {
      kind: "carried out",
      is: startsCommand,
      isNow: ({ isCounted }) => isCounted,
    },
    "command ended": seen(({ isCommandDone }) => isCommandDone),
    ...both("step of results", step("tool-result", "write_file")),
    // Beside the results. Before it come those of the first call and of the title.
    ...both("record of the call behind results", ofChat(/insert into ai_interceptions/), 3),
    "second model call": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
    ...both("step of an edit's call", step("tool-call", "edit_files")),
    "edit dispatched": { kind: "dispatched", is: startsEdit },
    "edit took effect, unheard": {
      kind: "carried out",
      is: startsEdit,
      isNow: ({ isEdited }) => isEdited,
    },
    ...both("step of the edit's result", step("tool-result", "edit_files")),
    "last answer shown": seen(({ words }) => words >= 60),
    ...both("end of a turn with promotion", commit(fenced(/chat_queued_messages/, "running"))),
    ...both("end of the last turn", commit(fenced(/chat_messages/, "waiting"))),
    ...both("letting go", ofChat(/worker_id = null[^]*runner_id = \$/)),
    ...both("label", commit(unfenced(/"last_turn_summary" = /))),
  },
  patience: {
    ...both("heartbeat during a command", heartbeat, 2),
  },
  interrupt: {
    ...both("asking to stop", commit(unfenced(/"status" = /, "interrupting"))),
    ...both("end of an interruption", commit(fenced(/chat_messages/, "interrupting"))),
  },
  interrupt_command: {
    "asked to stop a command": seen(({ status }) => status === "interrupting"),
    "stop of a command dispatched": { kind: "dispatched", is: stopsCommand },
    ...both("end of an interrupted command", commit(fenced(/chat_messages/, "interrupting"))),
  },
  summary: {
    ...both("asking for a summary", commit(unfenced(/"compaction_requested_at" = /))),
    "summary asked for": seen(({ isCompactionAsked }) => isCompactionAsked),
    "summary's model asked": { kind: "model", call: "summary", afterBytes: 0 },
    ...both("step of a summary", step("chat_summarized")),
  },
  recovery: {
    "claim by a successor: answered": {
      ...{ kind: "answered", nth: 2 },
      ...{ is: ofSomeChat(CLAIMS, "later"), isAnswer: namesChat },
    },
    ...both("step of what was shown", step("The connection broke while")),
    "model asked to continue": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
  },
  retry: {
    ...both("note of a retry", commit(fenced(/"retry_state" = /, "retrying_at"))),
    "retry waited for": seen(({ isRetryRecorded }) => isRetryRecorded),
    ...both("attempt after a retry", ANOTHER_ATTEMPT),
    "model asked again": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
  },
  client_tool: {
    ...both("handing a call to the client", commit(fenced(/chats/, "requires_action"))),
    ...both("taking the client's result", commit(takesResult)),
  },
  edit: {
    ...both("editing", commit(unfenced(/update chat_messages set deleted/))),
    ...both("looking for the edit's abandoned calls", ofChat(LOOKS_FOR_ABANDONED), 2),
    "stop of an abandoned command dispatched": { kind: "dispatched", is: stopsCommand },
  },
  child: {
    ...both("creation of a child", commit(createsChild)),
    "child's model asked": { kind: "model", call: "step", of: "c", afterBytes: 0 },
    ...both("looking after a child", ofChat(/where id = \$1 and parent_chat_id = \$2/), 3),
    ...both("step of a child's report", step("tool-result", "wait_agent")),
    ...both("message to a child", commit(tellsChild)),
  },
  tool_server: {
    "tool server asked for its tools": { kind: "remote list" },
    ...both("note of a tool server's call", ofChat(/insert into mcp_calls/)),
    "tool server called": { kind: "remote", isDone: false },
    "tool server's call took effect, unheard": { kind: "remote", isDone: true },
    ...both("step of a tool server's result", step("tool-result", TALLY.tool)),
  },
  limit: {
    ...both("note that it is summed up", SUMMARY_PART),
    "model asked to sum up the work": { kind: "model", call: "summary", afterBytes: 0 },
    ...both("swap of the history for its summary", step("chat_summarized")),
    ...both("attempt behind the summary", FIRST_ATTEMPT, 2),
    "model asked behind the summary": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
    "edit behind the summary took effect, unheard": {
      kind: "carried out",
      is: startsEdit,
      isNow: ({ isEdited }) => isEdited,
    },
  },
  limit_message: {
    ...both("note of a summary's retry", commit(fenced(/"retry_state" = /, "retrying_at"))),
    "model asked for a summary again": { kind: "model", call: "summary", nth: 2, afterBytes: 0 },
    ...both("swap that leaves a message unanswered", step("chat_summarized")),
    "model asked with the message again": { kind: "model", call: "step", of: "b", afterBytes: 0 },
  },
  interrupt_summary: {
    ...both("asking to stop a summary", commit(unfenced(/"status" = /, "interrupting"))),
    ...both("end of a stopped summary", commit(fenced(/"status" = /, "interrupting"))),
  },
  message_at_rest: {
    ...both("message to a chat that rests", sendsAtRest),
    // Beside the message, where the server knows the chat. Before it come those of two turns and of the title.
    ...both("record of that message's call", ofChat(/insert into ai_interceptions/), 4),
    "model asked with that message": { kind: "model", call: "step", of: "c", afterBytes: 0 },
  },
  elsewhere: {
    ...both("looking for the workspace's server", ofSomeChat(LOOKS_FOR_SERVER, "later")),
    "workspace's server dialled": { kind: "relayed", is: dialsForWorkspace },
    "viewer's server dials the driver": { kind: "relayed", is: dialsForParts },
    "command relayed": { kind: "relayed", is: startsCommand },
    "relayed command took effect, unheard": {
      kind: "carried out elsewhere",
      is: startsCommand,
      isNow: ({ isCounted }) => isCounted,
    },
    "edit relayed": { kind: "relayed", is: startsEdit },
    "relayed edit took effect, unheard": {
      kind: "carried out elsewhere",
      is: startsEdit,
      isNow: ({ isEdited }) => isEdited,
    },
  },
};

/**
 * Whether the chat can be held there for long: not where others are held up with it, a client waits, or a
 * transaction is open.
 */
export function isPatient({
  scenario,
  moment: name,
}: {
  readonly scenario: ScenarioName;
  readonly moment: string;
}): boolean {
  const moment = MOMENTS[scenario][name];
  if (IMPATIENT.test(name)) return false;
  if (moment?.kind === "model") return true;
  if (moment?.kind !== "asked" && moment?.kind !== "answered") return false;
  return moment.kind === "answered" || !ENDS_TRANSACTION.test(name);
}

/** Those that cannot be held for long wait in vain for others that come seconds later. */
export function comesLate({ moment: name }: { readonly moment: string }): boolean {
  return LATE.test(name);
}

const LATE =
  /^(?:edit |relayed edit|last answer|end of|label|message to a child|heartbeat|asking to stop a summary)/;
const IMPATIENT =
  /^(?:looking for|note that|limit|creation|claim|key of|title|record|first parts|parts for|queueing|message to a chat|heartbeat|asking|taking the client's result|editing)/;
const ENDS_TRANSACTION = /^(?:end of|label|note of a retry|handing|message to a child)/;

function seen(isNow: (facts: Facts) => boolean): Moment {
  return { kind: "seen", isNow };
}

/** Before and after. */
function both(name: string, is: Statement, nth = 1): Readonly<Record<string, Moment>> {
  return {
    [`${name}: asked`]: { kind: "asked", nth, is },
    [`${name}: answered`]: { kind: "answered", nth, is },
  };
}

/** What people wrote, as the history has it. */
export function personsTexts(rows: readonly ChatRowSeen[]): readonly string[] {
  return rows
    .filter(({ role, visibility }) => role === "user" && visibility !== "model")
    .map(({ content }) => content.map((part) => (part.type === "text" ? part.text : "")).join(""));
}
