/**
 * The model of chats that are struck: it does what the newest message of a person says, in small pieces,
 * and no two of its words are alike, so that each can be told from a repetition of itself.
 */
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import {
  contextFaults,
  isSummaryAsked,
  readSummary,
  summaryText,
  tokensOf,
} from "./chat-kills-context.ts";
import { askedIn, askText, type Asked, type AskKind, type Block } from "./chat-kills-ask.ts";
import { TALLY, tallyNumber } from "./chat-kills-tally.ts";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";

export type ModelCall = {
  readonly key: string;
  readonly kind: "step" | "summary" | "title" | "label";
  /** Which summary it was sent in place of what was said before. Null: none. */
  readonly summary: string | null;
};

export type KillsModel = AsyncDisposable & {
  readonly model: ScriptedModel;
  /** In the order in which they came. */
  readonly calls: readonly ModelCall[];
  /** What a provider would refuse. */
  readonly faults: readonly string[];
};

/** After how many bytes the answer to this call waits, and for what. Null: it does not. */
export type HoldCall = (
  call: ModelCall,
) => { readonly afterBytes: number; readonly until: Promise<unknown> } | null;

/** Between two pieces of an answer. */
const PIECE_MS = 15;
const SUMMARY_PIECE_MS = 25;
/** So long that it can be stopped. */
const SLOW_SUMMARY_PIECE_MS = 800;
const WORDS: Readonly<Record<AskKind, number>> = {
  // Slow: a viewer whose server was struck before has the time to come back while it is written.
  ...{ tools: 24, slow: 160, talk: 8, long_command: 8, patience: 8, retry: 8, client_tool: 8 },
  ...{ child: 8, tool_server: 8, full: 8, full_talk: 8, full_stop: 8 },
};

/** `isStored`: whether the message of this key is in the database, whatever becomes of it there. */
export async function startKillsModel(
  hold: HoldCall,
  isStored: (key: string) => Promise<boolean>,
): Promise<KillsModel> {
  const calls: ModelCall[] = [];
  const faults: string[] = [];
  const noteMissing = (key: string) => (isThere: unknown) => {
    if (isThere !== true)
      faults.push(`${key}: asked with a message that is not stored: ${String(isThere)}`);
  };
  const model = await startScriptedModel({
    script: ({ body, path }) => {
      if (!path.endsWith("/messages")) return null;
      const text = Buffer.from(body).toString();
      const request = JSON.parse(text) as { messages: Block[] };
      const read = readAsked(request.messages);
      const { asked, results, isSummary, childId } = read;
      const isStep = "tools" in request && !isSummary;
      const call = isStep || isSummary ? stepCall(read) : beside(text);
      const { key, kind } = call;
      calls.push(call);
      const pause = hold(call);
      if (kind === "title" || kind === "label") return paused(titleOrLabel(), pause);
      const wrong = [...unpairedCalls(request.messages), ...contextFaults(request.messages)];
      faults.push(...wrong.map((fault) => `${key}: ${fault}`));
      if (asked !== null) isStored(key).then(noteMissing(key), noteMissing(key));
      const nth = calls.filter((each) => each.key === key && each.kind === kind).length;
      if (nth === 1 && isRefusedOnce(call, asked)) return OVERLOADED;
      const said = { results, childId, serial: calls.length };
      const turn = isSummary ? summary(asked, said, request.messages) : answer(asked, said);
      const inputTokens = tokensOf(request.messages);
      return paused({ ...turn, turn: { ...turn.turn, inputTokens } }, pause);
    },
  });
  return { model, calls, faults, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
}

function paused(reply: Turn, pause: ReturnType<HoldCall>): Turn {
  return pause === null ? reply : { ...reply, pause };
}

function stepCall({ asked, isSummary, summary: { serial } }: ReadAsked): ModelCall {
  return { key: asked?.key ?? "", kind: isSummary ? "summary" : "step", summary: serial };
}

function isRefusedOnce({ kind }: ModelCall, asked: Asked | null): boolean {
  return (
    (kind === "step" && asked?.kind === "retry") ||
    (kind === "summary" && asked?.kind === "full_talk")
  );
}

/** The question tells what was said, and not as messages. */
function beside(text: string): ModelCall {
  const kind = text.includes("You name conversations") ? "title" : "label";
  return { key: /#(\S+) \w+ \//.exec(text)?.[1] ?? "", kind, summary: null };
}

type ReadAsked = {
  readonly asked: Asked | null;
  /** Results of tools since then, whether they are still sent or are summed up. */
  readonly results: number;
  readonly isSummary: boolean;
  /** Of the agent that was started since then. */
  readonly childId: string;
  readonly summary: { readonly serial: string | null };
};

function readAsked(messages: readonly Block[]): ReadAsked {
  let asked: Asked | null = null;
  let results = 0;
  let last = "";
  let childId = "";
  let serial: string | null = null;
  for (const { role, content } of messages) {
    if (role !== "user") continue;
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    for (const block of blocks as readonly Block[]) {
      if (block["type"] === "tool_result") {
        results += 1;
        childId = CHILD.exec(JSON.stringify(block["content"]))?.[1] ?? childId;
      }
      if (block["type"] !== "text") continue;
      last = String(block["text"]);
      const summed = readSummary(last);
      const found = summed?.asked ?? askedIn(last);
      if (found === null) continue;
      asked = found;
      results = summed?.results ?? 0;
      serial = summed?.serial ?? serial;
    }
  }
  return { asked, results, childId, isSummary: isSummaryAsked(last), summary: { serial } };
}

/** JSON in JSON: the quotes of the inner one are escaped. */
const CHILD = /chat_id\\*":\\*"([0-9a-f-]{36})/;

const OVERLOADED: ScriptedReply = { kind: "problem", status: 529, message: "Overloaded." };
type Turn = Extract<ScriptedReply, { kind: "turn" }>;

function titleOrLabel(): Turn {
  return { kind: "turn", turn: { text: "Counting things" } };
}

function summary(asked: Asked | null, said: SaidSoFar, messages: readonly Block[]): Turn {
  const text = summaryText(`s${said.serial}`, { asked, results: said.results }, messages);
  const delayMs = asked?.kind === "full_stop" ? SLOW_SUMMARY_PIECE_MS : SUMMARY_PIECE_MS;
  return { kind: "turn", turn: { text }, chunkBytes: 60, delayMs };
}

/** Each call must be answered in the very next message, once. */
function unpairedCalls(messages: readonly Block[]): readonly string[] {
  const idsOf = (message: Block | undefined, type: string, field: string): readonly string[] => {
    const content = message?.["content"];
    if (!Array.isArray(content)) return [];
    return (content as readonly Block[])
      .filter((block) => block["type"] === type)
      .map((block) => String(block[field]));
  };
  return messages.flatMap((message, index) => {
    const called = idsOf(message, "tool_use", "id").toSorted();
    const answered = idsOf(messages[index + 1], "tool_result", "tool_use_id").toSorted();
    return JSON.stringify(called) === JSON.stringify(answered)
      ? []
      : [`the model was sent the calls ${called.join()} with results of ${answered.join()}`];
  });
}

type SaidSoFar = {
  readonly results: number;
  readonly childId: string;
  /** No other answer has it. */
  readonly serial: number;
};

function answer(asked: Asked | null, said: SaidSoFar): Turn {
  const kind = asked?.kind ?? "talk";
  const words = Array.from({ length: WORDS[kind] }, (_, i) => `w${said.serial}x${i}`);
  const text = words.join(" ");
  const wanted = asked === null ? [] : wantedCalls(asked, said);
  const toolCalls = wanted.map(({ name, input }, nth) => ({
    ...{ id: `call_${asked?.key}_${said.serial}_${nth}`, name, input: JSON.stringify(input) },
    isFreeForm: false,
  }));
  return { kind: "turn", turn: { text, toolCalls }, delayMs: PIECE_MS };
}

type WantedCall = { readonly name: string; readonly input: object };

function wantedCalls({ key, kind, home }: Asked, said: SaidSoFar): readonly WantedCall[] {
  const { results, childId } = said;
  const count = `echo ${key} >> ${home}/count`;
  const inTurn = ((): readonly (readonly WantedCall[])[] => {
    switch (kind) {
      case "tools":
        return toolsInTurn({ key, kind, home });
      case "long_command":
        return [[{ name: "execute", input: { command: `${count}; sleep 20`, timeout: "60s" } }]];
      case "patience":
        return [[{ name: "execute", input: { command: `${count}; sleep 5` } }]];
      case "client_tool":
        return [[{ name: "ask_client", input: { question: "And?" } }]];
      case "tool_server":
        return [[{ name: TALLY.tool, input: { a: tallyNumber(key), b: 1 } }]];
      case "child":
        return childInTurn({ key, kind, home }, childId);
      case "full":
      case "full_stop":
        // A summary comes in between.
        return [[{ name: "execute", input: { command: count } }], [editCall({ key, home })]];
      case "slow":
      case "talk":
      case "full_talk":
      case "retry":
        return [];
    }
  })();
  return inTurn[results] ?? [];
}

function toolsInTurn({ key, home }: Asked): readonly (readonly WantedCall[])[] {
  const command = `echo ${key} >> ${home}/count; sleep 0.3; touch ${home}/done-${key}`;
  const written = { path: `${home}/written-${key}`, content: key };
  const both = [
    { name: "execute", input: { command } },
    { name: "write_file", input: written },
  ];
  // By how many results there are by then.
  return [both, [], [editCall({ key, home })]];
}

function editCall({ key, home }: Pick<Asked, "key" | "home">): WantedCall {
  const edit = { path: `${home}/edited`, old_text: "END\n", new_text: `${key}\nEND\n` };
  return { name: "edit_files", input: { edits: [edit] } };
}

/** Starts an agent, waits for it, tells it more, and waits again. */
function childInTurn({ key, home }: Asked, childId: string): readonly (readonly WantedCall[])[] {
  const ofKey = key.slice(0, -1);
  const prompt = askText({ key: `${ofKey}c`, kind: "talk", home });
  const spawn = { name: "spawn_agent", input: { type: "general", prompt } };
  if (childId === "") return [[spawn]];
  const wait = { name: "wait_agent", input: { chat_id: childId } };
  const message = askText({ key: `${ofKey}d`, kind: "talk", home });
  const tell = { name: "message_agent", input: { chat_id: childId, message } };
  return [[spawn], [wait], [tell], [wait]];
}
