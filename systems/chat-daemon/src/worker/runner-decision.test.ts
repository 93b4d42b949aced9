import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAT_STATUSES } from "@atelier/contract/chat/chat-words";
import fc from "fast-check";
import {
  decide,
  initialView,
  taskFor,
  type RunnerDecision,
  type RunnerEvent,
} from "./runner-decision.ts";

const OWN = { workerId: "worker", runnerId: "runner" };
const EVENT: RunnerEvent = {
  ...OWN,
  ...{ snapshotVersion: 5, historyVersion: 3, generationAttempt: 1, archived: false },
  status: "running",
};
const { view: SEEN } = decide(EVENT, initialView(OWN));

test("a runner starts the task that its chat's state asks for", () => {
  const start = (task: string) => ({ kind: "start", task });
  for (const { change, action } of [
    { change: { status: "running" as const, historyVersion: 6 }, action: start("generation") },
    { change: { status: "interrupting" as const }, action: start("interrupt") },
    { change: { status: "requires_action" as const }, action: start("dynamic_tools_timeout") },
    { change: { status: "waiting" as const }, action: start("abandon") },
    { change: { status: "error" as const }, action: start("abandon") },
    { change: { archived: true }, action: start("abandon") },
    // The same history in the same state: its task is running.
    { change: { generationAttempt: 2 }, action: { kind: "none" } },
    { change: {}, action: { kind: "none" } },
    { change: { runnerId: "another" }, action: { kind: "clean_up" } },
    { change: { workerId: "another" }, action: { kind: "clean_up" } },
    { change: { runnerId: null, workerId: null }, action: { kind: "clean_up" } },
  ]) {
    const { action: decided } = decide({ ...EVENT, snapshotVersion: 6, ...change }, SEEN);
    assert.deepEqual(decided, action, JSON.stringify(change));
  }
});

test("what is late or doubled changes nothing, whatever it says", () => {
  for (const snapshotVersion of [4, 5]) {
    const late = { ...EVENT, snapshotVersion, status: "error" as const, runnerId: "another" };
    assert.deepEqual(decide(late, SEEN), { view: SEEN, action: { kind: "none" } });
  }
});

test("in whatever order news come, and how often, the runner ends where the newest leads", () => {
  const news = fc.array(
    fc.record({
      historyVersion: fc.nat({ max: 3 }),
      status: fc.constantFrom(...CHAT_STATUSES),
      archived: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(news, fc.array(fc.nat({ max: 5 }), { maxLength: 20 }), (facts, order) => {
      const events = facts.map((fact, at) => ({ ...EVENT, ...fact, snapshotVersion: at + 1 }));
      const newest = events.at(-1) as RunnerEvent; // There is at least one.
      let decision: RunnerDecision = { view: initialView(OWN), action: { kind: "none" } };
      let task: string | null = null;
      for (const event of [...order.map((at) => events[at % events.length] ?? newest), newest]) {
        decision = decide(event, decision.view);
        if (decision.action.kind === "start") ({ task } = decision.action);
      }
      assert.equal(task, taskFor(newest));
      assert.equal(decision.view.snapshotVersion, events.length);
    }),
  );
});
