/** Tools of other servers in a browser: chosen for a chat, changed while it goes on, and signed in to. */
import { startGuardedRemote } from "@atelier/chat-daemon/mcp/mcp-oauth-testkit";
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { judgePage, keepPicture, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  return port;
}

test(
  "a person chooses a chat's tool servers, signs in to one, and the agent uses it from the next message on",
  { ...WITHOUT_CHROMIUM, timeout: 180_000 },
  async () => {
    await using database = await testDatabase();
    // Sites send people back to the address that the server has for people.
    const args = ["--access-url", `http://127.0.0.1:${await freePort()}`];
    args.push("--http-address", new URL(args[1] ?? "").host);
    await using server = await startRealServer({ postgresUrl: database.url, args });
    const owner = await setUpFirstUser(server);
    await using world = await setUpChats(server, { token: owner.session });
    await using remote = await startGuardedRemote();
    const { person } = world;
    for (const [slug, name, availability, type] of [
      ["wiki", "The wiki", "default_off", "oauth2"],
      ["shop", "", "default_on", "none"],
      ["house", "House rules", "force_on", "none"],
    ]) {
      const made = await person.call(server, "POST", "/api/v2/mcp-servers", {
        ...{ slug, display_name: name, url: remote.url, availability, auth: { type } },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
    }
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, owner);

    await page.goto("/chats/new");
    await page.getByLabel("What is to be done?").fill("Begin");
    assert.ok(await page.getByRole("checkbox", { name: "shop" }).isChecked());
    assert.ok(await page.getByRole("checkbox", { name: /^House rules/ }).isDisabled());
    await page.getByRole("checkbox", { name: "The wiki" }).check();
    await page.getByRole("link", { name: "needs your sign-in" }).waitFor();
    await judge("chat-new-servers");
    await page.getByRole("checkbox", { name: "The wiki" }).uncheck();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const log = page.getByRole("log", { name: "Conversation" });
    await log.getByText("You said: Begin").waitFor();

    // While it goes on.
    const chosen = page.getByRole("button", { name: /^Tool servers/ });
    await chosen.getByText("2 of 3").waitFor();
    await chosen.click();
    const dialog = page.getByRole("dialog", { name: "Tool servers of this chat" });
    await dialog.getByRole("checkbox", { name: "shop" }).uncheck();
    await dialog.getByRole("checkbox", { name: "The wiki" }).check();
    await dialog.getByRole("link", { name: "needs your sign-in" }).waitFor();
    await judge("chat-servers");
    await page.keyboard.press("Escape");
    await judge("chat-servers-chosen");

    // Signing in leads to another site and back.
    await chosen.click();
    await dialog.getByRole("link", { name: "needs your sign-in" }).click();
    await page.getByRole("button", { name: "Sign in to The wiki" }).click();
    await judge("settings-agents-sign-in");
    const opened = page.context().waitForEvent("page");
    await page.getByRole("link", { name: /^Continue at 127\.0\.0\.1/ }).click();
    const other = await opened;
    await other.getByRole("link", { name: "Allow Atelier" }).click();
    await other.getByText("Signed in to The wiki").waitFor();
    await keepPicture(other, "signed-in-to-tool-server");
    await other.close();
    await page.getByText("signed in", { exact: true }).waitFor();

    await page.goBack();
    const message = page.getByRole("textbox", { name: "Message", exact: true });
    await chosen.click();
    await dialog.getByRole("checkbox", { name: "The wiki" }).check();
    await dialog.getByRole("checkbox", { name: "shop" }).uncheck();
    await page.keyboard.press("Escape");
    await message.fill('Add them [[call:wiki__add {"a": 40, "b": 2}]]');
    await message.press("Enter");
    const call = log.getByRole("button", { name: /wiki/i });
    await call.click();
    await log.getByText("42").first().waitFor();
    await page.reload();
    await chosen.getByText("2 of 3").waitFor();
    await chosen.click();
    assert.ok(await dialog.getByRole("checkbox", { name: "The wiki" }).isChecked());
    assert.ok(!(await dialog.getByRole("checkbox", { name: "shop" }).isChecked()));
    assert.equal(await dialog.getByRole("link", { name: "needs your sign-in" }).count(), 0);
    assert.deepEqual(findings, []);
  },
);
