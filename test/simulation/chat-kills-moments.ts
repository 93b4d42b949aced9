/**
 * The moments of a turn at which chats are struck: every wait of a turn for the database, the model, the
 * workspace or a client has two, one before and one after; and what a person can see happen.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
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
  readonly rows: readonly ChatRowSeen[];
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

export type AimedChat = {
  readonly key: string;
  /** Null: nobody has tried to create it yet. */
  readonly chatId: string | null;
};

export type Moment =
  /** It is looked at until it is so. */
  | { readonly kind: "seen"; readonly isNow: (facts: Facts) => boolean }
  /** A statement is held before it reaches the database, or its answer on the way back. */
  | {
      readonly kind: "asked" | "answered";
      readonly nth?: number;
      is(said: Said, chat: AimedChat): boolean;
    }
  /** What the workspace's agent is told is held. */
  | { readonly kind: "dispatched"; is(text: string, chat: AimedChat): boolean }
  /** The agent is told; what it answers is held, and it is struck when this is to be seen. */
  | {
      readonly kind: "carried out";
      is(text: string, chat: AimedChat): boolean;
      readonly isNow: (facts: Facts) => boolean;
    }
  /** The model has been asked, and says so many bytes and no more. */
  | {
      readonly kind: "model";
      readonly call: "step" | "summary";
      readonly nth?: number;
      readonly afterBytes: number;
    };

export type ScenarioName =
  | "tools"
  | "patience"
  | "interrupt"
  | "interrupt_command"
  | "summary"
  | "recovery"
  | "retry"
  | "client_tool";

type Statement = (said: Said, chat: AimedChat) => boolean;

/** In the order in which they come. */
export const MOMENTS: Readonly<Record<ScenarioName, Readonly<Record<string, Moment>>>> = {
  tools: {
    ...both("creation", commit(createsChat)),
    ...both("claim", ofChat(/fence = fence \+ 1/)),
    ...both("history", ofChat(/json_agg\(message[^]*runner_id = \$/)),
    ...both("attempt", ofChat(/generation_attempt = generation_attempt \+ 1/)),
    "model asked": { kind: "model", call: "step", afterBytes: 0 },
    "model began to answer": { kind: "model", call: "step", afterBytes: 900 },
    ...both("first parts", ofChat(/insert into chat_message_parts/)),
    "first part shown": seen(({ words }) => words > 0),
    ...both("queueing", commit(queuesMessage)),
    "answer nearly whole": seen(({ words }) => words >= 20),
    ...both("step of calls", step()),
    ...both("attempt at tools", ofChat(/generation_attempt = generation_attempt \+ 1/), 2),
    "command dispatched": { kind: "dispatched", is: startsCommand },
    "command took effect, unheard": {
      kind: "carried out",
      is: startsCommand,
      isNow: ({ isCounted }) => isCounted,
    },
    "command ended": seen(({ isCommandDone }) => isCommandDone),
    ...both("step of results", step(), 2),
    "second model call": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
    ...both("step of an edit's call", step(), 3),
    "edit dispatched": { kind: "dispatched", is: startsEdit },
    "edit took effect, unheard": {
      kind: "carried out",
      is: startsEdit,
      isNow: ({ isEdited }) => isEdited,
    },
    ...both("step of the edit's result", step(), 4),
    "last answer shown": seen(({ words }) => words >= 60),
    ...both("end of a turn with promotion", commit(fenced(/chat_queued_messages/, "running"))),
    ...both("end of the last turn", commit(fenced(/chat_messages/, "waiting"))),
    ...both("letting go", ofChat(/worker_id = null[^]*runner_id = \$/)),
  },
  patience: {
    ...both("heartbeat during a command", heartbeat, 2),
  },
  interrupt: {
    ...both("asking to stop", commit(asksToStop)),
    ...both("end of an interruption", commit(fenced(/chat_messages/, "interrupting"))),
  },
  interrupt_command: {
    "asked to stop a command": seen(({ status }) => status === "interrupting"),
    "stop of a command dispatched": {
      kind: "dispatched",
      is: (text, { chatId }) => text.includes("SIGKILL") && isIn(text, chatId),
    },
    ...both("end of an interrupted command", commit(fenced(/chat_messages/, "interrupting"))),
  },
  summary: {
    "summary asked for": seen(({ isCompactionAsked }) => isCompactionAsked),
    "summary's model asked": { kind: "model", call: "summary", afterBytes: 0 },
    ...both("step of a summary", step("chat_summarized")),
  },
  recovery: {
    ...both("claim by a successor", ofChat(/fence = fence \+ 1/), 2),
    ...both("step of what was shown", step("The connection broke while")),
    "model asked to continue": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
  },
  retry: {
    ...both("note of a retry", commit(fenced(/"retry_state" = /, "retrying_at"))),
    "retry waited for": seen(({ isRetryRecorded }) => isRetryRecorded),
    "model asked again": { kind: "model", call: "step", nth: 2, afterBytes: 0 },
  },
  client_tool: {
    ...both("handing a call to the client", commit(fenced(/chats/, "requires_action"))),
    ...both("taking the client's result", commit(takesResult)),
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
  if (moment?.kind === "model") return true;
  if (moment?.kind !== "asked" && moment?.kind !== "answered") return false;
  if (IMPATIENT.test(name)) return false;
  return moment.kind === "answered" || !ENDS_TRANSACTION.test(name);
}

const IMPATIENT =
  /^(?:creation|claim|first parts|queueing|heartbeat|asking to stop|taking the client's result)/;
const ENDS_TRANSACTION = /^(?:end of|note of a retry|handing)/;

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

function ofChat(text: RegExp): Statement {
  return (said, { chatId }) => text.test(said.text) && isIn(said.values, chatId);
}

function heartbeat(said: Said, chat: AimedChat): boolean {
  return ofChat(/insert into chat_heartbeats/)(said, chat) && !/fence = /.test(said.text);
}

/** Messages that a runner commits by themselves. */
function step(value = ""): Statement {
  const ofStep = ofChat(/(?=[^]*insert into chat_messages)(?=[^]*runner_id = \$)/);
  return (said, chat) => ofStep(said, chat) && said.values.includes(value);
}

/** The end of a transaction that has said such things. */
function commit(within: Statement): Statement {
  return (said, chat) => /^commit/i.test(said.text) && within(said, chat);
}

/** Of a runner: its first statement asks whether it still has the chat. */
function fenced(text: RegExp, value: string): Statement {
  return ({ within }, { chatId }) =>
    /runner_id = \$/.test(within.texts) &&
    text.test(within.texts) &&
    within.values.includes(value) &&
    isIn(within.values, chatId);
}

function createsChat({ within }: Said, { key }: AimedChat): boolean {
  return /insert into "?chats"?/.test(within.texts) && within.values.includes(`#${key}a `);
}

function queuesMessage({ within }: Said, { key }: AimedChat): boolean {
  const isQueueing = within.texts.includes("insert into chat_queued_messages");
  return isQueueing && within.values.includes(`#${key}b `);
}

function asksToStop({ within }: Said, { chatId }: AimedChat): boolean {
  const isOfPerson = !/runner_id = \$/.test(within.texts);
  return isOfPerson && within.values.includes("interrupting") && isIn(within.values, chatId);
}

function takesResult({ within }: Said, { key }: AimedChat): boolean {
  return within.values.includes(`given-${key}`);
}

function startsCommand(text: string, { key }: AimedChat): boolean {
  return text.includes(`echo ${key}a >>`);
}

function startsEdit(text: string, { key }: AimedChat): boolean {
  return text.includes(`${key}a\\nEND`);
}

function isIn(text: string, chatId: string | null): boolean {
  return chatId !== null && text.includes(chatId);
}

/** What people wrote, as the history has it. */
export function personsTexts(rows: readonly ChatRowSeen[]): readonly string[] {
  return rows
    .filter(({ role, visibility }) => role === "user" && visibility !== "model")
    .map(({ content }) => content.map((part) => (part.type === "text" ? part.text : "")).join(""));
}
