/** For tests: a world whose chats can start others, and what they are asked with. */
import assert from "node:assert/strict";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import type { Subscriber } from "@atelier/database/pub-sub";
import type { FakeClock } from "@atelier/testkit/fake-clock";
import { agentCallOnce } from "../chats/once-actions.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { subagentTools } from "../tools/subagent-tools.ts";
import type { ChatTool } from "../tools/tool.ts";
import { openSubagents, type SubagentDeps } from "./subagents-actions.ts";
import { callsTools, turnWorld, type TurnWorld, type TurnWorldOptions } from "./turn-testkit.ts";

type Watcher = () => void;

/** A world whose chats can start others; nothing runs the children but the test. */
export async function subagentWorld(
  options: TurnWorldOptions = {},
  more: Partial<SubagentDeps> = {},
) {
  const tools: ChatTool[] = [];
  const watchers = new Set<Watcher>();
  const world: TurnWorld = await turnWorld({
    ...options,
    deps: { ...options.deps, toolsOf: async () => tools },
  });
  const { machine, database, modelConfigId } = world.chats;
  const news = {
    isConnected: true,
    subscribe: (_channel: string, on: Subscriber): Disposable => {
      const watcher = (): void => on.message("");
      watchers.add(watcher);
      return {
        [Symbol.dispose]: () => {
          watchers.delete(watcher);
        },
      };
    },
  };
  const subagents = openSubagents({
    ...{ machine, sql: database.sql, usableModels: () => Promise.resolve([]) },
    childModel: (_parent, { reasoningEffort }) =>
      Promise.resolve(ok({ modelConfigId, reasoningEffort })),
    newChatPrompt: () =>
      Promise.resolve({ includesDefault: true, deploymentPrompt: "", organizationPrompt: "" }),
    computerUse: () => Promise.resolve(ok(undefined)),
    serversForExplorer: ({ mcpServerIds }) => Promise.resolve(mcpServerIds.slice(1)),
    once: (call, run) => agentCallOnce({ database, clock: systemClock }, call, run),
    news,
    ...more,
  });
  tools.push(...subagentTools(subagents));
  return { world, watchers, news, subagents };
}

export async function resultsOf(
  world: TurnWorld,
  chatId: string,
): Promise<readonly Record<string, unknown>[]> {
  const rows = (await world.history(chatId)).filter(({ role }) => role === "tool");
  return rows.map(({ content: [part] }) => {
    assert.ok(part?.type === "tool-result");
    return part.result as Record<string, unknown>;
  });
}

export const spawnCall = (input: object) => callsTools([{ id: "s", name: "spawn_agent", input }]);

export async function childOf(world: TurnWorld, parent: ChatRow): Promise<ChatRow> {
  const [first] = await resultsOf(world, parent.id);
  return world.row(String(first?.["chat_id"]));
}

/** A child as the tool asks for it. */
export const GENERAL = {
  callId: "1",
  type: "general",
  prompt: "p",
  title: "",
  modelConfigId: null,
  reasoningEffort: null,
} as const;

export function contextOf(chat: ChatRow, clock: FakeClock): Parameters<ChatTool["run"]>[1] {
  return {
    ...{
      chat,
      toolCallId: "c",
      callId: "c",
      clock,
      signal: new AbortController().signal,
      publish: () => {},
    },
    effect: { chatId: chat.id, callId: "c", inputHash: "", fence: 1 },
    workspace: () => Promise.resolve(fail("none")),
    random: { uuid: () => "", alphanumeric: () => "" },
  };
}
