/** What somebody does all day: from the workspace to an agent, through long outputs, and on to the records. */
import { startRealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { attachMachine } from "./workspace-world.ts";

const PATIENCE_MS = 60_000;
const LINES = 800;
const FAILING = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "ok $i - a test"; done; echo "not ok: the last one"; exit 1`;
const TICKING =
  "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo tick $i; done; until [ -e go ]; do sleep 0.1; done; echo over";

/** How far an output's end is from what is shown of it. */
async function toEnd(page: Page): Promise<number> {
  return page
    .getByRole("group", { name: "Output" })
    .evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
}

async function saved(page: Page, press: () => Promise<void>) {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  const path = await download.path();
  return { name: download.suggestedFilename(), text: readFileSync(path, "utf8") };
}

test(
  "an agent is started where one is, its long outputs are read from where they matter, and kept",
  { ...WITHOUT_CHROMIUM, timeout: 400_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using machine = await attachMachine(server);
    await machine.until(server, "connected");
    await using model = await startActingModel();
    model.acts.push({
      to: "Run the tests",
      steps: [calls("execute", { command: FAILING, model_intent: "running them" }, "c-1"), says("One fails.")], // prettier-ignore
    });
    model.acts.push({
      to: "Watch it",
      steps: [calls("execute", { command: TICKING, model_intent: "watching" }, "c-2"), says("It is over.")], // prettier-ignore
    });
    await using _chats = await setUpChats(server, { token: machine.person.session, model });
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    page.setDefaultTimeout(PATIENCE_MS);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, machine.person);

    // From the workspace, which the palette finds.
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("dev");
    await page.getByRole("option", { name: /^dev of / }).waitFor();
    await judge("palette-workspaces");
    await page.getByRole("option", { name: /^dev of / }).click();
    await page.getByRole("link", { name: "Start an agent here" }).click();
    const chosen = page.getByRole("combobox", { name: "Workspace" });
    await untilSo(
      async () => /^[0-9a-f-]{36}$/.test(await chosen.inputValue()),
      "the workspace is chosen",
    );
    await page.getByLabel("What is to be done?").fill("Run the tests");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const log = page.getByRole("log", { name: "Conversation" });
    await log.getByText("One fails.").waitFor();

    // One that failed is shown from its end.
    const output = page.getByRole("group", { name: "Output" });
    await page.getByRole("button", { name: /^Running them/ }).click();
    await output.waitFor();
    await untilSo(async () => (await toEnd(page)) < 2, "the end is shown");
    await page.getByText(`Output, ${LINES + 1} lines`).waitFor();
    await page.getByRole("button", { name: "Find in the output" }).click();
    await page.getByLabel("Words to find").fill("OK 70");
    await page.getByText("1 of 11").waitFor();
    await page.keyboard.press("Shift+Enter");
    await page.getByText("11 of 11").waitFor();
    const found = (): Promise<string> =>
      page.evaluate<string>(`String([...CSS.highlights.get("found")][0])`);
    assert.equal(await found(), "ok 70");
    assert.ok((await toEnd(page)) > 100, "it was scrolled to");
    await judge("chat-output-found");
    await page.keyboard.press("Escape");
    await page.getByLabel("Words to find").waitFor({ state: "detached" });
    const file = await saved(page, () =>
      page.getByRole("button", { name: "Download the output" }).click(),
    );
    assert.match(file.name, /^output-.*\.txt$/);
    assert.match(file.text, /^ok 1 - a test\n[^]*not ok: the last one\n$/);
    await page.getByRole("button", { name: /^Running them/ }).click();

    // While it is written its end is followed, until somebody looks elsewhere.
    const message = page.getByRole("textbox", { name: "Message", exact: true });
    await message.fill("Watch it");
    await message.press("Enter");
    await page.getByRole("button", { name: /^Watching/ }).click();
    await output.getByText("tick 60").waitFor();
    await untilSo(async () => (await toEnd(page)) < 2, "the end is followed");
    await output.evaluate((e) => e.scrollTo(0, 0));
    await machine.cli(server, ["exec", "dev", "--", "touch", "go"]);
    await log.getByText("It is over.").waitFor();
    await output.getByText("over").waitFor();
    assert.equal(await output.evaluate((e) => e.scrollTop), 0, "it stays where somebody looks");

    // A copy of all of it.
    await page.getByRole("button", { name: "About this chat" }).click();
    await judge("chat-about");
    const copy = await saved(page, () => page.getByRole("button", { name: "As Markdown" }).click());
    assert.match(copy.name, /\.md$/);
    assert.match(copy.text, /\n## ann, [^]*\*\*Running them\*\* [^]*\(exit 1, [^]*One fails\.\n/);
    const whole = await saved(page, () => page.getByRole("button", { name: "As JSON" }).click());
    const { messages } = JSON.parse(whole.text) as { readonly messages: readonly unknown[] };
    assert.equal(messages.length, 8);
    await page.keyboard.press("Escape");

    // The next one begins there too; and what models were asked leads back to the chat.
    const chatPath = new URL(page.url()).pathname;
    await page.goto("/chats/new");
    await untilSo(async () => (await chosen.inputValue()) !== "", "the last workspace is chosen");
    await page.goto(`/logs/ai-sessions/${chatPath.split("/").at(-1)}`);
    await page.getByRole("link", { name: "Open its chat" }).click();
    await page.waitForURL(`**${chatPath}`);
    await page.goto("/ai/usage");
    await page.getByRole("link", { name: "Show tokens" }).click();
    await page.getByRole("heading", { name: "Tokens by day" }).waitFor();
    await page.goto("/");
    await page.getByText("First steps: all done").waitFor();
    await page.getByRole("heading", { name: "Your latest agents" }).waitFor();
    await judge("home-daily");
    await page.goto("/deployment/overview");
    await page.getByRole("heading", { name: "Network" }).waitFor();
    await judge("deployment-options");
    assert.deepEqual(findings, []);
  },
);
