/** Chats that one server drives and another shows: words in order, each once, whatever becomes of the driver. */
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import type { RealServer } from "@atelier/testkit/real-server";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { sql } from "kysely";
import { setUpChats, textOf, watchChat, type ChatPerson, type ChatScreen } from "./chat-world.ts";
import { startTwoServers, type TwoServers } from "./two-server-world.ts";

const WORDS = Array.from({ length: 40 }, (_, i) => `word${i}`).join(" ");

/** The text of each attempt that a viewer was shown; its parts come in order, and each once. */
function attemptsOf({ events }: ChatScreen): readonly string[] {
  const attempts = new Map<string, { text: string; seq: number }>();
  for (const event of events) {
    if (event.type !== "message_part") continue;
    const { history_version: history, generation_attempt: attempt, seq, part } = event.message_part;
    const key = `${history}/${attempt}`;
    const shown = attempts.get(key) ?? { text: "", seq: 0 };
    assert.equal(seq, shown.seq + 1, `${key} without gaps and repetitions`);
    attempts.set(key, { seq, text: shown.text + textOf([part]) });
  }
  return [...attempts.values()].map(({ text }) => text);
}

/** Of a chat that is being driven. */
async function driverOf({ one, two, database }: TwoServers, chatId: string): Promise<RealServer> {
  for (;;) {
    const { rows } = await sql<{ relay_url: string }>`
      select r.relay_url from chats c join replicas r on r.id = c.worker_id
      where c.id = ${chatId}`.execute(database.sql);
    const driver = [one, two].find(({ url }) => url === rows[0]?.relay_url);
    if (driver !== undefined) return driver;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function watchOnBoth({ one, two }: TwoServers, person: ChatPerson, chatId: string) {
  const views = [await watchChat(one, person, chatId), await watchChat(two, person, chatId)];
  return {
    screens: views.map(({ screen }) => screen),
    [Symbol.dispose]: () => {
      for (const view of views) view[Symbol.dispose]();
    },
  };
}

for (const { title, args, isReached } of [
  {
    title: "one server shows what another writes, one answer after another",
    ...{ args: [[], []], isReached: true },
  },
  {
    title: "servers that do not reach each other show the same",
    // Of one address each, or the later one would take the other for its predecessor, and delete it.
    ...{ args: [9, 11].map((port) => ["--relay-url", `http://127.0.0.1:${port}`]) },
    isReached: false,
  },
]) {
  test(title, async () => {
    await using servers = await startTwoServers(...args);
    await using model = await startScriptedModel({ pacing: { delayMs: 25 } });
    await using world = await setUpChats(servers.one, { model });
    const { person } = world;
    const chats = await Promise.all(
      [1, 2, 3].map((n) => person.create(servers.one, `Chat ${n}: ${WORDS}`)),
    );
    for (const [index, chat] of chats.entries()) {
      using view = await watchOnBoth(servers, person, chat.id);
      const { screens } = view;
      const said = `You said: Chat ${index + 1}: ${WORDS}`;
      for (const screen of screens) {
        await screen.until(() => screen.texts.includes(`assistant: ${said}`));
      }
      await person.send(servers.two, chat.id, `Again: ${WORDS}`);
      const again = `You said: Again: ${WORDS}`;
      for (const screen of screens) {
        await screen.until(() => screen.texts.at(-1) === `assistant: ${again}`);
        const attempts = attemptsOf(screen);
        const last = attempts.at(-1) ?? "";
        // The message may come before its last words.
        assert.ok(last.length > 10 && again.startsWith(last), `${again} begins with ${last}`);
        for (const text of attempts.slice(0, -1)) assert.ok(said.startsWith(text), text);
      }
    }
    const log = servers.one.log() + servers.two.log();
    if (!isReached) assert.match(log, /another server is not reached/);
  });
}

test("when the driver is killed in the middle of a word, viewers of the other server go on from it", async () => {
  await using servers = await startTwoServers();
  await using model = await startScriptedModel({ pacing: { delayMs: 100 } });
  await using world = await setUpChats(servers.one, { model });
  const { person } = world;
  const { one, two } = servers;
  const chat = await person.create(one, WORDS);
  const driver = await driverOf(servers, chat.id);
  using view = await watchChat(driver === one ? two : one, person, chat.id);
  const { screen } = view;
  await screen.until(() => screen.live.length > 20);
  const exited = once(driver.child, "exit");
  driver.child.kill("SIGKILL");
  await exited;
  const shown = screen.live;
  await screen.until(() => screen.status === "waiting", 120_000);
  const answers = screen.texts.filter((text) => text.startsWith("assistant: "));
  assert.ok(answers.join("").includes(shown), `${JSON.stringify(answers)} holds ${shown}`);
  attemptsOf(screen);
});
