/** Random transitions of chats in memory: table and plans against the rules of the specification. */
import { randomUUID } from "node:crypto";
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { checkStep, QUEUE_MAX } from "./chat-model-testkit.ts";
import type { ChatRow } from "./chat-row.ts";
import { drawStep, takeStep, type WalkPeople } from "./chat-walk-testkit.ts";
import { MemoryChat } from "./memory-chat-testkit.ts";

export const title = "transitions of chats against their specification";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

/** A run is one step; a chat lives for some of them. Rejects at the first difference. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<void> {
  const draws = new SeededDraws(seed);
  let chat = newMemoryChat();
  for (let run = 0; run < runs; run += 1) {
    if (draws.once(STEPS_OF_A_CHAT)) chat = newMemoryChat();
    const step = drawStep(draws, run);
    const before = { state: chat.state, step };
    const { messages, queue } = chat.state;
    const view = { messages: messages.filter(({ deleted }) => !deleted), queue };
    try {
      const isDone =
        step.action === "acquire"
          ? acquire(chat, draws)
          : (await chat.change(NOW, (locked) => takeStep(locked, step, view, PEOPLE))).ok;
      checkStep(before, chat.state, isDone, PEOPLE);
    } catch (error) {
      throw new Error(`seed ${seed}, run ${run}: ${JSON.stringify(step)}`, { cause: error });
    }
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} transitions`);
  }
}

export const PEOPLE: WalkPeople = {
  ownerId: "owner",
  apiKeyIds: [null, "key 1", "key 2"],
  modelConfigIds: [null, "model 1", "model 2"],
  toolName: "ask_client",
};

const STEPS_OF_A_CHAT = 60;
const REPORT_EVERY = 100_000;
const NOW = new Date("2026-01-01T00:00:00Z");

function acquire(chat: MemoryChat, draws: SeededDraws): true {
  chat.acquire({ workerId: `worker ${draws.below(3)}`, runnerId: randomUUID() });
  return true;
}

function newMemoryChat(): MemoryChat {
  return new MemoryChat(
    ROW,
    [{ role: "user", content: [{ type: "text", text: "hello" }], modelConfigId: "model 1" }],
    QUEUE_MAX,
  );
}

const ROW: ChatRow = {
  id: "chat",
  organizationId: "organization",
  ownerId: PEOPLE.ownerId,
  workspaceId: null,
  agentId: null,
  parentChatId: null,
  rootChatId: null,
  title: "New Chat",
  titleSource: "fallback",
  status: "running",
  archived: false,
  lastError: null,
  workerId: null,
  runnerId: null,
  fence: 0,
  snapshotVersion: 1,
  historyVersion: 0,
  queueVersion: 0,
  queueLength: 0,
  retryStateVersion: 0,
  generationAttempt: 0,
  retryState: null,
  requiresActionDeadlineAt: null,
  compactionRequestedAt: null,
  lastModelConfigId: "model 1",
  lastReasoningEffort: null,
  mode: null,
  planMode: null,
  mcpServerIds: [],
  dynamicTools: [{ name: PEOPLE.toolName, description: "", input_schema: {} }],
  labels: {},
  pinOrder: 0,
  lastReadMessageId: null,
  lastTurnSummary: null,
  clientType: "api",
  createdAt: NOW,
  updatedAt: NOW,
};
