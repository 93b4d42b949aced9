/** Steps whose next call of the model is made ready while the results before it are on their way to the disk. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { must } from "../state/chat-world-testkit.ts";
import { defineTool, toolValue } from "../tools/tool.ts";
import { startHeldServer, type HeldAnswers, type HeldServer } from "./head-start-testkit.ts";
import { addWorkspace, callsTools, says } from "./turn-testkit.ts";

const READY = "ready: hello, first, and?, result";
const ASKED = "asked: hello, first, and?, result";
const CALLS = callsTools([{ id: "a", name: "execute" }]);

test("the call behind a step is ready before its results are on the disk, and leaves behind them", async () => {
  await using server = await startLooking(["first", CALLS, CALLS, "done"]);
  const { log, prompts } = server;
  server.beforeStep = () => server.until(READY);
  await server.send("and?");
  await server.rests();
  assert.deepEqual(log.slice(3), [
    ...[READY, "results on the disk", ASKED],
    ...[`${READY}, result`, "results on the disk", `${ASKED}, result`],
  ]);
  assert.deepEqual(server.ended, ["used", "used", "used"]);
  assert.deepEqual(await server.said(), [
    "hello",
    "first",
    "and?",
    "",
    "result",
    "",
    "result",
    "done",
  ]);
  // What a call was sent is what the next one repeats, byte for byte: else no provider finds it again.
  const [, , afterOne = "", afterTwo = ""] = prompts;
  assert.match(afterOne, /"ab":2,"zeta":/);
  assert.ok(afterTwo.startsWith(afterOne.slice(0, -1)), `${afterOne}\n${afterTwo}`);
});

test("what was read beside the chat and is otherwise behind a step counts, and the call is dropped", async () => {
  await using server = await startLooking(["first", CALLS, "done"]);
  server.beforeStep = async () => {
    await server.until(READY);
    await addWorkspace(server.world);
  };
  await server.send("and?");
  await server.rests();
  assert.deepEqual(server.log.slice(3), [
    ...[READY, "results on the disk", READY.replace("ready", "dropped")],
    ...[READY, ASKED],
  ]);
  assert.deepEqual(server.ended, ["used", "dropped"]);
});

test("a chat that is stopped while its results are written asks nothing", async () => {
  await using server = await startLooking(["first", CALLS, "never"]);
  server.beforeStep = async () => {
    await server.until(READY);
    must(await server.machine.change(server.chatId, (chat) => chat.interrupt("stop")));
  };
  await server.send("and?");
  await server.rests();
  await server.until(READY.replace("ready", "dropped"));
  assert.ok(!server.log.includes(ASKED));
  assert.equal(server.ended.at(-1), "dropped");
});

test("a step whose answer is lost asks once, as what is on the disk has it", async () => {
  await using server = await startLooking(["first", CALLS, "done"]);
  let times = 0;
  server.beforeStep = async () => {
    await server.until(READY);
    times += 1;
    if (times === 1) throw new Error("the connection was lost");
  };
  await server.send("and?");
  await server.rests();
  const asked = server.log.filter((line) => line === ASKED);
  assert.deepEqual([asked.length, server.ended], [1, ["used", "dropped", "used"]]);
  assert.deepEqual(await server.said(), ["hello", "first", "and?", "", "result", "done"]);
});

test("nothing is made ready behind an answer whose tools are to run", async () => {
  await using server = await startLooking([
    "first",
    [...says("so").slice(0, -1), ...CALLS.slice(1)],
    "done",
  ]);
  await server.send("and?");
  await server.rests();
  assert.deepEqual(
    server.log.filter((line) => line.startsWith("ready")),
    ["ready: hello, first, and?", "ready: hello, first, and?, so, result"],
  );
});

function startLooking(answers: HeldAnswers): Promise<HeldServer> {
  return startHeldServer({ answers, toolsOf: async () => [LOOKS] });
}

/** Named as a tool that every chat has. It says things in another order than the database keeps them. */
const LOOKS = defineTool({
  ...{ name: "execute", description: "", input: z.object({}) },
  run: () => Promise.resolve(toolValue({ zeta: [{ yy: 1, x: 2 }], ab: 2 })),
});
