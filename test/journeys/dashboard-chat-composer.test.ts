/** Writing in a chat by keyboard: earlier messages, drafts, commands, and what context and cost are made of. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

const PATIENCE_MS = 60_000;

test(
  "earlier messages are found and taken up again, drafts stay, and the context is emptied",
  { ...WITHOUT_CHROMIUM, timeout: 240_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    await using world = await setUpChats(server, { token: owner.session });
    const { person } = world;
    const long = "A long line of it. ".repeat(120);
    const chat = await person.create(server, `The first thing ${long}`);
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    page.setDefaultTimeout(PATIENCE_MS);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    const log = page.getByRole("log", { name: "Conversation" });
    const message = page.getByRole("textbox", { name: "Message", exact: true });
    const send = async (text: string): Promise<void> => {
      await message.fill(text);
      await message.press("Enter");
    };
    await signIn(page, owner);
    await page.goto(`/chats/${chat.id}`);
    await log.getByText(/You said: The first thing/).waitFor();
    for (const text of ["The second thing", "The third thing"]) {
      await send(text);
      await log.getByText(`You said: ${text}`).waitFor();
    }

    // The index leads to any of them.
    await page.getByRole("button", { name: "Messages of this chat" }).click();
    const index = page.getByRole("dialog", { name: "Messages of this chat" });
    await index.getByRole("button", { name: "The third thing" }).waitFor();
    await judge("chat-messages");
    await index.getByRole("searchbox", { name: "Find" }).fill("no such thing");
    await index.getByText("No message fits.").waitFor();
    await index.getByRole("searchbox", { name: "Find" }).fill("FIRST");
    await index.getByRole("button", { name: /^The first thing/ }).click();
    await page.getByRole("button", { name: "Jump to newest" }).waitFor();
    await log.getByText(/^The first thing/).waitFor();
    await judge("chat-jumped");
    await page.getByRole("button", { name: "Jump to newest" }).click();

    // Arrows go through them, and back to what was being written.
    await message.fill("half a thought");
    await page.keyboard.press("Home");
    for (const text of ["The third thing", "The second thing"]) {
      await page.keyboard.press("ArrowUp");
      assert.equal(await message.inputValue(), text);
    }
    await page.keyboard.press("ArrowUp");
    assert.match(await message.inputValue(), /^The first thing/);
    for (const text of ["The second thing", "The third thing", "half a thought"]) {
      await page.keyboard.press("ArrowDown");
      assert.equal(await message.inputValue(), text);
    }
    await page.reload();
    await message.waitFor();
    assert.equal(await message.inputValue(), "half a thought", "a draft outlives the page");

    // What fills the context, and what it cost.
    await message.fill("");
    const meters = page.getByRole("button", { name: /^Context and cost/ });
    await meters.getByText(/^\d+%$/).waitFor();
    await meters.click();
    const dialog = page.getByRole("dialog", { name: "Context and cost" });
    await dialog.getByText(/ of 200k tokens$/).waitFor();
    await dialog.getByText("Calls of models").waitFor();
    await judge("chat-meters");
    await dialog.getByRole("button", { name: "Sum the history up" }).click();
    await dialog.waitFor({ state: "detached" });
    await log.getByText(/The history so far is summed up/).waitFor();
    await meters.getByText("–").waitFor();
    const emptied = log.getByText("The context is empty from here on");
    await send("The fourth thing");
    await log.getByText("You said: The fourth thing").waitFor();
    await meters.getByText(/^\d+%$/).waitFor();
    await page.getByText("Lands now.").waitFor();
    await meters.click();
    await dialog.getByRole("button", { name: "Empty the context" }).click();
    await emptied.waitFor();
    await meters.getByText("–").waitFor();

    await send("The fifth thing");
    await log.getByText("You said: The fifth thing").waitFor();
    await meters.getByText(/^\d+%$/).waitFor();
    await page.getByText("Lands now.").waitFor();
    await message.fill("/cl");
    await page.getByRole("option", { name: /^\/clear/ }).waitFor();
    await page.keyboard.press("Enter");
    assert.equal(await message.inputValue(), "/clear");
    await page.keyboard.press("Enter");
    await emptied.nth(1).waitFor();
    await judge("chat-cleared");
    await send("//not a command");
    await log.getByText("/not a command", { exact: true }).waitFor();
    await log.getByText("You said: /not a command").waitFor();
    assert.deepEqual(findings, []);
  },
);
