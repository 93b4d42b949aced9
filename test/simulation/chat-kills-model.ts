/**
 * The model of chats that are struck: it does what the newest message of a person says, in small pieces,
 * and no two of its words are alike, so that each can be told from a repetition of itself.
 */
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";

/** What a person can ask for: `#<key> <kind> <home>`. */
export type AskKind = "tools" | "slow" | "talk" | "long_command";

export type ModelCall = { readonly key: string; readonly kind: "step" | "summary" };

export type KillsModel = AsyncDisposable & {
  readonly model: ScriptedModel;
  /** In the order in which they came. */
  readonly calls: readonly ModelCall[];
};

/** Between two pieces of an answer. */
const PIECE_MS = 15;
const SUMMARY_PIECE_MS = 25;
const WORDS: Readonly<Record<AskKind, number>> = { tools: 24, slow: 70, talk: 8, long_command: 8 };

type Block = Readonly<Record<string, unknown>>;
type Asked = { readonly key: string; readonly kind: AskKind; readonly home: string };

export function askText({ key, kind, home }: Asked): string {
  return `#${key} ${kind} ${home}`;
}

export async function startKillsModel(): Promise<KillsModel> {
  const calls: ModelCall[] = [];
  const model = await startScriptedModel({
    script: ({ body, path }) => {
      if (!path.endsWith("/messages")) return null;
      const request = JSON.parse(Buffer.from(body).toString()) as { messages: Block[] };
      const { asked, results, isSummary } = readAsked(request.messages);
      const key = asked?.key ?? "";
      const isStep = "tools" in request && !isSummary;
      if (isSummary || isStep) calls.push({ key, kind: isSummary ? "summary" : "step" });
      if (!isStep) return summary(isSummary);
      return answer(asked, results, calls.length);
    },
  });
  return { model, calls, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
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

function summary(isSummary: boolean): ScriptedReply {
  const text = isSummary ? "They counted, and all is well." : "Counting things";
  return { kind: "turn", turn: { text }, chunkBytes: 60, delayMs: SUMMARY_PIECE_MS };
}

function answer(asked: Asked | null, results: number, serial: number): ScriptedReply {
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
