/** Turns as a server drives them: its worker, its notifications, a real database; only the model is played. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startPubSub } from "@atelier/database/pub-sub";
import { agentCallOnce } from "../chats/once-actions.ts";
import { must } from "../state/chat-world-testkit.ts";
import { subagentTools } from "../tools/subagent-tools.ts";
import type { ChatTool } from "../tools/tool.ts";
import { startChatWorker } from "../worker/chat-worker-task.ts";
import { runGeneration } from "./generation-task.ts";
import { runInterruption } from "./interrupt-task.ts";
import { openSubagents } from "./subagents-actions.ts";
import { callsTools, says, turnWorld, type Reply } from "./turn-testkit.ts";

test("a chat starts another, waits for it, and reports what it found", async () => {
  const tools: ChatTool[] = [];
  let childId = "";
  const replies: Reply[] = [
    callsTools([{ id: "s", name: "spawn_agent", input: { type: "explore", prompt: "find it" } }]),
    byPrompt,
    byPrompt,
    byPrompt,
  ];
  await using world = await turnWorld({ replies, deps: { toolsOf: async () => tools } });
  const { machine, database, modelConfigId } = world.chats;
  const { connection } = database;
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  await using pubSub = startPubSub({ connection, applicationName: "test" }, deps);
  const subagents = openSubagents({
    ...{ machine, sql: database.sql, usableModels: () => Promise.resolve([]) },
    childModel: () => Promise.resolve(ok({ modelConfigId, reasoningEffort: null })),
    newChatPrompt: () =>
      Promise.resolve({ includesDefault: false, deploymentPrompt: "", organizationPrompt: "" }),
    computerUse: () => Promise.resolve(ok(undefined)),
    serversForExplorer: () => Promise.resolve([]),
    once: (call, run) => agentCallOnce({ database, clock: systemClock }, call, run),
    news: pubSub,
  });
  tools.push(...subagentTools(subagents));
  const { chat } = must(await machine.create(world.chats.newChat({ dynamicTools: null })));
  await using _worker = startChatWorker({
    ...{ ...deps, database, machine, pubSub },
    tasks: {
      runGeneration: async (context) => {
        await runGeneration(world.deps, { ...context, fence: context });
      },
      runInterrupt: async (context) => {
        await runInterruption(world.deps, { ...context, fence: context });
      },
    },
  });
  while ((await world.row(chat.id)).status !== "waiting") {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const said = JSON.stringify((await world.history(chat.id)).at(-1)?.content);
  assert.match(said, /it is in a\.ts/);
  assert.equal((await world.row(childId)).status, "waiting");

  /** The child answers; the parent waits, then says what the child found. */
  async function byPrompt(options: { readonly prompt: unknown }): Promise<Reply> {
    const prompt = JSON.stringify(options.prompt);
    if (!prompt.includes("spawn_agent")) return says("it is in a.ts");
    childId = /"chat_id":"([0-9a-f-]+)"/.exec(prompt)?.[1] ?? "";
    return Promise.resolve(
      prompt.includes("wait_agent")
        ? says(/it is in a\.ts/.exec(prompt)?.[0] ?? "nothing")
        : callsTools([{ id: "w", name: "wait_agent", input: { chat_id: childId } }]),
    );
  }
});
