/** One chat of a run: what is asked of it, what can be seen of it from outside, and when it rests. */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askText, type AskKind } from "./chat-kills-model.ts";
import { KillsViewer } from "./chat-kills-viewer.ts";
import type { ChatKillsWorld } from "./chat-kills-world.ts";

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
  readonly runnerId: string | null;
  readonly attempt: number;
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

export type ScenarioName = "tools" | "interrupt" | "interrupt_command" | "summary";

/** Named by what has just been seen. In the order in which they come. */
export const MOMENTS: Readonly<
  Record<ScenarioName, Readonly<Record<string, (facts: Facts) => boolean>>>
> = {
  tools: {
    created: () => true,
    claimed: ({ runnerId }) => runnerId !== null,
    "attempt recorded": ({ attempt }) => attempt > 0,
    "model called": ({ steps }) => steps > 0,
    "message queued": ({ queued }) => queued > 0,
    "first part shown": ({ words }) => words > 0,
    "parts kept": ({ kept }) => kept > 0,
    "answer nearly whole": ({ words }) => words >= 20,
    "tool calls committed": (facts) => toolCallsIn(facts) >= 2,
    "tools attempted": (facts) => toolCallsIn(facts) >= 2 && facts.attempt > 0,
    "command took effect": ({ isCounted }) => isCounted,
    "command ended": ({ isCommandDone }) => isCommandDone,
    "tool results committed": (facts) => toolResultsIn(facts) >= 2,
    "second answer begun": ({ steps }) => steps > 1,
    "edit committed as a call": (facts) => toolCallsIn(facts) >= 3,
    "edit took effect": ({ isEdited }) => isEdited,
    "last answer shown": ({ words }) => words >= 60,
    "queued message promoted": ({ rows }) => personsTexts(rows).length > 1,
    "turn finished": ({ status }) => status === "waiting",
  },
  interrupt: {
    "interruption asked": ({ status }) => status === "interrupting",
    interrupted: ({ status }) => status === "waiting",
  },
  interrupt_command: {
    "interruption of a command asked": ({ status }) => status === "interrupting",
    "command interrupted": ({ status }) => status === "waiting",
  },
  summary: {
    "summary asked": ({ isCompactionAsked }) => isCompactionAsked,
    "summary being written": ({ summaries }) => summaries > 0,
    "summary committed": ({ rows }) => rows.some(({ compressed }) => compressed),
  },
};

const LOOK_EVERY_MS = 4;
const REST_MS_MAX = 90_000;
const FIRST_KIND: Readonly<Record<ScenarioName, AskKind>> = {
  tools: "tools",
  interrupt: "slow",
  interrupt_command: "long_command",
  summary: "talk",
};

export class KillsChat implements Disposable {
  readonly id: string;
  readonly key: string;
  readonly scenario: ScenarioName;
  readonly viewers: readonly KillsViewer[];
  /** In the order in which they were accepted. */
  readonly sent: string[];
  readonly #world: ChatKillsWorld;

  private constructor(
    world: ChatKillsWorld,
    about: { id: string; key: string; text: string; scenario: ScenarioName },
  ) {
    this.#world = world;
    this.id = about.id;
    this.key = about.key;
    this.scenario = about.scenario;
    this.sent = [about.text];
    this.viewers = [0, 1].map((first) => {
      let connections = first;
      return new KillsViewer(this.id, world.token, () => world.urls[connections++ % 2] ?? "");
    });
  }

  static async create(
    world: ChatKillsWorld,
    key: string,
    scenario: ScenarioName,
  ): Promise<KillsChat> {
    const text = askText({ key: `${key}a`, kind: FIRST_KIND[scenario], home: world.machine.home });
    const { status, body } = await world.call("POST", "/api/v2/chats", {
      content: [{ type: "text", text }],
      ...{ workspace_id: world.workspaceId, idempotency_key: `create-${key}` },
    });
    assert.equal(status, 201, JSON.stringify(body));
    return new KillsChat(world, { id: body.id as string, key, text, scenario });
  }

  [Symbol.dispose](): void {
    for (const viewer of this.viewers) viewer[Symbol.dispose]();
  }

  /** Everything that is asked of it, until the moment when only rest is left. */
  async perform(): Promise<void> {
    switch (this.scenario) {
      case "tools":
        await this.until("a call of the model", ({ steps }) => steps > 0);
        await this.send("b", "talk");
        break;
      case "interrupt":
        await this.until("words", ({ words }) => words >= 8);
        await this.#act("interrupt");
        break;
      case "interrupt_command":
        await this.until("a command at work", ({ isCounted }) => isCounted);
        await this.#act("interrupt");
        break;
      case "summary":
        await this.rest();
        await this.#act("compact");
        break;
    }
  }

  async send(nth: string, kind: AskKind): Promise<void> {
    const text = askText({ key: `${this.key}${nth}`, kind, home: this.#world.machine.home });
    const { status, body } = await this.#world.call("POST", `/api/v2/chats/${this.id}/messages`, {
      content: [{ type: "text", text }],
      idempotency_key: `${this.key}-${nth}`,
    });
    assert.equal(status, 200, JSON.stringify(body));
    this.sent.push(text);
  }

  async rest(): Promise<void> {
    await this.until("rest", ({ status, queued, isCompactionAsked }) => {
      return (status === "waiting" || status === "error") && queued === 0 && !isCompactionAsked;
    });
  }

  async until(what: string, isSo: (facts: Facts) => boolean, signal?: AbortSignal): Promise<Facts> {
    const startedMs = performance.now();
    for (;;) {
      const facts = await this.look();
      if (isSo(facts)) return facts;
      signal?.throwIfAborted();
      const tale = (): string => `${this.id} (${this.scenario}): no ${what}; ${brief(facts)}`;
      assert.ok(performance.now() - startedMs < REST_MS_MAX, tale());
      await sleep(LOOK_EVERY_MS);
    }
  }

  async look(): Promise<Facts> {
    const { database, model, machine } = this.#world;
    const { rows } = await database.pool.query({ name: "look", text: LOOK, values: [this.id] });
    const [row] = rows;
    const calls = model.calls.filter(({ key }) => key.startsWith(this.key));
    const key = `${this.key}a`;
    return {
      status: row.status,
      error: row.last_error,
      runnerId: row.runner_id,
      attempt: Number(row.generation_attempt),
      queued: row.queue_length,
      isCompactionAsked: row.compaction_requested_at !== null,
      rows: row.messages ?? [],
      kept: Number(row.kept),
      steps: calls.filter(({ kind }) => kind === "step").length,
      summaries: calls.filter(({ kind }) => kind === "summary").length,
      words: Math.max(...this.viewers.map(({ words }) => words)),
      isCounted: readFileSync(join(machine.home, "count"), "utf8").includes(`${key}\n`),
      isCommandDone: existsSync(join(machine.home, `done-${key}`)),
      isEdited: readFileSync(join(machine.home, "edited"), "utf8").includes(`${key}\n`),
    };
  }

  async #act(action: "interrupt" | "compact"): Promise<void> {
    // Refused: it has come through before, or there is nothing to stop any more.
    await this.#world.call("POST", `/api/v2/chats/${this.id}/${action}`);
  }
}

const LOOK = `
  select status, last_error, runner_id, generation_attempt, queue_length, compaction_requested_at,
    (select count(*) from chat_message_parts as parts where parts.chat_id = chats.id) as kept,
    (select json_agg(json_build_object('id', id, 'role', role, 'visibility', visibility,
        'compressed', compressed, 'content', content) order by id)
      from chat_messages where chat_id = chats.id and not deleted) as messages
  from chats where id = $1`;

/** What people wrote, as the history has it. */
export function personsTexts(rows: readonly ChatRowSeen[]): readonly string[] {
  return rows
    .filter(({ role, visibility }) => role === "user" && visibility !== "model")
    .map(({ content }) => content.map((part) => (part.type === "text" ? part.text : "")).join(""));
}

export function toolCallsIn({ rows }: Pick<Facts, "rows">): number {
  return rows.flatMap(({ content }) => content).filter(({ type }) => type === "tool-call").length;
}

function toolResultsIn({ rows }: Facts): number {
  return rows.flatMap(({ content }) => content).filter(({ type }) => type === "tool-result").length;
}

function brief({ rows, ...facts }: Facts): string {
  const shown = rows.map(
    ({ role, content }) => `${role}: ${content.map(({ type }) => type).join("+")}`,
  );
  return `${JSON.stringify(facts)} ${JSON.stringify(shown)}`;
}
