/** A chat in a real browser: what is written, what the agent does, and what becomes of it in bad times. */
import { freePort } from "@atelier/testkit/free-port";
import { startRealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { attachMachine } from "./workspace-world.ts";

const PERSON = { email: "ann@example.com", password: "correct-horse-battery-9" };
const KEY = Buffer.alloc(32, 7).toString("base64");
const ROUND = { ...WITHOUT_CHROMIUM, timeout: 400_000 };

const composer = (page: Page) => page.getByRole("textbox", { name: "Message", exact: true });
const log = (page: Page) => page.getByRole("log", { name: "Conversation" });

async function write(page: Page, text: string, key = "Enter"): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press(key);
}

/** Busy machines need their time: nothing here is about speed. */
const PATIENCE_MS = 90_000;

async function openChat(page: Page, chatId: string): Promise<void> {
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`/chats/${chatId}`);
  await composer(page).waitFor();
}

test("a chat is written, answered, and worked on in a workspace", ROUND, async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const model = await startActingModel();
  await using world = await setUpChats(server, { token: machine.person.session, model });
  const { person } = world;
  const { body: workspace } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
  const markdown =
    "# Done\n\nIt **works**, see `made.txt`:\n\n```ts\nconst answer = 42;\n```\n\n| a | b |\n|---|--:|\n| x | 1 |\n\n- one\n- two\n\n<script>alert(1)</script>";
  const greets = says("Hello there.", { thinking: "Somebody greets me. I greet back." });
  model.acts.push({ to: "Good morning", steps: [greets] });
  const chat = await person.create(server, "Good morning", { workspace_id: workspace.id });

  await using browser = await openBrowser(server.url);
  const { page } = browser;
  const findings: string[] = [];
  const judge = async (name: string): Promise<void> => {
    findings.push(...(await judgePage(page, name)));
  };
  await signIn(page, machine.person);
  await openChat(page, chat.id);
  await log(page).getByText("Hello there.").waitFor();
  await page.getByText("Lands now.").waitFor();
  await page.getByRole("button", { name: /^Thought for/ }).click();
  await page.getByText("I greet back.").waitFor();

  const file = join(machine.home, "made.txt");
  const edit = { edits: [{ path: file, old_text: "one", new_text: "1\n2" }] };
  const command = {
    command: "echo $((6*7)); exit 3",
    model_intent: "counting things together",
  };
  model.acts.push({
    to: "Make a file.",
    steps: [
      calls("write_file", { path: file, content: "zero\none\ntwo\n" }, "call-1"),
      calls("edit_files", edit, "call-2"),
      calls("execute", command, "call-3"),
      says(markdown),
    ],
  });
  // The stream is quicker than the answer to what was sent: the message stands there once all the same.
  const answered = Promise.withResolvers<void>();
  await page.route("**/messages", async (route) => {
    const response = await route.fetch();
    await answered.promise;
    await route.fulfill({ response });
  });
  await write(page, "Make a file.");
  await page.getByRole("heading", { name: "Done" }).waitFor();
  assert.equal(await log(page).getByText("Make a file.").count(), 1);
  assert.equal(await log(page).getByText("Sending…").count(), 0);
  answered.resolve();
  await log(page).getByText("<script>alert(1)</script>").waitFor();
  await page.getByText("Lands now.").waitFor();
  await judge("chat-tools-closed");
  await page.getByRole("button", { name: /^Counting things together/ }).click();
  await page.getByRole("group", { name: "Output" }).getByText("42").waitFor();
  await page.getByText(/^exit 3, /).waitFor();
  await page.getByRole("button", { name: /^Edited/ }).click();
  await page
    .getByRole("group", { name: `Lines of ${file}` })
    .first()
    .waitFor();
  await judge("chat-tools-open");
  assert.deepEqual(findings, []);
});

test(
  "while the agent works, messages are queued, moved, edited, sent now; and it is stopped",
  ROUND,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const model = await startActingModel();
    await using world = await setUpChats(server, { model });
    const { person } = world;
    const chat = await person.create(server, "Begin");
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    const findings: string[] = [];
    await signIn(page, PERSON);
    await openChat(page, chat.id);
    await log(page).getByText("You said: Begin").waitFor();

    const gate = Promise.withResolvers<void>();
    const long = "A long answer that takes its time to be written.";
    const pause = { afterBytes: 900, until: gate.promise };
    model.acts.push({ to: "Work for long", steps: [says(long, { pause })] });
    await write(page, "Work for long");
    await page.getByRole("button", { name: "Stop the agent" }).waitFor();
    await page.getByText(/Lands after this turn/).waitFor();
    await write(page, "second");
    await page.getByText("1 queued").waitFor();
    await write(page, "third");
    await page.getByText("2 queued").waitFor();
    await page.getByText(/behind 2 other messages/).waitFor();
    findings.push(...(await judgePage(page, "chat-queue")));
    await page.getByRole("button", { name: "Move “third” up" }).click();
    const queue = page.getByRole("region", { name: "Queue" });
    await queue.getByRole("listitem").first().getByText("third").waitFor();
    await page.getByRole("button", { name: "Edit “third”" }).click();
    await page.getByLabel("The queued message").fill("third, said better");
    await page.getByLabel("The queued message").press("Enter");
    await queue.getByText("third, said better").waitFor();
    // It outlives a reload.
    await page.reload();
    await queue.getByText("third, said better").waitFor();
    await page.getByRole("button", { name: "Take “second” out of the queue" }).click();
    await page.getByText("1 queued").waitFor();

    await write(page, "This one now", "Control+Enter");
    await log(page).getByText("You said: This one now").waitFor();
    await log(page).getByText("You said: third, said better").waitFor();
    const order = (await log(page).textContent()) ?? "";
    assert.ok(order.indexOf("This one now") < order.indexOf("third, said better"), order);
    gate.resolve();

    const stopped = Promise.withResolvers<void>();
    const again = { pause: { afterBytes: 900, until: stopped.promise } };
    model.acts.push({ to: "Work again", steps: [says("Never to be finished", again)] });
    await write(page, "Work again");
    await page.getByRole("button", { name: "Stop the agent" }).waitFor();
    await composer(page).press("Escape");
    await page.getByText("Lands now.").waitFor();
    stopped.resolve();

    // Edit an earlier message.
    await page
      .getByRole("article", { name: "Message" })
      .filter({ hasText: "This one now" })
      .getByRole("button", { name: "Edit this message" })
      .click();
    await page.getByText(/Sending drops its answer and 2 later messages/).waitFor();
    findings.push(...(await judgePage(page, "chat-edit")));
    await write(page, "Something else");
    await log(page).getByText("You said: Something else").waitFor();
    assert.equal(await log(page).getByText("Work again").count(), 0);
    assert.deepEqual(findings, []);
  },
);

test(
  "a server is killed in the middle of an answer: the page goes on, with no word lost or doubled",
  ROUND,
  async () => {
    await using database = await testDatabase();
    const options = {
      postgresUrl: database.url,
      env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: KEY },
      args: ["--http-address", `127.0.0.1:${await freePort()}`],
    };
    await using one = await startRealServer(options);
    const model = await startActingModel();
    await using world = await setUpChats(one, { model });
    const chat = await world.person.create(one, "Begin");
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    const parts = [words.slice(0, 25), words.slice(25)].map((part) => part.join(" "));
    // It stops after some words for the first server, and goes on behind them for the next.
    const never = { pause: { afterBytes: 1_500, until: new Promise(() => {}) } };
    model.acts.push({ to: "Tell it all", steps: [says(`${parts[0]} ${parts[1]}`, never)] });

    await using browser = await openBrowser(one.url);
    const { page } = browser;
    await signIn(page, PERSON);
    await openChat(page, chat.id);
    await log(page).getByText("You said: Begin").waitFor();
    await write(page, "Tell it all");
    await log(page)
      .getByText(/word0 word1/)
      .waitFor();
    one.child.kill("SIGKILL");
    await once(one.child, "exit");
    // What is written meanwhile is not lost.
    await write(page, "Said into the void", "Control+Enter");
    await page.getByRole("region", { name: "Not sent" }).waitFor();
    await page.getByText(/^As of \d+ (?:s|min) ago/).waitFor();
    const seen = await wordsOf(page);
    assert.deepEqual(seen, words.slice(0, seen.length));
    assert.ok(seen.length > 1 && seen.length < 60, `${seen.length} words seen`);
    const findings = await judgePage(page, "chat-away");

    model.acts.push({ to: "Tell it all", steps: [says("and that is all.")] });
    await using two = await startRealServer(options);
    await log(page).getByText("and that is all.").waitFor();
    assert.deepEqual(await wordsOf(page), seen);
    await page.getByText("Lands now.").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await log(page).getByText("You said: Said into the void").waitFor();
    assert.equal(await log(page).getByText("Said into the void", { exact: true }).count(), 1);
    await page.reload();
    await log(page).getByText("You said: Said into the void").waitFor();
    assert.deepEqual(await wordsOf(page), seen, "as it was, also when it is read anew");
    // The page looks for its server no more, which is ended before the browser is.
    await page.goto("about:blank");
    // Chromium notes each attempt to reach a server that is away; the page says it better.
    const { complaints } = browser;
    // Before its server ends, which would be another one that is away.
    await page.close();
    const others = complaints.filter((each) => !each.startsWith("WebSocket connection to"));
    complaints.splice(0, complaints.length, ...others);
    assert.equal(two.url, one.url);
    assert.deepEqual(findings, []);
  },
);

/** In the order in which they stand on the page. */
async function wordsOf(page: Page): Promise<readonly string[]> {
  return ((await log(page).textContent()) ?? "").match(/word\d+/g) ?? [];
}

test("two browsers see one chat: questions and plans are answered in either", ROUND, async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const model = await startActingModel();
  await using world = await setUpChats(server, { token: machine.person.session, model });
  const { person } = world;
  const { body: workspace } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
  const questions = [
    {
      header: "Colour",
      question: "Which colour shall it have?",
      options: [{ label: "Red", description: "It is seen from afar." }, { label: "Green" }],
    },
    { header: "Size", question: "How large?", options: [{ label: "Small" }, { label: "Large" }] },
  ];
  model.acts.push({ to: "Ask me", steps: [calls("ask_user_question", { questions }, "q-1")] });
  const chat = await person.create(server, "Ask me", {
    ...{ workspace_id: workspace.id, plan_mode: "plan" },
  });
  await using browser = await openBrowser(server.url);
  const { page } = browser;
  const findings: string[] = [];
  await signIn(page, machine.person);
  await openChat(page, chat.id);
  const other = await browser.newPage();
  await other.setViewportSize({ width: 360, height: 740 });
  await signIn(other, machine.person);
  await openChat(other, chat.id);
  await other.getByRole("heading", { name: "The agent asks" }).waitFor();
  findings.push(...(await judgePage(page, "chat-question")));
  await other.getByRole("radio", { name: /^Red/ }).check();
  await other.getByLabel("In your own words: Size").fill("as large as a house");
  await other.getByRole("button", { name: "Answer" }).click();
  for (const each of [page, other]) {
    await log(each).getByText("Colour: Red").first().waitFor();
    await each.getByRole("heading", { name: "The agent asked" }).waitFor();
  }

  const path = `~/.atelier/plans/PLAN-${chat.id}.md`;
  const content = "# The plan\n\n1. Paint it\n2. Let it dry\n";
  model.acts.push({
    to: "Plan it",
    steps: [calls("write_file", { path, content }, "w-1"), calls("propose_plan", {}, "p-1")],
  });
  await write(page, "Plan it");
  await page.getByRole("heading", { name: "The agent proposes a plan" }).waitFor();
  await page.getByText("Let it dry").waitFor();
  findings.push(...(await judgePage(page, "chat-plan")));
  await other.getByRole("button", { name: "Ask for changes" }).click();
  assert.equal(
    await composer(other).getAttribute("placeholder"),
    "What should be different in the plan?",
  );
  assert.ok(await page.getByRole("checkbox", { name: "Plan only" }).isChecked());
  model.acts.push({ to: "The plan is approved", steps: [says("I begin to paint.")] });
  await other.getByRole("button", { name: "Carry out this plan" }).click();
  await log(page).getByText("I begin to paint.").waitFor();
  await page.getByRole("checkbox", { name: "Plan only", checked: false }).waitFor();
  // At 360 px nothing is cut off, and the agent is stopped.
  const width = "document.documentElement.scrollWidth";
  assert.equal(await other.evaluate(width), 360);
  const pause = { afterBytes: 900, until: new Promise(() => {}) };
  model.acts.push({ to: "For ever", steps: [says("A story without an end.", { pause })] });
  await write(other, "For ever");
  const stopping = other.waitForRequest(/\/interrupt$/);
  await other.getByRole("button", { name: "Stop the agent" }).click();
  // The turn that is on the page, and none that may have begun when this arrives.
  const { turn_message_id: stopped } = (await stopping).postDataJSON() as Record<string, unknown>;
  await other.getByText("Lands now.").waitFor();
  const { body: shown } = await person.call(server, "GET", `/api/v2/chats/${chat.id}`);
  assert.equal(stopped, shown.turn_message_id);
  assert.deepEqual(findings, []);
});

test("commands, earlier messages, and files", ROUND, async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const model = await startActingModel();
  await using world = await setUpChats(server, { token: machine.person.session, model });
  const chat = await world.person.create(server, "The first thing");
  await using browser = await openBrowser(server.url);
  const { page } = browser;
  const findings: string[] = [];
  await signIn(page, machine.person);
  await openChat(page, chat.id);
  await log(page).getByText("You said: The first thing").waitFor();

  await composer(page).fill("/re");
  await page.getByRole("option", { name: /rename/ }).waitFor();
  findings.push(...(await judgePage(page, "chat-commands")));
  await composer(page).press("Tab");
  await write(page, "/rename Painting the house");
  await page.getByRole("heading", { name: "Painting the house" }).waitFor();
  await write(page, "/workspace dev");
  await page.getByText("It works in dev.").waitFor();
  await write(page, "/nonsense");
  await page.getByText("There is no /nonsense.").waitFor();
  await composer(page).fill("");
  await composer(page).press("ArrowUp");
  assert.equal(await composer(page).inputValue(), "The first thing");
  await composer(page).press("ArrowDown");
  await write(page, "/compact");
  await log(page)
    .getByText(/The history so far is summed up/)
    .waitFor();

  const { promise: arrival, resolve: arrive } = Promise.withResolvers<void>();
  await page.route(/\/chats\/files/, async (route) => {
    await arrival;
    await route.continue();
  });
  await page.locator("input[type=file]").setInputFiles({
    ...{ name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("a note") },
  });
  await write(page, "Read it");
  await page.getByText("A file is still on its way.").waitFor();
  arrive();
  await page.getByRole("list", { name: "Files" }).getByText("6 bytes", { exact: true }).waitFor();
  assert.equal(await composer(page).inputValue(), "Read it");
  await composer(page).press("Enter");
  await log(page)
    .getByRole("link", { name: /note.txt/ })
    .waitFor();
  assert.deepEqual(findings, []);
});
