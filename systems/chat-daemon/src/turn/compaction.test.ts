import assert from "node:assert/strict";
import { test } from "node:test";
import { APICallError } from "@ai-sdk/provider";
import { fail, ok } from "@atelier/base/result";
import { z } from "zod";
import { boundary, must } from "../state/chat-world-testkit.ts";
import { defineTool, toolValue } from "../tools/tool.ts";
import { compactionNeed } from "./compaction-need.ts";
import { runGeneration } from "./generation-task.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { callsTools, NO_SETTINGS, says, turnWorld, type TurnWorld } from "./turn-testkit.ts";
import type { HistoryRow } from "../prompt/history-row.ts";

const LIMITS = { thresholdPercent: 70, contextLimit: 1_000, summaryContextLimit: null };

const tool = defineTool({
  ...{ name: "execute", description: "", input: z.object({}) },
  run: () => Promise.resolve(toolValue({ done: true })),
});

function row(more: Partial<HistoryRow>, tokens: number | null = null): HistoryRow {
  return {
    ...{ id: 1, role: "assistant", content: [{ type: "text", text: "x" }], visibility: "both" },
    ...{ compressed: false, deleted: false, modelConfigId: "m", providerResponseId: null },
    usage: {
      ...{ inputTokens: tokens, outputTokens: 0, totalTokens: null },
      ...{ cacheCreationTokens: null, cacheReadTokens: null },
    },
    ...more,
  };
}
const user = row({ role: "user" });
const summary = row({ role: "user", visibility: "model", compressed: true });

for (const { name, rows, limits, kind } of [
  { name: "below the threshold", rows: [user, row({}, 600)], limits: {}, kind: "none" },
  { name: "at the threshold", rows: [user, row({}, 700)], limits: {}, kind: "needed" },
  {
    name: "never with 100",
    rows: [user, row({}, 2_000)],
    limits: { thresholdPercent: 100 },
    kind: "none",
  },
  {
    name: "always with 0",
    rows: [user, row({}, 1)],
    limits: { thresholdPercent: 0 },
    kind: "needed",
  },
  {
    name: "with 0 again after a summary",
    rows: [summary, row({}, 1)],
    limits: { thresholdPercent: 0 },
    kind: "needed",
  },
  {
    name: "not without a limit",
    rows: [user, row({}, 2_000)],
    limits: { contextLimit: null },
    kind: "none",
  },
  {
    name: "by the stricter of two limits",
    rows: [user, row({}, 400)],
    limits: { summaryContextLimit: 500 },
    kind: "needed",
  },
  {
    name: "not right after a summary",
    rows: [row({}, 900), summary, user],
    limits: {},
    kind: "none",
  },
  {
    name: "useless where the first call after a summary is over",
    rows: [summary, row({}, 800)],
    limits: {},
    kind: "useless",
  },
  {
    name: "useless by the stricter of two limits",
    rows: [summary, row({}, 400)],
    limits: { summaryContextLimit: 500 },
    kind: "useless",
  },
  {
    name: "by the stricter limit also where it is the turn's own",
    rows: [user, row({}, 700)],
    limits: { summaryContextLimit: 10_000 },
    kind: "needed",
  },
  {
    name: "by the limit of the model that sums up, where the turn's own is unknown",
    rows: [user, row({}, 400)],
    limits: { contextLimit: null, summaryContextLimit: 500 },
    kind: "needed",
  },
  {
    name: "again in a later turn",
    rows: [summary, row({}, 800), user],
    limits: {},
    kind: "needed",
  },
  {
    name: "needed where later calls are over",
    rows: [summary, row({}, 300), row({}, 800)],
    limits: {},
    kind: "needed",
  },
  {
    name: "counting what came since",
    rows: [
      user,
      row({}, 600),
      row({ role: "tool", content: [{ type: "text", text: "y".repeat(600) }] }),
    ],
    limits: {},
    kind: "needed",
  },
] as const) {
  test(`a summary is needed: ${name}`, () => {
    assert.equal(compactionNeed(rows, { ...LIMITS, ...limits }).kind, kind);
  });
}

test("in the middle of a turn history is summed up, and the work goes on behind the summary", async () => {
  await using world = await turnWorld({
    ...{ tools: [tool], model: { contextLimit: 1_000 } },
    replies: [callsTools([{ id: "a", name: "execute" }], 900), says("done", 50)],
    summaries: ["what happened"],
  });
  const { id } = await world.create();
  assert.equal((await world.drive(id)).status, "waiting");
  const [, asked, after] = world.calls;
  assert.match(JSON.stringify(asked?.prompt.at(-1)), /Summarise this conversation/);
  assert.deepEqual(asked?.toolChoice, { type: "none" });
  assert.deepEqual(asked?.tools, world.calls[0]?.tools, "the same tools: the cache serves them");
  assert.match(JSON.stringify(after?.prompt), /what happened.*Continue with the next action/);
  assert.equal(after?.prompt.length, 2);
  const shown = (await world.history(id)).filter(({ visibility }) => visibility === "user");
  assert.deepEqual(
    shown.map(({ role }) => role),
    ["assistant", "tool"],
  );
  const [result] = shown[1]?.content ?? [];
  assert.ok(result?.type === "tool-result");
  assert.deepEqual(result.result, {
    ...{ summary: "what happened", source: "automatic", threshold_percent: 70 },
    ...{ usage_percent: 91.5, context_tokens: 915, context_limit_tokens: 1_000 },
  });
  const [first] = world.episodes.shown.filter(
    ({ part }) => part.type === "tool-call" && part.tool_name === "chat_summarized",
  );
  assert.ok(first !== undefined, "people see that it is being summed up");
});

test("before, for and after a summary models are asked with the key of the person's message", async () => {
  await using world = await turnWorld({
    ...{ tools: [tool], model: { contextLimit: 1_000 } },
    replies: [
      callsTools([{ id: "a", name: "execute" }], 900),
      says("a", 50),
      says("b", 50),
      says("c", 50),
    ],
    summaries: ["what happened"],
  });
  const asked: (string | null)[] = [];
  const given = world.deps.models;
  const models: TurnDeps["models"] = {
    forTurn: (chat, request) => {
      asked.push(request.activeApiKeyId);
      return given.forTurn(chat, request);
    },
    forSummary: (chat, request) => {
      asked.push(request.activeApiKeyId);
      return given.forSummary(chat, request);
    },
    forAdvisor: (chat, request) => given.forAdvisor(chat, request),
  };
  const deps = { ...world.deps, models };
  const { id } = await world.create();
  const drive = async () => {
    while ((await world.row(id)).status === "running") {
      await runGeneration(deps, await world.runOf(id));
    }
  };
  await drive();
  assert.equal(world.calls.length, 3, "there was a summary");
  assert.deepEqual([...new Set(asked)], [world.chats.apiKeyId]);
  for (const apiKeyId of [world.chats.apiKeyId, null]) {
    asked.length = 0;
    const message = world.chats.user("and now?", { apiKeyId });
    must(await world.chats.machine.change(id, (chat) => chat.sendMessage(message, "queue")));
    await drive();
    assert.deepEqual([...new Set(asked)], [apiKeyId], "no older message's key stands in");
  }
});

test("a person's own threshold goes before the model's", async () => {
  for (const { percent, summaries } of [
    { percent: 100, summaries: [] },
    { percent: 50, summaries: ["so far"] },
    { percent: 0, summaries: ["so far"] },
  ]) {
    const decided = (configId: string) => (configId === world.chats.modelConfigId ? percent : null);
    const settings = { ...NO_SETTINGS, thresholdPercentOf: decided };
    const tokens = { 100: 900, 50: 500, 0: 1 }[percent];
    await using world: TurnWorld = await turnWorld({
      ...{ tools: [tool], model: { contextLimit: 1_000 }, summaries },
      replies: [callsTools([{ id: "a", name: "execute" }], tokens), says("done", 1)],
      deps: { settingsOf: () => Promise.resolve(settings) },
    });
    const { id } = await world.create();
    assert.equal((await world.drive(id)).status, "waiting");
    const isSummedUp = (await world.history(id)).some(({ compressed }) => compressed);
    assert.equal(isSummedUp, summaries.length > 0, `${percent} percent`);
  }
});

test("the stricter of two models' limits counts; where the other one fails, people hear of it", async () => {
  const refused = new APICallError({
    ...{ message: "no", url: "http://x", requestBodyValues: {}, statusCode: 401 },
  });
  await using world: TurnWorld = await turnWorld({
    ...{ tools: [tool], model: { contextLimit: 10_000 }, summaries: [refused] },
    replies: [callsTools([{ id: "a", name: "execute" }], 900)],
  });
  const { models } = world.deps;
  const forSummary: typeof models.forSummary = async (...of) => {
    const own = await models.forTurn(...of);
    return own.ok ? ok({ ...own.value, contextLimit: 1_000, provider: "another" }) : own;
  };
  const deps = { ...world.deps, models: { ...models, forSummary } };
  const { id } = await world.create();
  assert.equal(await world.step(id), "done");
  assert.equal(await world.step(id), "done");
  assert.equal(await runGeneration(deps, await world.runOf(id)), "done");
  const { status, lastError } = await world.row(id);
  assert.deepEqual(
    [status, lastError?.kind, lastError?.provider, world.calls.length],
    ["error", "auth", "another", 2],
  );
  assert.ok((await world.history(id)).every(({ compressed }) => !compressed));
});

test("what the user asked and nobody answered stays word for word", async () => {
  await using world = await turnWorld({
    ...{ model: { contextLimit: 1_000 }, replies: [says("one", 900), says("two", 50)] },
    summaries: ["so far"],
  });
  const { id } = await world.create();
  await world.drive(id);
  await send(world, id, "and exactly THIS");
  assert.equal((await world.drive(id)).status, "waiting");
  const [, asked, after] = world.calls;
  assert.doesNotMatch(JSON.stringify(asked?.prompt), /THIS/);
  assert.deepEqual(after?.prompt.at(-1), {
    role: "user",
    content: [{ type: "text", text: "and exactly THIS" }],
  });
  const visible = (await world.history(id)).filter(({ visibility }) => visibility === "both");
  assert.equal(visible.filter(({ role }) => role === "user").length, 2, "people see it once");
});

test("an edit of what was summed up takes the summary away, and sends what stood before it", async () => {
  await using world = await turnWorld({
    ...{ model: { contextLimit: 1_000 }, summaries: ["SUMMARY"] },
    replies: [says("first", 50), says("second", 900), says("third", 50), says("anew", 50)],
  });
  const { id } = await world.create();
  await world.drive(id);
  await send(world, id, "the middle");
  await world.drive(id);
  await send(world, id, "the end");
  await world.drive(id);
  assert.match(JSON.stringify(world.calls.at(-1)?.prompt), /SUMMARY/);
  const middle = (await world.history(id)).find(({ content }) =>
    JSON.stringify(content).includes("the middle"),
  );
  const edit = world.chats.user("the middle, otherwise");
  must(await world.chats.machine.change(id, (chat) => chat.editMessage(middle?.id ?? -1, edit)));
  assert.equal((await world.drive(id)).status, "waiting");
  const sent = JSON.stringify(world.calls.at(-1)?.prompt);
  assert.match(sent, /hello.*first.*the middle, otherwise/);
  assert.doesNotMatch(sent, /SUMMARY|second|third|the end/);
  const kept = await world.history(id);
  assert.ok(
    kept.every(({ compressed }) => !compressed),
    "nor is it shown any more",
  );
});

test("still over the limit right after a summary ends the turn with what to do", async () => {
  await using world = await turnWorld({
    ...{ tools: [tool], model: { contextLimit: 1_000 }, summaries: ["long"] },
    replies: [
      callsTools([{ id: "a", name: "execute" }], 900),
      callsTools([{ id: "b", name: "execute" }], 900),
    ],
  });
  const { id } = await world.create();
  const chat = await world.drive(id);
  assert.equal(chat.status, "error");
  assert.equal(chat.lastError?.kind, "config");
  assert.match(chat.lastError?.detail ?? "", /compaction limit/);
});

test("an empty summary is an error, and nothing is cut off", async () => {
  await using world = await turnWorld({ replies: [says("one", 100)], summaries: [" "] });
  const { id } = await world.create();
  await world.drive(id);
  must(await world.chats.machine.change(id, (chat) => chat.requestCompaction()));
  await acquire(world, id);
  assert.equal((await world.drive(id)).status, "error");
  assert.ok((await world.history(id)).every(({ compressed }) => !compressed));
});

test("asked for by a person, history is summed up whatever its size, and the turn is over", async () => {
  await using world = await turnWorld({ replies: [says("one", 1)], summaries: ["short"] });
  const { id } = await world.create();
  await world.drive(id);
  must(await world.chats.machine.change(id, (chat) => chat.requestCompaction()));
  await acquire(world, id);
  const chat = await world.drive(id);
  assert.equal(chat.status, "waiting");
  assert.equal(chat.compactionRequestedAt, null);
  assert.equal(world.calls.length, 2);
  assert.match(JSON.stringify(await world.history(id)), /"source":"manual"/);
});

test("another model sums up without tools; where nobody chose one, the turn's own does", async () => {
  for (const isThere of [true, false]) {
    await using world: TurnWorld = await turnWorld({
      replies: [says("one", 1)],
      summaries: ["s"],
      tools: [tool],
    });
    const models = {
      forTurn: (...args: Parameters<typeof world.deps.models.forTurn>) =>
        world.deps.models.forTurn(...args),
      forAdvisor: () => Promise.resolve({ ok: true as const, value: null }),
      forSummary: async (...args: Parameters<typeof world.deps.models.forTurn>) =>
        isThere ? world.deps.models.forTurn(...args) : ok(null),
    };
    const deps = { ...world.deps, models };
    const { id } = await world.create();
    await world.drive(id);
    must(await world.chats.machine.change(id, (chat) => chat.requestCompaction()));
    await acquire(world, id);
    assert.equal(await runGeneration(deps, await world.runOf(id)), "done");
    assert.equal(world.calls[1]?.tools === undefined, isThere);
  }
});

test("a chosen model whose credentials cannot be had stops the turn, and the turn says so", async () => {
  const failure = { message: "no credentials", kind: "missing_key", retryable: false } as const;
  await using world = await turnWorld({ replies: [says("one", 1)] });
  const forSummary = () => Promise.resolve(fail(failure));
  const deps = { ...world.deps, models: { ...world.deps.models, forSummary } };
  const { id } = await world.create();
  assert.equal(await runGeneration(deps, await world.runOf(id)), "done");
  const { status, lastError } = await world.row(id);
  assert.deepEqual(
    [status, lastError?.message, world.calls.length],
    ["error", "no credentials", 0],
  );
});

test("after a boundary that cleared the history only what follows is sent", async () => {
  await using world = await turnWorld({ replies: [says("one", 1), says("two", 1)] });
  const { id } = await world.create();
  await world.drive(id);
  must(await world.chats.machine.change(id, (chat) => chat.clearContext(boundary())));
  await send(world, id, "afresh");
  await world.drive(id);
  const sent = JSON.stringify(world.calls[1]?.prompt);
  assert.ok(!sent.includes("hello") && !sent.includes("one") && sent.includes("afresh"));
});

async function send(world: TurnWorld, id: string, text: string): Promise<void> {
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.sendMessage(world.chats.user(text), "queue"),
    ),
  );
}

async function acquire(world: TurnWorld, id: string): Promise<void> {
  const owner = { workerId: crypto.randomUUID(), runnerId: crypto.randomUUID() };
  assert.notEqual(await world.chats.machine.acquire(id, owner), null);
}
