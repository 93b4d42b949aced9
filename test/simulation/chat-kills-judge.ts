/** What must hold of a chat that rests after it was struck. */
import type { MessagePart, ToolResultPart } from "@atelier/contract/chat/message-part";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../journeys/chat-world.ts";
import type { KillsChat } from "./chat-kills-chat.ts";
import {
  personsTexts,
  type ChatRowSeen,
  type Facts,
  type ScenarioName,
} from "./chat-kills-moments.ts";
import { episodeText, KillsViewer } from "./chat-kills-viewer.ts";
import type { ChatKillsWorld } from "./chat-kills-world.ts";

export type Judgement = {
  readonly violations: readonly string[];
  readonly effects: number;
  /** Effects of which the model was told that their outcome is not known, or that they failed. */
  readonly effectsUnknown: number;
  readonly wordsSeen: number;
};

const VIEW_MS_MAX = 20_000;
const VIEW_LOOK_MS = 50;

export async function judge(world: ChatKillsWorld, chat: KillsChat): Promise<Judgement> {
  const facts = await chat.look();
  const { rows } = facts;
  const effects = judgeEffects(chat, rows, (tool) => {
    const lines = readFileSync(join(world.machine.home, EFFECT_FILES[tool]), "utf8").split("\n");
    return lines.filter((line) => line === `${chat.key}a`).length;
  });
  const violations = [
    ...judgeRest(facts),
    ...judgeMessages(chat.sent, rows),
    ...(await judgeCreation(world, chat)),
    ...judgeCalls(rows),
    ...judgeClientResult(chat, rows),
    ...judgeWords(rows),
    ...chat.viewers.flatMap((viewer) => judgeSeen(viewer, rows)),
    ...effects.violations,
    ...world.model.faults.filter((fault) => fault.startsWith(chat.key)),
    ...(await judgeViewers(world, chat, rows)),
  ];
  const { id, scenario } = chat;
  return {
    ...effects,
    wordsSeen: Math.max(...chat.viewers.map(({ words }) => words)),
    violations: violations.map((each) => `chat ${id} (${scenario}): ${each}`),
  };
}

export function judgeRest({ status, error }: Pick<Facts, "status" | "error">): readonly string[] {
  return status === "waiting" ? [] : [`it rests in ${status}: ${JSON.stringify(error)}`];
}

export function judgeMessages(
  sent: readonly string[],
  rows: readonly ChatRowSeen[],
): readonly string[] {
  const stored = personsTexts(rows);
  const isSame = stored.length === sent.length && stored.every((text, i) => text === sent[i]);
  return isSame ? [] : [`messages ${JSON.stringify(stored)} of ${JSON.stringify(sent)}`];
}

/** Whoever asked twice for a chat has one. */
async function judgeCreation(
  { database }: ChatKillsWorld,
  { key }: KillsChat,
): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ readonly chats: number }>(
    `select count(distinct chat_id)::int as chats from chat_messages
     where role = 'user' and strpos(content::text, $1) > 0`,
    [`#${key}a `],
  );
  const count = rows[0]?.chats;
  return count === 1 ? [] : [`it is there ${count} times`];
}

export function judgeCalls(rows: readonly ChatRowSeen[]): readonly string[] {
  const open = new Set<string>();
  const closed = new Set<string>();
  const violations: string[] = [];
  for (const part of partsOf(rows)) {
    if (part.type === "tool-call") {
      if (open.has(part.tool_call_id) || closed.has(part.tool_call_id)) {
        violations.push(`call ${part.tool_call_id} comes twice`);
      }
      open.add(part.tool_call_id);
    }
    if (part.type !== "tool-result") continue;
    if (!open.delete(part.tool_call_id)) {
      violations.push(`result of ${part.tool_call_id}, which is not open`);
    }
    closed.add(part.tool_call_id);
  }
  return [...violations, ...[...open].map((id) => `call ${id} has no result`)];
}

/** What the client was told to be taken is what the model reads. */
function judgeClientResult(
  { key, scenario }: Pick<KillsChat, "key" | "scenario">,
  rows: readonly ChatRowSeen[],
): readonly string[] {
  if (scenario !== "client_tool") return [];
  const given = JSON.stringify(resultsIn(rows).map(({ result }) => result));
  return given === JSON.stringify([`given-${key}`])
    ? []
    : [`the client gave one result, not ${given}`];
}

/** Words of one answer are numbered: each comes once, and in its order. */
export function judgeWords(rows: readonly ChatRowSeen[]): readonly string[] {
  const next = new Map<string, number>();
  const violations: string[] = [];
  for (const [word, serial = "", index] of textIn(rows).matchAll(/w(\d+)x(\d+)/g)) {
    const wanted = next.get(serial) ?? 0;
    if (Number(index) !== wanted) violations.push(`word ${word} in place of number ${wanted}`);
    next.set(serial, Number(index) + 1);
  }
  return violations;
}

export function judgeSeen(
  { seen, contradictions }: Pick<KillsViewer, "seen" | "contradictions">,
  rows: readonly ChatRowSeen[],
): readonly string[] {
  const text = textIn(rows);
  const gone = [...seen].flatMap(([episode, parts]) => {
    const shown = episodeText(parts).trim();
    if (text.includes(shown)) return [];
    const kept = longestPrefixIn(text, shown);
    return [`seen and gone, in ${episode}: "${shown.slice(kept)}" after ${kept} letters`];
  });
  return [...contradictions, ...gone];
}

function longestPrefixIn(text: string, shown: string): number {
  let length = shown.length;
  while (!text.includes(shown.slice(0, length))) length -= 1;
  return length;
}

type EffectTool = keyof typeof EFFECT_FILES;

/** Where the tools leave a line for each time that they take effect. */
const EFFECT_FILES = { execute: "count", edit_files: "edited" } as const;
const EFFECTS_OF: Partial<Record<ScenarioName, readonly EffectTool[]>> = {
  tools: ["execute", "edit_files"],
  interrupt_command: ["execute"],
  patience: ["execute"],
};

export function judgeEffects(
  { scenario }: Pick<KillsChat, "scenario">,
  rows: readonly ChatRowSeen[],
  countOf: (tool: EffectTool) => number,
): Pick<Judgement, "effects" | "effectsUnknown"> & { readonly violations: readonly string[] } {
  const violations: string[] = [];
  let [effects, effectsUnknown] = [0, 0];
  for (const tool of EFFECTS_OF[scenario] ?? []) {
    const count = countOf(tool);
    const ofTool = resultsIn(rows).filter(({ tool_name }) => tool_name === tool);
    effects += count;
    const isUnknown = ofTool.some(
      ({ is_error, result }) =>
        is_error === true || /nobody saw|not known/.test(JSON.stringify(result)),
    );
    // A command that was stopped is told to be an error.
    if (isUnknown && scenario !== "interrupt_command") effectsUnknown += 1;
    if (count > 1) violations.push(`${tool} took effect ${count} times`);
    if (count === 0 && !isUnknown) violations.push(`${tool} took no effect`);
    if (ofTool.length !== 1) violations.push(`${tool} was called ${ofTool.length} times`);
  }
  return { effects, effectsUnknown, violations };
}

/** Both viewers that came back by themselves, and one that comes anew, hold what the database holds. */
async function judgeViewers(
  world: ChatKillsWorld,
  chat: KillsChat,
  rows: readonly ChatRowSeen[],
): Promise<readonly string[]> {
  let turn = 0;
  using anew = new KillsViewer(chat.id, world.token, () => world.urls[turn++ % 2] ?? "");
  const wanted = JSON.stringify(
    rows
      .filter(({ visibility }) => visibility !== "model")
      .map(({ id, role, content }) => [id, role, textOf(content)]),
  );
  const startedMs = performance.now();
  for (;;) {
    const held = [...chat.viewers, anew].map(({ screen }) => {
      const messages = [...screen.messages].toSorted(([one], [other]) => one - other);
      return {
        shown: JSON.stringify(messages.map(([id, { role, text }]) => [id, role, text])),
        screen,
      };
    });
    const wrong = held.filter(
      ({ shown, screen }) =>
        shown !== wanted ||
        screen.status !== "waiting" ||
        screen.live !== "" ||
        screen.queue.length > 0,
    );
    if (wrong.length === 0) return [];
    if (performance.now() - startedMs > VIEW_MS_MAX) {
      return wrong.map(
        ({ shown, screen }) =>
          `a viewer holds ${shown}, ${screen.status}, live "${screen.live}" in place of ${wanted}`,
      );
    }
    await sleep(VIEW_LOOK_MS);
  }
}

function partsOf(rows: readonly ChatRowSeen[]): readonly MessagePart[] {
  return rows.filter(({ compressed }) => !compressed).flatMap(({ content }) => content);
}

function resultsIn(rows: readonly ChatRowSeen[]): readonly ToolResultPart[] {
  return partsOf(rows).filter((part): part is ToolResultPart => part.type === "tool-result");
}

function textIn(rows: readonly ChatRowSeen[]): string {
  return partsOf(rows.filter(({ role }) => role === "assistant"))
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");
}
