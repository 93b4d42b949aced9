/** From a fresh server to the first answered chat, and the inbox while agents work, ask and fail. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

/** One pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const QUESTION = {
  questions: [
    {
      header: "Database",
      question: "Which database shall it be?",
      options: [{ label: "Postgres" }, { label: "SQLite" }],
    },
  ],
};

/** As if a screenshot was pasted into the field that has the focus. */
async function pastePicture(page: Page, name: string): Promise<void> {
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob("${PNG}"), (letter) => letter.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], "${name}", { type: "image/png" }));
    const options = { clipboardData, bubbles: true, cancelable: true };
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
  }`);
}

function judgeOf(page: Page) {
  const findings: string[] = [];
  const judge = async (name: string): Promise<void> => {
    findings.push(...(await judgePage(page, name)));
  };
  return { findings, judge };
}

test(
  "from a fresh server to the first answered chat",
  { ...WITHOUT_CHROMIUM, timeout: 400_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    const { findings, judge } = judgeOf(page);
    await signIn(page, owner);

    await page.getByRole("link", { name: "Agents", exact: true }).click();
    await page.getByText("No agents yet").waitFor();
    await judge("chats-empty");
    await page.getByRole("link", { name: "Start the first one" }).click();
    // Without a model one is led to where it is mended, and what was typed stays.
    const message = page.getByLabel("What is to be done?");
    await message.fill("Say what is in this picture");
    await page.getByText("There is none yet.").waitFor();
    const mend = page.getByRole("link", { name: "Add a model provider" });
    assert.equal(await mend.getAttribute("href"), "/ai/settings/providers/new");
    await judge("chat-new-without-model");
    await using chats = await setUpChats(server, { token: owner.session });
    await page.reload();
    await page.getByLabel("Model").waitFor();
    const isKept = async () => (await message.inputValue()) === "Say what is in this picture";
    await untilSo(isKept, "what was typed stays");

    await message.focus();
    await pastePicture(page, "shot.png");
    await page.getByRole("button", { name: "Remove shot.png" }).waitFor();
    await page.getByText("70 bytes").waitFor();
    await page.getByLabel("Add files").setInputFiles({
      name: "notes.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("some notes"),
    });
    await page.getByText("10 bytes").waitFor();
    await judge("chat-new");
    await page.reload();
    await page.getByText("70 bytes").waitFor();
    await message.focus();
    await page.keyboard.press("Control+Enter");
    await page.waitForURL(/\/chats\/[0-9a-f-]{36}$/);
    const chatId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const { body } = await chats.person.call(server, "GET", `/api/v2/chats/${chatId}/messages`);
    assert.deepEqual(
      // It may have been answered by now.
      body.messages
        .find(({ role }: { readonly role: string }) => role === "user")
        .content.map(({ type }: { readonly type: string }) => type),
      ["text", "file", "file"],
    );

    await page.goto("/chats");
    await page.getByText("“You said:").waitFor();
    await judge("chats-first");
    await page.goto("/chats/new");
    await page.getByLabel("Model").waitFor();
    assert.equal(await message.inputValue(), "", "the draft was taken");
    assert.deepEqual(findings, []);
  },
);

test(
  "who needs the person comes first, at once, and is reached by one key",
  { ...WITHOUT_CHROMIUM, timeout: 400_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    const released = Promise.withResolvers<void>();
    await using model = await startScriptedModel({
      script: ({ body }) => {
        const said = Buffer.from(body).toString("utf8");
        if (said.includes("take your time")) {
          return says("I begin with the parser.", {
            pause: { afterBytes: 1, until: released.promise },
          });
        }
        if (!said.includes("fail now")) return null;
        return { kind: "problem", status: 400, message: "This model takes no such thing." };
      },
    });
    await using chats = await setUpChats(server, { token: owner.session, model });
    const { person } = chats;
    await using world = await openBrowser(server.url);
    const { page } = world;
    const { findings, judge } = judgeOf(page);
    await signIn(page, owner);
    await page.getByRole("link", { name: "Agents", exact: true }).click();
    await page.getByText("No agents yet").waitFor();

    // Each comes to stand where it belongs without anybody reloading.
    const section = (name: string) => page.getByRole("region", { name });
    await person.create(server, "Tidy up the tests, take your time");
    await section("Working").getByRole("link", { name: "Tidy up the tests" }).waitFor();
    await person.create(server, "Write the release notes");
    await section("Done, not seen yet").getByText("“You said: Write the release notes”").waitFor();
    await person.create(
      server,
      `Choose one [[call:ask_user_question ${JSON.stringify(QUESTION)}]]`,
      {
        plan_mode: "plan",
      },
    );
    await section("Needs you").getByText("Which database shall it be?").waitFor();
    await person.create(server, "Migrate it, fail now");
    await section("Needs you").getByText("failed", { exact: true }).waitFor();
    await untilSo(async () => (await page.title()) === "(2) Agents · Atelier", "its title counts");
    const icon = page.locator("link[rel=icon]");
    const isWaiting = async () => (await icon.getAttribute("href")) === "./favicon-waiting.svg";
    await untilSo(isWaiting, "its icon waits");
    await judge("chats");

    await page.keyboard.press("n");
    const untilFocused = (start: string) =>
      untilSo(async () => {
        const text = await page.evaluate<string>("document.activeElement.textContent");
        return text.startsWith(start);
      }, `${start} has the focus`);
    await untilFocused("Choose one");
    await page.keyboard.press("j");
    await untilFocused("Migrate it");
    await page.keyboard.press("k");
    await untilFocused("Choose one");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/chats\/[0-9a-f-]{36}$/);

    await page.goto("/");
    await page.getByText("2 agents need you").waitFor();
    await judge("home-needs-you");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find a page or an action" }).fill("release");
    await page.getByRole("option", { name: /Write the release notes/ }).waitFor();
    await judge("palette-chats");
    await page.keyboard.press("Escape");

    await page.goto("/chats");
    await page.getByRole("button", { name: /^Stop Tidy up/ }).click();
    released.resolve();
    await section("Working").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: /^Rename .*Write the release/ }).click();
    await page.getByLabel("Title").fill("Notes of the release");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Notes of the release" }).waitFor();
    await page.getByRole("button", { name: "Archive Notes of the release" }).click();
    await page.getByText("Archived Notes of the release.").waitFor();
    await page.getByRole("link", { name: "Notes of the release" }).waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Archived", exact: true }).click();
    await page.getByRole("link", { name: "Notes of the release" }).waitFor();
    await judge("chats-archived");
    await page.getByRole("button", { name: "Unarchive Notes of the release" }).click();
    await page.getByText("Nothing is archived").waitFor();
    await page.getByRole("link", { name: "Back to the agents" }).click();

    await page.getByRole("link", { name: "Notes of the release" }).waitFor();
    await page.keyboard.press("/");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type("choose");
    await page.getByRole("link", { name: "Notes of the release" }).waitFor({ state: "hidden" });
    await page.getByRole("link", { name: /^Choose one/ }).waitFor();
    await page.getByLabel("Search").fill("nothing of the kind");
    await page.getByText("No chat fits").waitFor();
    await page.getByLabel("Search").fill("");

    // Without a server it is said that what is shown may be old.
    await page.getByRole("link", { name: "Notes of the release" }).waitFor();
    await server[Symbol.asyncDispose]();
    await page.getByText("No live connection to the server").waitFor();
    await judge("chats-stale");
    // Chromium logs each attempt that finds no server, until it looks no more.
    await page.close();
    const others = world.complaints.filter((each) => !each.startsWith("WebSocket connection to"));
    world.complaints.splice(0, world.complaints.length, ...others);
    assert.deepEqual(findings, []);
  },
);
