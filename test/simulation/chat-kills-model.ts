/**
 * The model of chats that are struck: it does what the newest message of a person says, in small pieces,
 * and no two of its words are alike, so that each can be told from a repetition of itself.
 */
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";

/** What a person can ask for: `#<key> <kind> <home>`. */
export type AskKind =
  | "tools"
  | "slow"
  | "talk"
  | "long_command"
  | "patience"
  | "retry"
  | "client_tool";

export type ModelCall = { readonly key: string; readonly kind: "step" | "summary" };

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
  ...{ tools: 24, slow: 70, talk: 8, long_command: 8, patience: 8, retry: 8, client_tool: 8 },
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
      const request = JSON.parse(Buffer.from(body).toString()) as { messages: Block[] };
      const { asked, results, isSummary } = readAsked(request.messages);
      const key = asked?.key ?? "";
      const isStep = "tools" in request && !isSummary;
      if (!isSummary && !isStep) return titleOrLabel();
      faults.push(...unpairedCalls(request.messages).map((fault) => `${key}: ${fault}`));
      const call: ModelCall = { key, kind: isSummary ? "summary" : "step" };
      calls.push(call);
      const pause = hold(call);
      const nth = calls.filter((each) => each.key === key && each.kind === call.kind).length;
      if (isStep && asked?.kind === "retry" && nth === 1) return OVERLOADED;
      const reply = isSummary ? summary() : answer(asked, results, calls.length);
      return pause === null ? reply : { ...reply, pause };
    },
  });
  return { model, calls, faults, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
}

function readAsked(messages: readonly Block[]): {
  readonly asked: Asked | null;
  /** Results of tools since then. */
  readonly results: number;
  readonly isSummary: boolean;
} {
  let asked: Asked | null = null;
  let results = 0;
  let last = "";
  for (const { role, content } of messages) {
    if (role !== "user") continue;
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    for (const block of blocks as readonly Block[]) {
      if (block["type"] === "tool_result") results += 1;
      if (block["type"] !== "text") continue;
      last = String(block["text"]);
      const found = /^#(\S+) (\w+) (\S+)$/.exec(last.trim());
      if (found === null) continue;
      asked = { key: found[1] ?? "", kind: found[2] as AskKind, home: found[3] ?? "" };
      results = 0;
    }
  }
  return { asked, results, isSummary: last.startsWith("Summarise this conversation") };
}

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

function answer(asked: Asked | null, results: number, serial: number): Turn {
  const kind = asked?.kind ?? "talk";
  const words = Array.from({ length: WORDS[kind] }, (_, i) => `w${serial}x${i}`);
  const text = words.join(" ");
  const toolCalls = asked === null ? [] : callsOf(asked, results, serial);
  return { kind: "turn", turn: { text, toolCalls }, delayMs: PIECE_MS };
}

function callsOf({ key, kind, home }: Asked, results: number, serial: number) {
  const call = (name: string, input: object, nth = 0) => ({
    ...{ id: `call_${key}_${serial}_${nth}`, name, input: JSON.stringify(input) },
    isFreeForm: false,
  });
  const count = `echo ${key} >> ${home}/count`;
  if (kind === "long_command") {
    return results === 0
      ? [call("execute", { command: `${count}; sleep 20`, timeout: "60s" })]
      : [];
  }
  if (kind === "patience") {
    return results === 0 ? [call("execute", { command: `${count}; sleep 5` })] : [];
  }
  if (kind === "client_tool") {
    return results === 0 ? [call("ask_client", { question: "And?" })] : [];
  }
  if (kind !== "tools") return [];
  if (results === 0) {
    return [
      call("execute", { command: `${count}; sleep 0.3; touch ${home}/done-${key}` }),
      call("write_file", { path: `${home}/written-${key}`, content: key }, 1),
    ];
  }
  const edit = { path: `${home}/edited`, old_text: "END\n", new_text: `${key}\nEND\n` };
  return results === 2 ? [call("edit_files", { edits: [edit] })] : [];
}
