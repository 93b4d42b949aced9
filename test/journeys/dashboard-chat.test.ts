/** A chat in a real browser: what is written, what the agent does, and what becomes of it in bad times. */
import { startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import { calls, says, type ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { attachMachine } from "./workspace-world.ts";

const ROUND = { ...WITHOUT_CHROMIUM, timeout: 180_000 };

/** What the model answers to a message that holds the words; a call's result is the next step. */
type Act = { readonly to: string; readonly steps: readonly ScriptedReply[] };

/** Acts on messages, and leaves titles and the like to the model's ordinary answers. */
async function startActingModel(): Promise<ScriptedModel & { readonly acts: Act[] }> {
  const acts: Act[] = [];
  const done = new Map<Act, number>();
  const model = await startScriptedModel({
    pacing: { delayMs: 5 },
    script: ({ body }) => {
      const { tools, messages } = JSON.parse(Buffer.from(body).toString("utf8")) as {
        readonly tools?: readonly unknown[];
        readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
      };
      if (tools === undefined || tools.length === 0) return null;
      const said = messages?.findLast(
        ({ role, content }) => role === "user" && !JSON.stringify(content).includes("tool_result"),
      );
      const act = acts.findLast(({ to }) => JSON.stringify(said?.content ?? "").includes(to));
      if (act === undefined) return null;
      const place = done.get(act) ?? 0;
      done.set(act, place + 1);
      return act.steps[place] ?? null;
    },
  });
  return Object.assign(model, { acts });
}

const composer = (page: Page) => page.getByRole("textbox", { name: "Message", exact: true });
const log = (page: Page) => page.getByRole("log", { name: "Conversation" });

async function write(page: Page, text: string, key = "Enter"): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press(key);
}

async function openChat(page: Page, chatId: string): Promise<void> {
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
  await write(page, "Make a file.");
  await log(page).getByText("Make a file.").waitFor();
  await page.getByRole("heading", { name: "Done" }).waitFor();
  assert.equal(await log(page).getByText("<script>alert(1)</script>").count(), 1);
  await judge("chat-tools-closed");
  await page.getByRole("button", { name: /^Counting things together/ }).click();
  await page.getByRole("region", { name: "Output" }).getByText("42").waitFor();
  await page.getByText(/^exit 3, /).waitFor();
  await page.getByRole("button", { name: /^Edited/ }).click();
  await page
    .getByRole("region", { name: `Lines of ${file}` })
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
    await signIn(page, { email: "ann@example.com", password: "correct-horse-battery-9" });
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
