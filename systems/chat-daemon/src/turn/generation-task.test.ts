import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { z } from "zod";
import { APICallError } from "@ai-sdk/provider";
import { fail, ok } from "@atelier/base/result";
import { must } from "../state/chat-world-testkit.ts";
import { defineTool, toolError, toolValue, type ToolOutcome } from "../tools/tool.ts";
import { runGeneration } from "./generation-task.ts";
import { addWorkspace, callsTools, finish, says, turnWorld } from "./turn-testkit.ts";

/** Named as a tool that every chat has. */
function fakeTool(run: (input: { n?: number | undefined }) => Promise<ToolOutcome>) {
  const input = z.object({ n: z.number().optional() });
  return defineTool({ name: "execute", description: "", input, run: (given) => run(given) });
}

test("an answer is shown while it streams, committed, and ends the turn", async () => {
  await using world = await turnWorld({ replies: [says("hello you")] });
  const { id } = await world.create();
  const chat = await world.drive(id);
  assert.equal(chat.status, "waiting");
  assert.deepEqual(world.ends, ["finished"]);
  const rows = await world.history(id);
  assert.deepEqual(
    rows.map(({ role, content }) => [role, content]),
    [
      ["user", [{ type: "text", text: "hello" }]],
      ["assistant", [{ type: "text", text: "hello you" }]],
    ],
  );
  assert.deepEqual(world.episodes.shown, [
    { role: "assistant", part: { type: "text", text: "hello you" } },
  ]);
  assert.ok(world.episodes.areClosed);
});

test("what was read when the chat was taken is not read again, and its attempt not counted again", async (t) => {
  await using world = await turnWorld({ replies: [says("hello you")] });
  const { machine } = world.deps;
  const { id } = await world.create();
  const run = await world.runOf(id);
  const read = must(await machine.beginFenced(id, run.fence, null));
  const begins = t.mock.method(machine, "beginFenced");
  const counts = t.mock.method(machine, "recordAttemptFenced");
  const shows = t.mock.method(world.deps.episodes, "createEpisode");
  assert.equal(
    await runGeneration(world.deps, { ...run, takeRead: () => ({ ...read, headStart: null }) }),
    "done",
  );
  assert.deepEqual([begins.mock.callCount(), counts.mock.callCount()], [0, 0]);
  const [episode] = shows.mock.calls.map((call) => call.arguments[0]);
  assert.equal(episode?.generationAttempt, 1);
  assert.equal((await world.row(id)).status, "waiting");
});

test("a turn that is stopped while it is prepared shows nothing and asks no model", async (t) => {
  await using world = await turnWorld({ replies: [says("hello you")] });
  const { id } = await world.create();
  const run = await world.runOf(id);
  const stop = new AbortController();
  const shows = t.mock.method(world.deps.episodes, "createEpisode");
  const deps: typeof world.deps = {
    ...world.deps,
    settingsOf: async (...of) => {
      stop.abort(new Error("stopped"));
      return world.deps.settingsOf(...of);
    },
  };
  assert.equal(await runGeneration(deps, { ...run, signal: stop.signal }), "cancelled");
  assert.deepEqual([world.calls.length, shows.mock.callCount()], [0, 0]);
});

test("a turn is prepared a few times before it fails, and waits for as long as the database is away", async () => {
  await using world = await turnWorld({ replies: [says("hello you")] });
  const { id } = await world.create();
  const failures: Error[] = [];
  const deps: typeof world.deps = {
    ...world.deps,
    settingsOf: async (...of) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return world.deps.settingsOf(...of);
    },
  };
  const away = Object.assign(new Error("terminating connection"), { code: "57P01" });
  failures.push(away);
  const run = await world.runOf(id);
  await assert.rejects(runGeneration(deps, run), away);
  assert.equal((await world.row(id)).status, "running", "its runner comes again");
  const other = new Error("nobody knows why");
  failures.push(other, other);
  const clock = new FakeClock();
  const ended = runGeneration({ ...deps, clock }, await world.runOf(id));
  for (const waitedMs of [200, 400]) {
    await clock.untilSleeping();
    await clock.advance(waitedMs);
  }
  assert.equal(await ended, "done");
  assert.equal((await world.row(id)).status, "waiting");
});

test("an answer without content ends the turn and leaves no row", async () => {
  await using world = await turnWorld({ replies: [[finish("stop")]] });
  const { id } = await world.create();
  assert.equal((await world.drive(id)).status, "waiting");
  assert.equal((await world.history(id)).length, 1);
});

for (const { reason, kind } of [
  { reason: "length", kind: "config" },
  { reason: "content-filter", kind: "content_filter" },
] as const) {
  test(`an answer that ends by ${reason} before it said anything is an error`, async () => {
    await using world = await turnWorld({ replies: [[finish(reason)]] });
    const { id } = await world.create();
    const chat = await world.drive(id);
    assert.equal(chat.status, "error");
    assert.equal(chat.lastError?.kind, kind);
    assert.deepEqual(world.ends, ["error"]);
  });
}

test("calls of one answer run side by side, and their results keep the order of the calls", async () => {
  const first = Promise.withResolvers<void>();
  const order: number[] = [];
  const tool = fakeTool(async ({ n = 0 }) => {
    // The first ends only after the second began: they do run side by side.
    if (n === 1) await first.promise;
    else first.resolve();
    order.push(n);
    return toolValue({ n });
  });
  const calls = [
    { id: "a", name: "execute", input: { n: 1 } },
    { id: "b", name: "execute", input: { n: 2 } },
  ];
  await using world = await turnWorld({
    tools: [tool],
    replies: [callsTools(calls), says("done")],
  });
  const { id } = await world.create();
  assert.equal((await world.drive(id)).status, "waiting");
  assert.deepEqual(order, [2, 1]);
  const results = (await world.history(id)).filter(({ role }) => role === "tool");
  assert.deepEqual(
    results.map(({ content: [part] }) => part?.type === "tool-result" && part.result),
    [{ n: 1 }, { n: 2 }],
  );
  const sent = world.calls[1]?.prompt.filter(({ role }) => role === "tool");
  assert.equal(sent?.length, 1, "results of one answer are one message");
});

test("a tool that throws, is unknown, is inactive or gets nonsense answers its own call", async () => {
  const tool = fakeTool(async ({ n }) => {
    if (n === 1) throw new Error("secret path");
    return Promise.resolve(toolError("as expected"));
  });
  const plan = defineTool({
    ...{ name: "propose_plan", description: "", input: z.object({}) },
    run: () => Promise.resolve(toolValue({})),
  });
  const calls = [
    { id: "a", name: "execute", input: { n: 1 } },
    { id: "b", name: "execute", input: { n: "x" } },
    { id: "c", name: "execute", input: "{broken" },
    { id: "d", name: "nothing" },
    { id: "e", name: "propose_plan" },
    { id: "f", name: "execute", input: { n: 2 } },
  ];
  await using world = await turnWorld({
    ...{ tools: [tool, plan], replies: [callsTools(calls), says("done")] },
  });
  const { id } = await world.create();
  await world.drive(id);
  const results = (await world.history(id))
    .filter(({ role }) => role === "tool")
    .map(({ content: [part] }) => {
      assert.ok(part?.type === "tool-result" && part.is_error === true);
      return (part.result as { readonly error: string }).error.split("\n")[0];
    });
  assert.deepEqual(results, [
    "The tool failed unexpectedly.",
    "Invalid input:",
    "Invalid input:",
    "Tool not found: nothing",
    "Tool not active in this turn: propose_plan",
    "as expected",
  ]);
});

test("a tool whose database is away for a moment is asked again as the same call, and did not fail", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const tool = defineTool({
    ...{ name: "execute", description: "", input: z.object({}) },
    run: (_input, { callId }) => {
      asked.push(callId);
      if (asked.length === 3) return Promise.resolve(toolValue({ done: true }));
      // What it had the database do may be done.
      return Promise.reject(new Error("Connection terminated unexpectedly"));
    },
  });
  await using world = await turnWorld({
    ...{ clock, tools: [tool] },
    replies: [callsTools([{ id: "a", name: "execute" }]), says("done")],
  });
  const { id } = await world.create();
  assert.equal(await runGeneration(world.deps, await world.runOf(id)), "done");
  const task = runGeneration(world.deps, await world.runOf(id));
  for (const delayMs of [250, 500]) {
    await Promise.race([clock.untilSleeping(), task]);
    await clock.advance(delayMs);
  }
  assert.equal(await task, "done");
  assert.equal(new Set(asked).size, 1);
  assert.equal(asked.length, 3);
  const results = (await world.history(id)).flatMap(({ content }) =>
    content.filter((part) => part.type === "tool-result"),
  );
  assert.deepEqual(
    results.map(({ result, is_error }) => [result, is_error]),
    [[{ done: true }, undefined]],
  );
});

const REACHES = defineTool({
  ...{ name: "execute", description: "", input: z.object({}) },
  run: async (_input, context) => {
    const found = await context.workspace();
    return toolError(found.ok ? "reached" : found.failure);
  },
});

test("a tool that could not learn where its workspace is asks anew when the database is back", async () => {
  const clock = new FakeClock();
  await using world = await turnWorld({
    ...{ clock, tools: [REACHES] },
    replies: [callsTools([{ id: "a", name: "execute" }]), says("done")],
  });
  const { id } = await world.create();
  assert.equal(await runGeneration(world.deps, await world.runOf(id)), "done");
  let asked = 0;
  const workspaceOf: typeof world.deps.workspaceOf = async () => {
    asked += 1;
    if (asked === 1) throw new Error("Connection terminated unexpectedly");
    return fail("It is stopped.");
  };
  const task = runGeneration({ ...world.deps, workspaceOf }, await world.runOf(id));
  await clock.untilSleeping();
  await clock.advance(250);
  assert.equal(await Promise.race([task, clock.untilSleeping()]), "done");
  assert.match(JSON.stringify((await world.history(id)).at(-1)?.content), /It is stopped/);
});

for (const { attempts, isKnown } of [
  { attempts: 0, isKnown: true },
  { attempts: 1, isKnown: false },
]) {
  const known = isKnown ? "did nothing" : "may have done it before";
  test(`a call after ${attempts} others that does not reach its workspace ${known}`, async () => {
    await using world = await turnWorld({
      tools: [REACHES],
      replies: [callsTools([{ id: "a", name: "execute" }]), says("done")],
    });
    const { id } = await world.create({ workspaceId: await addWorkspace(world) });
    assert.equal(await runGeneration(world.deps, await world.runOf(id)), "done");
    for (let i = 0; i < attempts; i += 1) {
      // As a server that died with its calls under way.
      const { fence } = await world.runOf(id);
      must(await world.chats.machine.recordAttemptFenced(id, fence));
    }
    await world.drive(id);
    const told = JSON.stringify((await world.history(id)).map(({ content }) => content));
    assert.ok(told.includes("no workspace"));
    assert.equal(told.includes("whether it took effect is not known"), !isKnown);
  });
}

test("an exclusive tool beside others: none of them runs", async () => {
  let runs = 0;
  const tools = ["advisor", "execute"].map((name) =>
    defineTool({
      ...{ name, description: "", input: z.object({}), isExclusive: name === "advisor" },
      run: () => {
        runs += 1;
        return Promise.resolve(toolValue({}));
      },
    }),
  );
  const calls = ["advisor", "execute"].map((name) => ({ id: name, name }));
  await using world = await turnWorld({ tools, replies: [callsTools(calls), says("ok")] });
  const { id } = await world.create();
  await world.drive(id);
  assert.equal(runs, 0);
  const texts = JSON.stringify(await world.history(id));
  assert.match(texts, /must be called alone/);
  assert.match(texts, /skipped because advisor must run alone/);
});

test("calls of the client's tools wait for it, after ours have run", async () => {
  const tool = fakeTool(() => Promise.resolve(toolValue("ours")));
  const calls = [
    { id: "a", name: "ask_client" },
    { id: "b", name: "execute" },
  ];
  await using world = await turnWorld({ tools: [tool], replies: [callsTools(calls), says("ok")] });
  const dynamicTools = [{ name: "ask_client", description: "", input_schema: {} }];
  const { id } = await world.create({ dynamicTools });
  const waiting = await world.drive(id);
  assert.equal(waiting.status, "requires_action");
  assert.deepEqual(world.ends, ["requires_action"]);
  assert.deepEqual(
    world.calls[0]?.tools?.map(({ name }) => name),
    ["ask_client", "execute"],
  );
  must(
    await world.chats.machine.change(id, (chat) =>
      chat.completeRequiresAction([{ toolCallId: "a", output: "theirs", isError: false }]),
    ),
  );
  assert.equal((await world.drive(id)).status, "waiting");
  const prompt = JSON.stringify(world.calls[1]?.prompt);
  assert.ok(prompt.includes("ours") && prompt.includes("theirs"));
});

test("of a client's tool with the name of ours, ours is meant; who plans or was started has none", async () => {
  const tool = fakeTool(() => Promise.resolve(toolValue("ours")));
  const call = callsTools([{ id: "a", name: "execute" }]);
  await using world = await turnWorld({
    ...{ tools: [tool], replies: [call, says("ok"), says("planned"), says("looked")] },
  });
  const declared = ["execute", "ask_client"].map((name) => ({ name, input_schema: {} }));
  const parent = await world.create({ dynamicTools: declared });
  assert.equal((await world.drive(parent.id)).status, "waiting", "the client is not asked");
  assert.ok(JSON.stringify(world.calls[1]?.prompt).includes("ours"));
  const family = { parentChatId: parent.id, rootChatId: parent.id };
  for (const more of [{ planMode: "plan" as const }, family]) {
    const { id } = await world.create({ dynamicTools: declared, ...more });
    await world.drive(id);
  }
  assert.deepEqual(
    world.calls.map(({ tools = [] }) => tools.map(({ name }) => name)),
    [["ask_client", "execute"], ["ask_client", "execute"], ["execute"], ["execute"]],
  );
});

test("a tool that ends a planning turn: the model is not asked again", async () => {
  const plan = defineTool({
    ...{ name: "propose_plan", description: "", input: z.object({}) },
    run: () => Promise.resolve(toolValue({ ok: true })),
  });
  const calls = [{ id: "a", name: "propose_plan" }];
  await using world = await turnWorld({ tools: [plan], replies: [callsTools(calls)] });
  const { id } = await world.create({ planMode: "plan" });
  assert.equal((await world.drive(id)).status, "waiting");
  assert.equal(world.calls.length, 1);
});

test("a retryable failure is counted down and tried again; the next attempt clears it", async () => {
  const clock = new FakeClock();
  const overloaded = new APICallError({
    ...{ message: "no", url: "http://x", requestBodyValues: {}, statusCode: 529 },
    responseHeaders: { "retry-after": "7" },
  });
  await using world = await turnWorld({ clock, replies: [overloaded, says("now")] });
  const { id } = await world.create();
  const task = runGeneration(world.deps, await world.runOf(id));
  const retry = await until(async () => (await world.row(id)).retryState);
  assert.deepEqual(retry, {
    ...{ attempt: 1, delay_ms: 7_000, error: "The model is overloaded.", kind: "overloaded" },
    ...{ provider: "test", status_code: 529, retrying_at: "2026-01-01T00:00:07.000Z" },
  });
  await clock.advance(7_000);
  assert.equal(await task, "done");
  const chat = await world.row(id);
  assert.equal(chat.status, "waiting");
  assert.equal(chat.retryState, null);
});

test("after twenty-five retries the turn ends with what it was", async () => {
  const clock = new FakeClock();
  const overloaded = new APICallError({
    ...{ message: "no", url: "http://x", requestBodyValues: {}, statusCode: 529 },
  });
  const replies = Array.from({ length: 40 }, () => overloaded);
  await using world = await turnWorld({ clock, replies });
  const { id } = await world.create();
  const task = runGeneration(world.deps, await world.runOf(id));
  const waits = new Map<number, number>();
  await until(async () => {
    const { retryState, status } = await world.row(id);
    if (retryState !== null) {
      waits.set(retryState.attempt, retryState.delay_ms);
      await clock.advance(retryState.delay_ms);
    }
    return status === "running" ? null : status;
  });
  assert.equal(await task, "done");
  assert.equal(world.calls.length, 26);
  assert.deepEqual(
    [...waits.keys()],
    Array.from({ length: 25 }, (_, index) => index + 1),
  );
  const seconds = [...waits.values()].map((delayMs) => delayMs / 1_000);
  assert.deepEqual(seconds.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  const { status, lastError, retryState } = await world.row(id);
  assert.deepEqual([status, lastError?.kind, retryState], ["error", "overloaded", null]);
});

test("a failure that is not retryable ends the turn with what it was", async () => {
  const refused = new APICallError({
    ...{ message: "no", url: "http://x", requestBodyValues: {}, statusCode: 401 },
    responseBody: '{"error":{"message":"Incorrect API key provided: sk-abcdefghijk"}}',
  });
  await using world = await turnWorld({ replies: [refused] });
  const { id } = await world.create();
  const chat = await world.drive(id);
  assert.equal(chat.status, "error");
  assert.deepEqual(chat.lastError, {
    message: "The provider does not accept the credentials.",
    detail: "Incorrect API key provided: [key]",
    ...{ kind: "auth", provider: "test", retryable: false, status_code: 401 },
  });
});

test("a cancelled task ends its request and commits nothing", async () => {
  const silent = (): Promise<never> => new Promise(() => {});
  await using world = await turnWorld({ replies: [silent] });
  const { id } = await world.create();
  const ended = new AbortController();
  const task = runGeneration(world.deps, await world.runOf(id, ended.signal));
  await until(async () => Promise.resolve(world.calls.length > 0 || null));
  ended.abort(new Error("moved on"));
  assert.equal(await task, "cancelled");
  assert.ok(world.calls[0]?.abortSignal?.aborted);
  assert.equal((await world.row(id)).status, "running");
  assert.ok(world.episodes.areClosed);
});

test("a runner that lost the chat does nothing", async () => {
  await using world = await turnWorld({ replies: [says("never")] });
  const { id } = await world.create();
  const run = await world.runOf(id);
  const foreign = { ...run, fence: { ...run.fence, runnerId: crypto.randomUUID() } };
  assert.equal(await runGeneration(world.deps, foreign), "stale");
  assert.equal(world.calls.length, 0);
});

test("an answer that comes after the chat moved on is not committed", async () => {
  await using world = await turnWorld({
    replies: [
      async () => {
        must(await world.chats.machine.change(id, (chat) => chat.interrupt("stop")));
        return says("late");
      },
    ],
  });
  const { id } = await world.create();
  assert.equal(await runGeneration(world.deps, await world.runOf(id)), "stale");
  assert.equal((await world.history(id)).length, 1);
});

test("the same call for the third time in a row comes back with a notice", async () => {
  const tool = fakeTool(() => Promise.resolve(toolValue({ same: true })));
  const call = (id: string) => callsTools([{ id, name: "execute", input: { n: 1 } }]);
  await using world = await turnWorld({
    ...{ tools: [tool], replies: [call("a"), call("b"), call("c"), says("enough")] },
  });
  const { id } = await world.create();
  await world.drive(id);
  const noticed = (await world.history(id))
    .filter(({ role }) => role === "tool")
    .map(({ content }) => JSON.stringify(content).includes("3 times in a row"));
  assert.deepEqual(noticed, [false, false, true]);
});

test("a prefix that changes is recorded before the step is committed", async () => {
  const recorded: number[] = [];
  await using world = await turnWorld({
    replies: [says("hello")],
    deps: {
      recordPrefix: ({ historyVersion }) => {
        recorded.push(historyVersion);
        return Promise.resolve(["tool_added:x"]);
      },
    },
  });
  const { id } = await world.create();
  await world.drive(id);
  assert.deepEqual(recorded, [1]);
});

test("without a model there is no turn, and the chat says why", async () => {
  const failure = { message: "no model", kind: "config" as const, retryable: false };
  const models = {
    forTurn: () => Promise.resolve({ ok: false as const, failure }),
    forSummary: () => Promise.resolve(ok(null)),
    forAdvisor: () => Promise.resolve(ok(null)),
  };
  await using world = await turnWorld({ deps: { models } });
  const { id } = await world.create();
  assert.deepEqual((await world.drive(id)).lastError, failure);
});

test("a file that cannot be attached does not hold the turn up", async () => {
  const file_id = crypto.randomUUID();
  const tool = fakeTool(() =>
    Promise.resolve({
      ...{ kind: "json" as const, value: { ok: true } },
      files: [{ type: "file" as const, media_type: "text/plain", file_id }],
    }),
  );
  const calls = [{ id: "a", name: "execute" }];
  await using world = await turnWorld({
    tools: [tool],
    replies: [callsTools(calls), says("done")],
  });
  const { id } = await world.create();
  assert.equal((await world.drive(id)).status, "waiting");
  const [result] = (await world.history(id)).filter(({ role }) => role === "tool");
  assert.equal(result?.content.length, 1);
});

async function until<Value>(ask: () => Promise<Value | null>): Promise<Value> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
