/** The workspace beside a chat: its changes are reviewed in one message, and what runs there is seen. */
import { startRealServer } from "@atelier/testkit/real-server";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { commitFirst } from "./workspace-git.ts";
import { attachMachine } from "./workspace-world.ts";

const PATIENCE_MS = 60_000;
const LINES = Array.from({ length: 12 }, (_, index) => `export const n${index + 1} = "${index}";`);

/** A repository with one commit. */
function fill(home: string): string {
  const app = join(home, "app");
  mkdirSync(app);
  writeFileSync(join(app, "numbers.ts"), `${LINES.join("\n")}\n`);
  commitFirst(app);
  return app;
}

test(
  "beside a chat one reviews its changes in one message, and sees what runs in its workspace",
  { ...WITHOUT_CHROMIUM, timeout: 300_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using machine = await attachMachine(server);
    await machine.until(server, "connected");
    const app = fill(machine.home);
    await using model = await startActingModel();
    model.acts.push({ to: "Change the numbers", steps: [says("They are changed.")] });
    await using world = await setUpChats(server, { token: machine.person.session, model });
    const { person } = world;
    const { body: workspace } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
    const chat = await person.create(server, "Change the numbers", { workspace_id: workspace.id });
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    page.setDefaultTimeout(PATIENCE_MS);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, machine.person);
    await page.goto(`/chats/${chat.id}`);
    const log = page.getByRole("log", { name: "Conversation" });
    await log.getByText("They are changed.").waitFor();
    await page.getByRole("button", { name: "Open the workspace" }).click();
    const panel = page.getByRole("complementary", { name: "Workspace" });
    const open = (name: string) => panel.getByRole("tab", { name, exact: true }).click();

    await panel.getByText("nothing changed").waitFor();
    const edited = LINES.with(2, 'export const n3 = "three"; // said').toSpliced(6, 1);
    writeFileSync(join(app, "numbers.ts"), `${edited.join("\n")}\n`);
    await panel.getByText('export const n3 = "three"; // said').waitFor();
    const words = (side: string): Promise<readonly string[]> =>
      page.evaluate(`[...(CSS.highlights.get("word-${side}") ?? [])].map(
        ({ startContainer, startOffset, endOffset }) => startContainer.data.slice(startOffset, endOffset))`);
    await untilSo(async () => (await words("added")).length > 0, "words are marked");
    assert.deepEqual(await words("added"), ['three"; // said']);
    assert.deepEqual(await words("removed"), ['2";']);
    await panel.getByRole("button", { name: "Comment on line 3", exact: true }).click();
    await panel.getByLabel("Comment on line 3 of numbers.ts").fill("Why in words?");
    await page.keyboard.press("Control+Enter");
    await panel.getByRole("button", { name: "Comment on removed line 7" }).click();
    await panel.getByLabel(/^Comment on line 7/).fill("Is it needed nowhere?");
    await panel.getByRole("button", { name: "Add to the review" }).click();
    await panel.getByText("2 comments").waitFor();
    await judge("chat-panel-changes");
    await panel.getByRole("button", { name: "Hand over the review" }).click();
    await panel.getByText("2 comments").waitFor({ state: "detached" });
    const message = page.getByRole("textbox", { name: "Message", exact: true });
    const said = await message.inputValue();
    assert.match(said, /numbers\.ts, line 3:[^]*Why in words\?[^]*line 7 before the change/);
    model.acts.push({ to: "Why in words?", steps: [says("Words are read, numbers are counted.")] });
    await message.press("Enter");
    await log.getByText("Words are read, numbers are counted.").waitFor();
    assert.equal(await log.getByText("Is it needed nowhere?").count(), 1, "one message");

    // What was seen is folded, until the agent changes it again.
    const seen = panel.getByRole("checkbox", { name: "Seen: numbers.ts" });
    await seen.check();
    await panel.getByText("1 of 1 seen").waitFor();
    await panel.getByText('export const n3 = "three"').waitFor({ state: "detached" });
    await judge("chat-panel-seen");
    writeFileSync(join(app, "numbers.ts"), `${edited.join("\n")}\n// the end\n`);
    await panel.getByText("changed since you saw it").waitFor();
    assert.ok(!(await seen.isChecked()));
    await panel.getByRole("button", { name: /^numbers\.ts/ }).click();
    await panel.getByText("// the end").waitFor();

    await open("Terminals");
    const screen = panel.locator(".xterm-rows");
    await screen.getByText(/[$#]/).first().waitFor();
    await panel.getByRole("textbox", { name: "Terminal input" }).focus();
    await page.keyboard.type("echo $((6*7))\n");
    await screen.getByText("42").first().waitFor();
    await judge("chat-panel-terminal");

    await open("Files");
    await panel.getByRole("button", { name: "app", exact: true }).click();
    await panel.getByRole("button", { name: /^numbers\.ts/ }).click();
    await panel.getByLabel("Text of the file").getByText('export const n3 = "three"').waitFor();
    await judge("chat-panel-files");

    await open("Processes");
    const script = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done";
    const running = machine.start(server, ["exec", "dev", "--", "sh", "-c", script]);
    running.stdin?.end();
    await panel.getByRole("button", { name: /while true.*running/ }).click();
    await panel.getByLabel("Output").getByText("tick 3").waitFor();
    await judge("chat-panel-processes");
    await panel.getByRole("button", { name: /^Kill / }).click();
    await page.getByRole("button", { name: "Kill it" }).click();
    await panel.getByText("ended by SIGKILL").waitFor();

    await open("Ports");
    await using listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    // Where there is little room the command is only copied.
    await panel.getByRole("button", { name: `Copy the command for port ${port}` }).click();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    assert.equal(copied, `atelier port-forward dev ${port}`);
    await judge("chat-panel-ports");
    await open("Usage");
    await panel.getByRole("meter", { name: "Memory" }).waitFor();
    await judge("chat-panel-usage");

    // As wide as one likes, by keyboard too; and it stays as it was.
    const width = async () => (await panel.boundingBox())?.width ?? 0;
    const before = await width();
    await panel.getByRole("separator", { name: "Width of the workspace" }).focus();
    await page.keyboard.press("ArrowLeft");
    const wider = await width();
    assert.ok(wider > before, `${wider} px, ${before} px before`);
    await page.reload();
    await panel.getByRole("meter", { name: "Memory" }).waitFor();
    assert.equal(await width(), wider);
    await panel.getByRole("button", { name: "Close the workspace's panel" }).click();
    await panel.waitFor({ state: "detached" });
    assert.deepEqual(findings, []);
  },
);
