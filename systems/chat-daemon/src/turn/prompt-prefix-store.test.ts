import assert from "node:assert/strict";
import { test } from "node:test";
import { promptPrefix } from "../prompt/prompt-prefix.ts";
import { chatWorld, must } from "../state/chat-world-testkit.ts";
import { systemClock } from "@atelier/base/system-clock";
import { promptPrefixRecorder } from "./prompt-prefix-actions.ts";
import { recordPromptPrefix } from "./prompt-prefix-store.ts";

test("each change of a chat's prefix is kept with its causes, and only those", async () => {
  await using world = await chatWorld();
  const { chat } = must(await world.machine.create(world.newChat()));
  const db = world.database.sql;
  const tool = (name: string) => ({ type: "function" as const, name, inputSchema: {} });
  const record = async (historyVersion: number, tools: string[], system: string) => {
    const layers = [{ name: "stored_1", text: system }];
    const prefix = promptPrefix("model", tools.map(tool), layers);
    return recordPromptPrefix(db, { id: chat.id, historyVersion }, { prefix, now: new Date() });
  };
  assert.deepEqual(await record(1, ["a"], "be good"), []);
  assert.deepEqual(await record(2, ["a"], "be good"), []);
  assert.deepEqual(await record(3, ["a", "b"], "be better"), [
    "tool_added:b",
    "system_changed:stored_1",
  ]);
  assert.deepEqual(await record(4, ["b"], "be better"), ["tool_removed:a"]);
  const { rows } = await world.database.pool.query<{ readonly history_version: string }>(
    "select history_version from chat_prompt_prefixes order by 1",
  );
  assert.deepEqual(
    rows.map((row) => Number(row.history_version)),
    [1, 3, 4],
  );
});

test("a prefix that a server knows is not looked up, until another may have driven the chat", async () => {
  await using world = await chatWorld();
  const { chat } = must(await world.machine.create(world.newChat()));
  let asked = 0;
  const database = {
    get sql() {
      asked += 1;
      return world.database.sql;
    },
  };
  const record = promptPrefixRecorder({ database, clock: systemClock });
  const prefix = promptPrefix("model", [], [{ name: "stored_1", text: "be good" }]);
  const other = promptPrefix("model", [], [{ name: "stored_1", text: "be better" }]);
  const step = (historyVersion: number, fence: number, sent = prefix) =>
    record({ id: chat.id, historyVersion, fence }, sent);
  await step(1, 1);
  await step(2, 1);
  // It let the chat go, and took it again.
  await step(3, 2);
  assert.equal(asked, 1);
  // Another server drives the chat in between, and its prefix is another.
  const at = { prefix: other, now: new Date() };
  await recordPromptPrefix(world.database.sql, { id: chat.id, historyVersion: 4 }, at);
  assert.deepEqual(await step(5, 4), ["system_changed:stored_1"]);
  assert.deepEqual(await step(6, 4, other), ["system_changed:stored_1"]);
});
