/** What must hold of a chat that rests after it was struck. */
import type { MessagePart, ToolResultPart } from "@atelier/contract/chat/message-part";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../journeys/chat-world.ts";
import { personsTexts, type ChatRowSeen, type Facts, type KillsChat } from "./chat-kills-chat.ts";
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
  const effects = judgeEffects(world, chat, rows);
  const violations = [
    ...judgeRest(facts),
    ...judgeMessages(chat, rows),
    ...judgeCalls(rows),
    ...judgeWords(rows),
    ...judgeSeen(chat, rows),
    ...effects.violations,
    ...(await judgeViewers(world, chat, rows)),
  ];
  const { id, scenario } = chat;
  return {
    ...effects,
    wordsSeen: Math.max(...chat.viewers.map(({ words }) => words)),
    violations: violations.map((each) => `chat ${id} (${scenario}): ${each}`),
  };
}

function judgeRest({ status, error }: Facts): readonly string[] {
  return status === "waiting" ? [] : [`it rests in ${status}: ${JSON.stringify(error)}`];
}

function judgeMessages({ sent }: KillsChat, rows: readonly ChatRowSeen[]): readonly string[] {
  const stored = personsTexts(rows);
  const isSame = stored.length === sent.length && stored.every((text, i) => text === sent[i]);
  return isSame ? [] : [`messages ${JSON.stringify(stored)} of ${JSON.stringify(sent)}`];
}

function judgeCalls(rows: readonly ChatRowSeen[]): readonly string[] {
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

/** Words of one answer are numbered: each comes once, and in its order. */
function judgeWords(rows: readonly ChatRowSeen[]): readonly string[] {
  const next = new Map<string, number>();
  const violations: string[] = [];
  for (const [word, serial = "", index] of textIn(rows).matchAll(/w(\d+)x(\d+)/g)) {
    const wanted = next.get(serial) ?? 0;
    if (Number(index) !== wanted) violations.push(`word ${word} in place of number ${wanted}`);
    next.set(serial, Number(index) + 1);
  }
  return violations;
}

function judgeSeen(chat: KillsChat, rows: readonly ChatRowSeen[]): readonly string[] {
  const text = textIn(rows);
  return chat.viewers.flatMap(({ seen, contradictions }) => [
    ...contradictions,
    ...[...seen].flatMap(([episode, parts]) => {
      const shown = episodeText(parts).trim();
      if (text.includes(shown)) return [];
      const kept = longestPrefixIn(text, shown);
      return [`seen and gone, in ${episode}: "${shown.slice(kept)}" after ${kept} letters`];
    }),
  ]);
}

function longestPrefixIn(text: string, shown: string): number {
  let length = shown.length;
  while (!text.includes(shown.slice(0, length))) length -= 1;
  return length;
}

function judgeEffects(
  { machine }: ChatKillsWorld,
  { key, scenario }: KillsChat,
  rows: readonly ChatRowSeen[],
): Pick<Judgement, "effects" | "effectsUnknown"> & { readonly violations: readonly string[] } {
  if (scenario !== "tools" && scenario !== "interrupt_command") {
    return { effects: 0, effectsUnknown: 0, violations: [] };
  }
  const results = partsOf(rows).filter(
    (part): part is ToolResultPart => part.type === "tool-result",
  );
  const files = { execute: "count", edit_files: "edited" } as const;
  const violations: string[] = [];
  let [effects, effectsUnknown] = [0, 0];
  for (const [tool, file] of Object.entries(files)) {
    if (scenario === "interrupt_command" && tool !== "execute") continue;
    const lines = readFileSync(join(machine.home, file), "utf8").split("\n");
    const count = lines.filter((line) => line === `${key}a`).length;
    const ofTool = results.filter(({ tool_name }) => tool_name === tool);
    effects += count;
    const isUnknown = ofTool.some(
      ({ is_error, result }) =>
        is_error === true || /nobody saw|not known/.test(JSON.stringify(result)),
    );
    if (isUnknown && scenario === "tools") effectsUnknown += 1;
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

function textIn(rows: readonly ChatRowSeen[]): string {
  return partsOf(rows.filter(({ role }) => role === "assistant"))
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");
}
