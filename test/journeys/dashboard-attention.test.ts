/** Whoever does something else learns that an agent needs them, on every page and in other windows. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

const QUESTION = JSON.stringify({
  questions: [
    {
      header: "Database",
      question: "Which database shall it be?",
      options: [{ label: "Postgres" }, { label: "SQLite" }],
    },
  ],
});

/** Notes what the browser is asked to show, and whether somebody looks at the page. */
async function observeNotifications(page: Page): Promise<void> {
  await page.addInitScript(`{
    const shown = [];
    let isLookedAt = true;
    Object.assign(globalThis, { shown, lookAway: () => (isLookedAt = false) });
    document.hasFocus = () => isLookedAt;
    const Own = class extends EventTarget {
      static permission = "default";
      static async requestPermission() {
        Own.permission = "granted";
        return "granted";
      }
      constructor(title, { body }) {
        super();
        shown.push({ title, body, press: () => this.dispatchEvent(new Event("click")) });
      }
      close() {}
    };
    Object.defineProperty(globalThis, "Notification", { value: Own, configurable: true });
  }`);
}

test(
  "who looks at something else is told which agents need them, and one key leads there",
  { ...WITHOUT_CHROMIUM, timeout: 300_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    await using chats = await setUpChats(server, { token: owner.session });
    const { person } = chats;
    const ask = (text: string) =>
      person.create(server, `${text} [[call:ask_user_question ${QUESTION}]]`, {
        plan_mode: "plan",
      });
    await using world = await openBrowser(server.url);
    const { page } = world;
    const findings: string[] = [];
    await observeNotifications(page);
    await signIn(page, owner);

    await page.goto("/settings/agents");
    const calls = page.getByRole("radio", { name: "and when one is done" });
    await calls.check();
    findings.push(...(await judgePage(page, "settings-agents-calls")));
    await page.reload();
    assert.ok(await calls.isChecked(), "it is kept");
    await page.evaluate(`Notification.permission = "granted"`);
    const navigation = page.getByRole("navigation", { name: "Pages" });
    await navigation.getByRole("link", { name: "Users" }).click();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    assert.equal(await page.title(), "Users · Atelier");

    // On a page that is no matter of chats.
    const first = await ask("Choose the first");
    // Who has waited longest comes first, whoever was asked first.
    await navigation.getByRole("link", { name: "Agents 1 needs you" }).waitFor();
    const second = await ask("Choose the second");
    await navigation.getByRole("link", { name: "Agents 2 need you" }).waitFor();
    await untilSo(async () => (await page.title()) === "(2) Users · Atelier", "the title counts");
    assert.deepEqual(await page.evaluate("shown"), [], "who looks at the page is not called");
    findings.push(...(await judgePage(page, "users-waiting")));

    // Keys lead from one to the next, and what is typed into a field stays what it is.
    await page.locator("h1").click();
    await page.keyboard.press("n");
    await page.waitForURL(`**/chats/${first.id}`);
    await page.getByRole("log", { name: "Conversation" }).waitFor();
    assert.match(await page.title(), /^\(2\) Choose the first/);
    await page.locator("h1").click();
    await page.keyboard.press("n");
    await page.waitForURL(`**/chats/${second.id}`);
    const message = page.getByRole("textbox", { name: "Message", exact: true });
    await message.fill("");
    await message.press("n");
    assert.equal(await message.inputValue(), "n");
    await message.fill("");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("next agent");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/chats/${first.id}`);

    // Elsewhere, the browser calls them.
    await page.goto("/deployment/users");
    await navigation.getByRole("link", { name: "Agents 2 need you" }).waitFor();
    await page.evaluate(`Notification.permission = "granted"; lookAway();`);
    const third = await person.create(server, "Write the notes");
    const shown = () => page.evaluate<{ title: string; body: string }[]>("shown");
    await untilSo(async () => (await shown()).length > 0, "it is called out");
    const [call, ...others] = await shown();
    assert.deepEqual(others, []);
    // What a model called it meanwhile, or what it was called at first.
    assert.match(call?.title ?? "", /Write the notes: done$/);
    assert.equal(call?.body, "wrote “You said: Write the notes”");
    await page.evaluate("shown[0].press()");
    await page.waitForURL(`**/chats/${third.id}`);
    assert.deepEqual(findings, []);
  },
);
