/** One chat of a run: what is asked of it, what can be seen of it from outside, and when it rests. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askText, type AskKind } from "./chat-kills-ask.ts";
import { FILLER } from "./chat-kills-context.ts";
import type { ChatRowSeen, Facts, ScenarioName } from "./chat-kills-moments.ts";
import { KillsViewer } from "./chat-kills-viewer.ts";
import type { ChatKillsWorld } from "./chat-kills-world.ts";

/** While a moment is waited for that is to be struck, and else. */
const LOOK_KEENLY_MS = 10;
const LOOK_MS = 250;
/** Since all was back that was struck, without a step, a part or a word. */
const STILL_MS_MAX = 180_000;
/** Also while it moves: it could go round in circles. A busy machine is slow. */
const REST_MS_MAX = 600_000;
/** Groups of parts in the journal. */
const KEPT_MIN = 6;
const FIRST_KIND: Readonly<Record<ScenarioName, AskKind>> = {
  tools: "tools",
  interrupt: "slow",
  interrupt_command: "long_command",
  summary: "talk",
  patience: "patience",
  recovery: "slow",
  retry: "retry",
  client_tool: "client_tool",
  edit: "long_command",
  child: "child",
  tool_server: "tool_server",
  limit: "full",
  limit_message: "full_talk",
  interrupt_summary: "full_stop",
  message_at_rest: "talk",
  elsewhere: "tools",
};
/** Their contexts are full with their first message. */
const FULL: readonly ScenarioName[] = ["limit", "limit_message", "interrupt_summary"];
/** Of a tool that the person's own program runs. */
const CLIENT_TOOLS = [
  {
    name: "ask_client",
    description: "Asks the person's program",
    input_schema: { type: "object", properties: { question: { type: "string" } } },
  },
];

export class KillsChat implements Disposable {
  readonly id: string;
  readonly key: string;
  readonly scenario: ScenarioName;
  readonly viewers: readonly KillsViewer[];
  /** In the order in which they were accepted. */
  readonly sent: string[];
  readonly #world: ChatKillsWorld;
  /** Of its first turn. */
  readonly #turnMessageId: number;

  private constructor(
    world: ChatKillsWorld,
    about: { id: string; turn: number; key: string; text: string; scenario: ScenarioName },
  ) {
    this.#world = world;
    this.#turnMessageId = about.turn;
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
    if (scenario === "tool_server") await world.changeToolServer(key);
    const texts = FULL.includes(scenario) ? [text, FILLER] : [text];
    const { status, body } = await world.call("POST", "/api/v2/chats", {
      content: texts.map((each) => ({ type: "text", text: each })),
      ...{ workspace_id: world.workspaceId, idempotency_key: `create-${key}` },
      ...(scenario === "client_tool" && { unsafe_dynamic_tools: CLIENT_TOOLS }),
      ...(FULL.includes(scenario) && { model_config_id: world.smallModelId }),
      ...(scenario === "tool_server" && { mcp_server_ids: [world.toolServerId] }),
    });
    assert.equal(status, 201, JSON.stringify(body));
    const { id, turn_message_id: turn } = body as { id: string; turn_message_id: number };
    return new KillsChat(world, { id, turn, key, text: texts.join(""), scenario });
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
        await this.until("an answer under way", isAnswering);
        await this.#stop();
        break;
      case "interrupt_command":
        await this.until("a command at work", isAtWork);
        await this.#stop();
        break;
      case "edit":
        await this.until("a command at work", isAtWork);
        await this.#edit();
        break;
      case "summary":
        await this.rest();
        await this.#compact();
        break;
      case "recovery":
        await this.until("an answer under way", isAnswering);
        await this.#endDriver();
        break;
      case "client_tool":
        await this.#giveResult();
        break;
      case "message_at_rest":
        await this.rest();
        await this.send("b", "talk");
        await this.rest();
        await this.send("c", "talk");
        break;
      case "limit_message":
        await this.rest();
        await this.send("b", "talk");
        break;
      case "interrupt_summary":
        await this.until("a summary under way", isSummingUp);
        await this.#stop();
        break;
      case "patience":
      case "retry":
      case "child":
      case "tool_server":
      case "limit":
      case "elsewhere":
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
      return isResting(status) && queued === 0 && !isCompactionAsked;
    });
  }

  async until(what: string, isSo: (facts: Facts) => boolean, signal?: AbortSignal): Promise<Facts> {
    const startedMs = performance.now();
    let moved = { mark: "", atMs: startedMs };
    for (;;) {
      const facts = await this.look();
      if (isSo(facts)) return facts;
      signal?.throwIfAborted();
      const { version, kept, steps, words } = facts;
      const mark = [version, kept, steps, words].join();
      if (mark !== moved.mark) moved = { mark, atMs: performance.now() };
      const nowMs = performance.now();
      const stillMs = nowMs - Math.max(moved.atMs, this.#world.wholeSinceMs);
      if (stillMs > STILL_MS_MAX || nowMs - startedMs > REST_MS_MAX) {
        const told = await this.#world.postMortem(this.id);
        const shown = brief(await this.history());
        const now = JSON.stringify(facts);
        assert.fail(`${this.id} (${this.scenario}): no ${what}; ${now} ${shown}\n${told}`);
      }
      await sleep(signal === undefined ? LOOK_MS : LOOK_KEENLY_MS);
    }
  }

  async look(): Promise<Facts> {
    const { model, machine } = this.#world;
    const [row] = await this.#world.read<LookRow>({ name: "look", text: LOOK, values: [this.id] });
    assert(row !== undefined);
    const calls = model.calls.filter(({ key }) => key.startsWith(this.key));
    const key = `${this.key}a`;
    return {
      status: row.status,
      error: row.last_error,
      version: row.snapshot_version,
      runnerId: row.runner_id,
      attempt: row.generation_attempt,
      isRetryRecorded: row.retry_state !== null,
      queued: row.queue_length,
      isCompactionAsked: row.compaction_requested_at !== null,
      isDeadlineSet: row.requires_action_deadline_at !== null,
      queuedRows: row.queued_rows,
      historyVersion: row.history_version,
      revisionMax: row.revision_max,
      kept: row.kept,
      steps: calls.filter(({ kind }) => kind === "step").length,
      summaries: calls.filter(({ kind }) => kind === "summary").length,
      words: Math.max(...this.viewers.map(({ words }) => words)),
      isCounted: readFileSync(join(machine.home, "count"), "utf8").includes(`${key}\n`),
      isCommandDone: existsSync(join(machine.home, `done-${key}`)),
      isEdited: readFileSync(join(machine.home, "edited"), "utf8").includes(`${key}\n`),
    };
  }

  /** What is to be seen of its history: not what it was told by the system. */
  async history(): Promise<readonly ChatRowSeen[]> {
    return this.#world.read<ChatRowSeen>({ name: "history", text: HISTORY, values: [this.id] });
  }

  /** As a program does whose tool was called: it tries until it is told that it was heard. */
  async #giveResult(): Promise<void> {
    await this.until("a call for the client", ({ status }) => status === "requires_action");
    const rows = await this.history();
    const calls = rows.flatMap(({ content }) => content).filter(({ type }) => type === "tool-call");
    const results = calls.map((call) => ({
      tool_call_id: call.type === "tool-call" ? call.tool_call_id : "",
      output: `given-${this.key}`,
    }));
    // Refused: an earlier attempt had come through.
    await this.#world.call("POST", `/api/v2/chats/${this.id}/tool-results`, { results });
  }

  /** Refused: it has come through before, and what was to be edited is gone. */
  async #edit(): Promise<void> {
    const rows = await this.history();
    const first = rows.find(({ role, visibility }) => role === "user" && visibility !== "model");
    const text = askText({ key: `${this.key}b`, kind: "talk", home: this.#world.machine.home });
    await this.#world.call("PATCH", `/api/v2/chats/${this.id}/messages/${first?.id}`, {
      content: [{ type: "text", text }],
    });
    this.sent.splice(0, this.sent.length, text);
  }

  /** Where it has one: then a successor goes on from what was shown. */
  async #endDriver(): Promise<void> {
    const driver = await this.#world.driverOf(this.id);
    if (driver !== undefined) this.#world.strike("driver killed", driver, () => 0);
  }

  /**
   * The turn that its person sees, which is its first. Refused: it has come through before, or that turn
   * is over.
   */
  async #stop(): Promise<void> {
    const body = { turn_message_id: this.#turnMessageId };
    await this.#world.call("POST", `/api/v2/chats/${this.id}/interrupt`, body);
  }

  /** Refused: it has come through before. */
  async #compact(): Promise<void> {
    await this.#world.call("POST", `/api/v2/chats/${this.id}/compact`);
  }
}

/** As its server has kept it: viewers may be away. One that is over was not to be met, which is no harm. */
function isAnswering({ kept, status, steps }: Facts): boolean {
  return kept >= KEPT_MIN || (steps > 0 && isResting(status));
}

/** A command that no server could start leaves a result that says so, and the turn goes on. */
function isAtWork({ isCounted, status, steps }: Facts): boolean {
  return isCounted || (steps > 0 && isResting(status));
}

/** It may have gone on after the summary before anybody looked. */
function isSummingUp({ summaries, status, steps }: Facts): boolean {
  return summaries > 0 || (steps > 0 && isResting(status));
}

function isResting(status: string): boolean {
  return status === "waiting" || status === "error";
}

type LookRow = Pick<Facts, "status"> & {
  readonly last_error: unknown;
  readonly snapshot_version: number;
  readonly runner_id: string | null;
  readonly generation_attempt: number;
  readonly retry_state: unknown;
  readonly queue_length: number;
  readonly compaction_requested_at: Date | null;
  readonly requires_action_deadline_at: Date | null;
  readonly history_version: number;
  readonly queued_rows: number;
  readonly revision_max: number;
  readonly kept: number;
};

const LOOK = `
  select status, last_error, snapshot_version, runner_id, generation_attempt, retry_state, queue_length, compaction_requested_at,
    requires_action_deadline_at, history_version,
    (select count(*) from chat_queued_messages as queued where queued.chat_id = chats.id) as queued_rows,
    (select coalesce(max(revision), 0) from chat_messages as rows where rows.chat_id = chats.id) as revision_max,
    (select count(*) from chat_message_parts as parts where parts.chat_id = chats.id) as kept
  from chats where id = $1`;
const HISTORY = `
  select id::int, role, visibility, compressed, content from chat_messages
  where chat_id = $1 and not deleted and role <> 'system' order by id`;

function brief(rows: readonly ChatRowSeen[]): string {
  const shown = rows.map(
    ({ role, content }) => `${role}: ${content.map(({ type }) => type).join("+")}`,
  );
  return JSON.stringify(shown);
}
