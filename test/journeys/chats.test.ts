/** Chats as people hold them: a real server, a scripted model behind its gateway, a machine to work on. */
import { startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setUpChats, watchChat } from "./chat-world.ts";
import { startTwoServers } from "./two-server-world.ts";
import { attachMachine } from "./workspace-world.ts";

test("a question is answered while one looks on, and again", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using world = await setUpChats(server);
  const { person } = world;
  const chat = await person.create(server, "Hello there");
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.status === "waiting");
  assert.deepEqual(screen.texts, ["user: Hello there", "assistant: You said: Hello there"]);
  await person.send(server, chat.id, "And now?");
  await screen.until(() => screen.messages.size === 4 && screen.status === "waiting");
  assert.equal(screen.texts.at(-1), "assistant: You said: And now?");
  const calls = await person.call(server, "GET", "/api/v2/ai-gateway/interceptions?limit=10");
  assert.ok(calls.body.results?.length >= 2 || calls.body.interceptions?.length >= 2, "recorded");
});

test("tools work on the chat's machine, once each", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  await using world = await setUpChats(server, { token: machine.person.session });
  const { person } = world;
  const { body } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
  const input = { path: join(machine.home, "made.txt"), content: "by the agent\n" };
  const chat = await person.create(server, `[[call:write_file ${JSON.stringify(input)}]]`, {
    workspace_id: body.id,
  });
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.status === "waiting");
  assert.equal(readFileSync(input.path, "utf8"), input.content);
  assert.equal(screen.texts.length, 4, JSON.stringify(screen.texts));
  const command = { command: `echo $((6*7)); echo x >> ${machine.home}/count` };
  await person.send(server, chat.id, `[[call:execute ${JSON.stringify(command)}]]`);
  await screen.until(() => screen.messages.size === 8 && screen.status === "waiting");
  assert.match(screen.texts[6] ?? "", /42/);
  assert.equal(readFileSync(join(machine.home, "count"), "utf8"), "x\n");
  assert.ok(existsSync(machine.home));
});

test("a command's output is seen while it runs, and an edit ends it", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  await using world = await setUpChats(server, { token: machine.person.session });
  const { person } = world;
  const { body } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
  const pidFile = join(machine.home, "pid");
  const command = `echo $$ > ${pidFile}; echo begun here; (sleep 600) & wait`;
  const input = JSON.stringify({ command, timeout: "10m" });
  const chat = await person.create(server, `[[call:execute ${input}]]`, {
    workspace_id: body.id,
  });
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  const deltas = (): string =>
    screen.events
      .map((event) => (event.type === "message_part" ? event.message_part.part : null))
      .map((part) => (part?.type === "tool-result" ? (part.result_delta ?? "") : ""))
      .join("");
  await screen.until(() => deltas().includes("begun here"));
  const pid = Number(readFileSync(pidFile, "utf8"));
  assert.ok(process.kill(pid, 0));
  const first = [...screen.messages.keys()][0] ?? 0;
  const edited = await person.call(server, "PATCH", `/api/v2/chats/${chat.id}/messages/${first}`, {
    content: [{ type: "text", text: "Never mind" }],
  });
  assert.equal(edited.status, 200, JSON.stringify(edited.body));
  await screen.until(
    () =>
      screen.status === "waiting" &&
      screen.texts.at(-1)?.endsWith("Never mind") === true &&
      screen.texts.length === 2,
  );
  const isAlive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (let look = 0; isAlive(); look++) {
    assert.ok(look < 1_200, "the command runs on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(screen.texts, ["user: Never mind", "assistant: You said: Never mind"]);
  assert.doesNotMatch(JSON.stringify(screen.texts), /begun here/);
});

test("an answer that breaks off is begun again, and viewers are told to drop what there was of it", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  const text = `Once upon a time ${"there was a long answer ".repeat(40)}`;
  let toBreak = 1;
  await using model = await startScriptedModel({
    script: ({ body }) => {
      const asked = Buffer.from(body).toString();
      const isAnswer = asked.includes('"stream":true') && asked.includes("Tell me");
      if (!isAnswer) return null;
      // Slow enough to be shown before it is whole.
      const pacing = { chunkBytes: 200, delayMs: 60 };
      if (toBreak-- <= 0) return { kind: "turn", turn: { text: "You said: Tell me" }, ...pacing };
      return { kind: "turn", turn: { text }, ...pacing, cutAfterBytes: 2_000 };
    },
  });
  await using world = await setUpChats(server, { model });
  const { person } = world;
  const chat = await person.create(server, "Hello");
  using view = await watchChat(server, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.status === "waiting");
  screen.events.length = 0;
  await person.send(server, chat.id, "Tell me");
  await screen.until(() => screen.messages.size === 4 && screen.status === "waiting");
  const types = screen.events.map(({ type }) => type);
  const shown = types.indexOf("message_part");
  const retry = types.indexOf("retry");
  const reset = types.indexOf("preview_reset", retry);
  assert.ok(shown >= 0 && shown < retry && retry < reset, types.join());
  assert.ok(
    types.indexOf("message_part", reset) > reset,
    "the next attempt is shown from its start",
  );
  assert.equal(screen.texts.at(-1), "assistant: You said: Tell me");
  assert.doesNotMatch(JSON.stringify(screen.texts), /Once upon/);
});

test("when the server that drives a chat stops, another goes on", async () => {
  await using servers = await startTwoServers();
  const { one: first, two: second } = servers;
  await using model = await startScriptedModel({
    pacing: { delayMs: 150 },
  });
  await using world = await setUpChats(first, { model });
  const { person } = world;
  const said = "One two three four five six seven eight nine ten eleven twelve thirteen.";
  const chat = await person.create(first, said);
  using view = await watchChat(second, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.live.length > 8);
  const shown = screen.live;
  await first.stop();
  await screen.until(() => screen.status === "waiting", 120_000);
  const answers = screen.texts.filter((text) => text.startsWith("assistant: "));
  assert.ok(answers.join("").includes(shown), `${JSON.stringify(answers)} holds ${shown}`);
  const users = screen.texts.filter((text) => text.startsWith("user: "));
  assert.deepEqual(users, [`user: ${said}`]);
});
