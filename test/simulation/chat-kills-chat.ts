/** One chat of a run: what is asked of it, what can be seen of it from outside, and when it rests. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askText, type AskKind } from "./chat-kills-model.ts";
import type { Facts, ScenarioName } from "./chat-kills-moments.ts";
import { KillsViewer } from "./chat-kills-viewer.ts";
import type { ChatKillsWorld } from "./chat-kills-world.ts";

/** While a moment is waited for that is to be struck, and else. */
const LOOK_KEENLY_MS = 10;
const LOOK_MS = 250;
/** Since all was back that was struck, without a step, a part or a word. */
const STILL_MS_MAX = 90_000;
/** Also while it moves: it could go round in circles. A busy machine is slow. */
const REST_MS_MAX = 600_000;
const FIRST_KIND: Readonly<Record<ScenarioName, AskKind>> = {
  tools: "tools",
  interrupt: "slow",
  interrupt_command: "long_command",
  summary: "talk",
  patience: "patience",
  recovery: "slow",
  retry: "retry",
  client_tool: "client_tool",
};
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
      ...(scenario === "client_tool" && { unsafe_dynamic_tools: CLIENT_TOOLS }),
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
      case "recovery":
        await this.until("words", ({ words }) => words >= 10);
        await this.#endDriver();
        break;
      case "client_tool":
        await this.#giveResult();
        break;
      case "patience":
      case "retry":
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
        assert.fail(`${this.id} (${this.scenario}): no ${what}; ${brief(facts)}\n${told}`);
      }
      await sleep(signal === undefined ? LOOK_MS : LOOK_KEENLY_MS);
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
      version: Number(row.snapshot_version),
      runnerId: row.runner_id,
      attempt: Number(row.generation_attempt),
      isRetryRecorded: row.retry_state !== null,
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

  /** As a program does whose tool was called: it tries until it is told that it was heard. */
  async #giveResult(): Promise<void> {
    const { rows } = await this.until("a call for the client", ({ status }) => {
      return status === "requires_action";
    });
    const calls = rows.flatMap(({ content }) => content).filter(({ type }) => type === "tool-call");
    const results = calls.map((call) => ({
      tool_call_id: call.type === "tool-call" ? call.tool_call_id : "",
      output: `given-${this.key}`,
    }));
    // Refused: an earlier attempt had come through.
    await this.#world.call("POST", `/api/v2/chats/${this.id}/tool-results`, { results });
  }

  /** Where it has one: then a successor goes on from what was shown. */
  async #endDriver(): Promise<void> {
    const driver = await this.#world.driverOf(this.id);
    if (driver !== undefined) this.#world.strike("driver killed", driver, () => 0);
  }

  async #act(action: "interrupt" | "compact"): Promise<void> {
    // Refused: it has come through before, or there is nothing to stop any more.
    await this.#world.call("POST", `/api/v2/chats/${this.id}/${action}`);
  }
}

const LOOK = `
  select status, last_error, snapshot_version, runner_id, generation_attempt, retry_state, queue_length, compaction_requested_at,
    (select count(*) from chat_message_parts as parts where parts.chat_id = chats.id) as kept,
    (select json_agg(json_build_object('id', id, 'role', role, 'visibility', visibility,
        'compressed', compressed, 'content', content) order by id)
      from chat_messages where chat_id = chats.id and not deleted) as messages
  from chats where id = $1`;

function brief({ rows, ...facts }: Facts): string {
  const shown = rows.map(
    ({ role, content }) => `${role}: ${content.map(({ type }) => type).join("+")}`,
  );
  return `${JSON.stringify(facts)} ${JSON.stringify(shown)}`;
}
