/** What must hold of a chat that rests after it was struck. */
import type { MessagePart, ToolResultPart } from "@atelier/contract/chat/message-part";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../journeys/chat-world.ts";
import type { KillsChat } from "./chat-kills-chat.ts";
import { askText } from "./chat-kills-ask.ts";
import { judgeSummaries } from "./chat-kills-judge-summary.ts";
import {
  personsTexts,
  type ChatRowSeen,
  type Facts,
  type ScenarioName,
} from "./chat-kills-moments.ts";
import { TALLY, tallyNumber } from "./chat-kills-tally.ts";
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
  const rows = await chat.history();
  const key = `${chat.key}a`;
  const effects = judgeEffects(chat, rows, (tool) => {
    if (tool === TALLY.tool) return world.tally.count(tallyNumber(key));
    const lines = readFileSync(join(world.machine.home, EFFECT_FILES[tool]), "utf8").split("\n");
    return lines.filter((line) => line === key).length;
  });
  const edited = await editedAway(world, chat);
  const violations = [
    ...judgeRest(facts),
    ...judgeLeftovers(facts),
    ...judgeMessages(chat.sent, rows),
    ...(await judgeCreation(world, chat)),
    ...(await judgeChildren(world, chat)),
    ...judgeCalls(rows),
    ...judgeClientResult(chat, rows),
    ...judgeWords(rows),
    ...judgeSummaries(chat, rows, world.model.calls),
    ...chat.viewers.flatMap((viewer) => judgeSeen(viewer, [...edited.rows, ...rows], edited.since)),
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

/** What a turn leaves behind in its chat is in agreement with itself, and nothing of it is under way. */
export function judgeLeftovers(
  facts: Pick<
    Facts,
    | "isRetryRecorded"
    | "isDeadlineSet"
    | "queued"
    | "queuedRows"
    | "version"
    | "historyVersion"
    | "revisionMax"
  >,
): readonly string[] {
  const { queued, queuedRows, version, historyVersion, revisionMax } = facts;
  const isOrdered = revisionMax === historyVersion && historyVersion <= version;
  return [
    ...(facts.isRetryRecorded ? ["it rests, and is to be tried again"] : []),
    ...(facts.isDeadlineSet ? ["it rests, and waits for its client"] : []),
    ...(queued === queuedRows ? [] : [`${queuedRows} messages wait where it counts ${queued}`]),
    ...(isOrdered ? [] : [`revision ${revisionMax} of history ${historyVersion} of ${version}`]),
  ];
}

export function judgeMessages(
  sent: readonly string[],
  rows: readonly ChatRowSeen[],
): readonly string[] {
  const stored = personsTexts(rows);
  const isSame = stored.length === sent.length && stored.every((text, i) => text === sent[i]);
  return isSame ? [] : [`messages ${JSON.stringify(stored)} of ${JSON.stringify(sent)}`];
}

type EditedAway = {
  readonly rows: readonly ChatRowSeen[];
  /** The history's version with the edit: an answer that was under way before it is dropped (spec agents 2). */
  readonly since: number;
};

/** What its person took out of the history, after it was shown. */
async function editedAway(
  { database }: ChatKillsWorld,
  { id, key, scenario }: KillsChat,
): Promise<EditedAway> {
  if (scenario !== "edit") return { rows: [], since: 0 };
  const { rows } = await database.pool.query<ChatRowSeen>(
    `select id, role, visibility, compressed, content from chat_messages
     where chat_id = $1 and deleted order by id`,
    [id],
  );
  const { rows: edits } = await database.pool.query<{ readonly since: number }>(
    `select coalesce(min(revision), 0)::int as since from chat_messages
     where chat_id = $1 and not deleted and role = 'user' and strpos(content::text, $2) > 0`,
    [id, `#${key}b `],
  );
  return { rows, since: edits[0]?.since ?? 0 };
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

/** `since`: attempts at earlier versions of the history may be gone. */
export function judgeSeen(
  { seen, contradictions }: Pick<KillsViewer, "seen" | "contradictions">,
  rows: readonly ChatRowSeen[],
  since: number,
): readonly string[] {
  const text = textIn(rows);
  const gone = [...seen].flatMap(([episode, parts]) => {
    if (Number(episode.split("/")[0]) < since) return [];
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

/** Where the tools leave a line for each time that they take effect. */
const EFFECT_FILES = { execute: "count", edit_files: "edited" } as const;
type EffectTool = keyof typeof EFFECT_FILES | typeof TALLY.tool;
const EFFECTS_OF: Partial<Record<ScenarioName, readonly EffectTool[]>> = {
  tools: ["execute", "edit_files"],
  interrupt_command: ["execute"],
  patience: ["execute"],
  tool_server: [TALLY.tool],
  limit: ["execute", "edit_files"],
  // What would come behind the summary is not done.
  interrupt_summary: ["execute"],
  elsewhere: ["execute", "edit_files"],
};

/** What the model reads where nobody can know whether it took effect. */
const UNKNOWN =
  /nobody saw how|is not known|cannot be known|its outcome unknown|did anything is unknown|may go on; look/;
/** Its person stopped it. */
const INTERRUPTED = /was interrupted before it produced a result/;
/** What it reads where it certainly did not: it was never sent. */
const NOT_DONE = /cannot be reached: it is likely stopped/;

export function judgeEffects(
  { scenario }: Pick<KillsChat, "scenario">,
  rows: readonly ChatRowSeen[],
  countOf: (tool: EffectTool) => number,
): Pick<Judgement, "effects" | "effectsUnknown"> & { readonly violations: readonly string[] } {
  const violations: string[] = [];
  let [effects, effectsUnknown] = [0, 0];
  // What was edited away has no results any more, and is not made twice either.
  if (scenario === "edit" && countOf("execute") > 1) violations.push("execute took effect twice");
  for (const tool of EFFECTS_OF[scenario] ?? []) {
    const count = countOf(tool);
    const ofTool = resultsIn(rows).filter(({ tool_name }) => tool_name === tool);
    const told = JSON.stringify(ofTool.map(({ result }) => result));
    const isError = ofTool.some(({ is_error }) => is_error === true);
    const isStopped = scenario === "interrupt_command" && INTERRUPTED.test(told);
    const isUnknown = UNKNOWN.test(told);
    effects += count;
    if (isUnknown) effectsUnknown += 1;
    if (count > 1) violations.push(`${tool} took effect ${count} times`);
    const mayBeMissing = isUnknown || isStopped || NOT_DONE.test(told);
    if (count === 0 && !mayBeMissing) violations.push(`${tool} took no effect: ${told}`);
    if (count > 0 && NOT_DONE.test(told)) violations.push(`${tool} took effect: ${told}`);
    if (isError && !mayBeMissing) violations.push(`${tool} failed: ${told}`);
    if (ofTool.length !== 1) violations.push(`${tool} was called ${ofTool.length} times`);
  }
  return { effects, effectsUnknown, violations };
}

/** One was started, however often that was tried, was told each thing once, and is done. */
async function judgeChildren(
  { database, machine }: ChatKillsWorld,
  { id, key, scenario }: KillsChat,
): Promise<readonly string[]> {
  if (scenario !== "child") return [];
  const { rows: children } = await database.pool.query<{
    readonly status: string;
    readonly last_error: unknown;
    readonly messages: readonly ChatRowSeen[];
  }>(CHILDREN, [id]);
  const [child] = children;
  if (child === undefined || children.length > 1) return [`it has ${children.length} children`];
  const sent = ["c", "d"].map((nth) =>
    askText({ key: `${key}${nth}`, kind: "talk", home: machine.home }),
  );
  const { messages, status, last_error: error } = child;
  return [
    ...judgeRest({ status, error }),
    ...judgeMessages(sent, messages),
    ...judgeCalls(messages),
    ...judgeWords(messages),
  ].map((each) => `its child: ${each}`);
}

const CHILDREN = `
  select status, last_error,
    (select json_agg(json_build_object('id', id, 'role', role, 'visibility', visibility,
        'compressed', compressed, 'content', content) order by id)
      from chat_messages where chat_id = chats.id and not deleted) as messages
  from chats where parent_chat_id = $1`;

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
