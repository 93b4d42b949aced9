/**
 * Agents that are killed at random moments while they start processes: every call that a later agent
 * repeats has started its process exactly once, and every answer that was ever given stays true.
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnKilledAgent, type KilledAgent } from "./killed-agent-testkit.ts";
import {
  NOTHING_FORGOTTEN,
  testEffect,
  testMachine,
  type TestMachine,
} from "./processes-testkit.ts";

export const title = "processes that agents start while they are killed";

/** An agent is a process, which has to be started and killed. */
export const runsDefault = 100;

type Call = { readonly callId: string; readonly command: string };

const CALLS_PER_RUN = 3;
/** An agent that lives this long has answered most of its calls; half of them die sooner. */
const LIFE_MS_MAX = 160;
/** So that a few calls are repeated often, and most are not. */
const UNANSWERED_MAX = 12;
const REPORT_EVERY = 50;

export async function simulate({
  seed,
  runs,
  report,
}: {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
}): Promise<void> {
  await using machine = await testMachine();
  await mkdir(join(machine.workspaceDirectory, "counts"));
  const draw = drawsFrom(seed);
  const calls: Call[] = [];
  const answers = new Map<string, string>();
  let next = spawnKilledAgent();
  try {
    for (let run = 0; run < runs; run += 1) {
      const agent = next;
      next = spawnKilledAgent(); // Loads its code meanwhile.
      const open = calls.filter(({ callId }) => !answers.has(callId)).slice(-UNANSWERED_MAX);
      const fresh = Array.from({ length: CALLS_PER_RUN }, (_, i) => callOf(`${run}-${i}`));
      calls.push(...fresh);
      await killOnce(agent, machine, { calls: [...open, ...fresh], answers, draw });
      if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} kills, ${answers.size} answers`);
    }
  } finally {
    await next.dismiss();
  }
  await judge(machine, calls, answers);
  report(`${calls.length} calls, ${answers.size} of them answered by agents that were killed`);
}

function callOf(callId: string): Call {
  return { callId, command: `echo started >> counts/${callId}; sleep 0.0$$; exit 5` };
}

async function killOnce(
  agent: KilledAgent,
  { directory, stateDirectory, workspaceDirectory }: TestMachine,
  {
    calls,
    answers,
    draw,
  }: {
    readonly calls: readonly Call[];
    readonly answers: Map<string, string>;
    readonly draw: () => number;
  },
): Promise<void> {
  const diesAfterMs = draw() ** 2 * LIFE_MS_MAX;
  // By itself between two steps of its program, or by another anywhere in them.
  const killAfterMs = draw() < 0.5 ? null : diesAfterMs;
  const order = {
    directories: { directory, stateDirectory, workspaceDirectory },
    calls,
    diesAfterMs: diesAfterMs + (killAfterMs === null ? 0 : 10_000),
  };
  for (const { callId, processId } of await agent.obey(order, killAfterMs)) {
    assert.equal(answers.get(callId) ?? processId, processId, "a call has one process");
    answers.set(callId, processId);
  }
}

/** A last agent, which is not killed, repeats everything. */
async function judge(
  machine: TestMachine,
  calls: readonly Call[],
  answers: ReadonlyMap<string, string>,
): Promise<void> {
  const { processes } = await machine.startAgent({ limits: NOTHING_FORGOTTEN });
  for (const { callId, command } of calls) {
    const answer = await processes.start({ command, effect: testEffect(callId) });
    assert.ok(answer.ok, `${callId}: ${JSON.stringify(answer)}`);
    const { id } = answer.value.process;
    assert.equal(answers.get(callId) ?? id, id, `${callId} has one process`);
    const ended = await processes.wait({ id, timeoutMs: 60_000 });
    assert.ok(ended.ok);
    const { state, exitCode } = ended.value;
    assert.deepEqual({ callId, state, exitCode }, { callId, state: "exited", exitCode: 5 });
    const count = await readFile(join(machine.workspaceDirectory, "counts", callId), "utf8");
    assert.equal(count, "started\n", `${callId} ran exactly once`);
  }
}

/** Mulberry32: small, even, and the same for the same seed. */
function drawsFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
