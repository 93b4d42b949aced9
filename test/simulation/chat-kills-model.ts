/**
 * The model of chats that are struck: it does what the newest message of a person says, in small pieces,
 * and no two of its words are alike, so that each can be told from a repetition of itself.
 */
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import { TALLY, tallyNumber } from "./chat-kills-tally.ts";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";

/** What a person can ask for: `#<key> <kind> <home>`. */
export type AskKind =
  | "tools"
  | "slow"
  | "talk"
  | "long_command"
  | "patience"
  | "retry"
  | "client_tool"
  | "child"
  | "tool_server";

export type ModelCall = {
  readonly key: string;
  readonly kind: "step" | "summary" | "title" | "label";
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
const WORDS: Readonly<Record<AskKind, number>> = {
  // Slow: a viewer whose server was struck before has the time to come back while it is written.
  ...{ tools: 24, slow: 160, talk: 8, long_command: 8, patience: 8, retry: 8, client_tool: 8 },
  ...{ child: 8, tool_server: 8 },
};

type Block = Readonly<Record<string, unknown>>;
type Asked = { readonly key: string; readonly kind: AskKind; readonly home: string };

export function askText({ key, kind, home }: Asked): string {
  return `#${key} ${kind} ${home}`;
}

export async function startKillsModel(hold: HoldCall): Promise<KillsModel> {
  const calls: ModelCall[] = [];
  const faults: string[] = [];
  const model = await startScriptedModel({
    script: ({ body, path }) => {
      if (!path.endsWith("/messages")) return null;
      const text = Buffer.from(body).toString();
      const request = JSON.parse(text) as { messages: Block[] };
      const { asked, results, isSummary, childId } = readAsked(request.messages);
      const isStep = "tools" in request && !isSummary;
      const call = isStep || isSummary ? stepCall(asked, isSummary) : beside(text);
      const { key, kind } = call;
      calls.push(call);
      const pause = hold(call);
      if (kind === "title" || kind === "label") return paused(titleOrLabel(), pause);
      faults.push(...unpairedCalls(request.messages).map((fault) => `${key}: ${fault}`));
      const nth = calls.filter((each) => each.key === key && each.kind === kind).length;
      if (isStep && asked?.kind === "retry" && nth === 1) return OVERLOADED;
      const said = { results, childId, serial: calls.length };
      return paused(isSummary ? summary() : answer(asked, said), pause);
    },
  });
  return { model, calls, faults, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
}

function paused(reply: Turn, pause: ReturnType<HoldCall>): Turn {
  return pause === null ? reply : { ...reply, pause };
}

function stepCall(asked: Asked | null, isSummary: boolean): ModelCall {
  return { key: asked?.key ?? "", kind: isSummary ? "summary" : "step" };
}

/** The question tells what was said, and not as messages. */
function beside(text: string): ModelCall {
  const kind = text.includes("You name conversations") ? "title" : "label";
  return { key: /#(\S+) \w+ \//.exec(text)?.[1] ?? "", kind };
}

function readAsked(messages: readonly Block[]): {
  readonly asked: Asked | null;
  /** Results of tools since then. */
  readonly results: number;
  readonly isSummary: boolean;
  /** Of the agent that was started since then. */
  readonly childId: string;
} {
  let asked: Asked | null = null;
  let results = 0;
  let last = "";
  let childId = "";
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
      const found = /^#(\S+) (\w+) (\S+)$/.exec(last.trim());
      if (found === null) continue;
      asked = { key: found[1] ?? "", kind: found[2] as AskKind, home: found[3] ?? "" };
      results = 0;
    }
  }
  return { asked, results, childId, isSummary: last.startsWith("Summarise this conversation") };
}

/** JSON in JSON: the quotes of the inner one are escaped. */
const CHILD = /chat_id\\*":\\*"([0-9a-f-]{36})/;

const OVERLOADED: ScriptedReply = { kind: "problem", status: 529, message: "Overloaded." };
type Turn = Extract<ScriptedReply, { kind: "turn" }>;

function titleOrLabel(): Turn {
  return { kind: "turn", turn: { text: "Counting things" } };
}

function summary(): Turn {
  const text = "They counted, and all is well.";
  return { kind: "turn", turn: { text }, chunkBytes: 60, delayMs: SUMMARY_PIECE_MS };
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
      case "slow":
      case "talk":
      case "retry":
        return [];
    }
  })();
  return inTurn[results] ?? [];
}

function toolsInTurn({ key, home }: Asked): readonly (readonly WantedCall[])[] {
  const command = `echo ${key} >> ${home}/count; sleep 0.3; touch ${home}/done-${key}`;
  const written = { path: `${home}/written-${key}`, content: key };
  const edit = { path: `${home}/edited`, old_text: "END\n", new_text: `${key}\nEND\n` };
  const both = [
    { name: "execute", input: { command } },
    { name: "write_file", input: written },
  ];
  // By how many results there are by then.
  return [both, [], [{ name: "edit_files", input: { edits: [edit] } }]];
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
