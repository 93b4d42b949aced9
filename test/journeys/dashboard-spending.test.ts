/** What agents may cost, in a real browser: an owner limits it, somebody reaches it, and loses no word. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

const PRICE = { provider: "anthropic", model: "claude-scripted", input: 3e6, output: 15e6 };
const BOB = { email: "bob@example.com", username: "bob", password: "other-horse-battery-8" };
const WRITTEN = "Make the tests of the parser pass, and tell me why they failed.";
const ROUND = { ...WITHOUT_CHROMIUM, timeout: 240_000 };

test(
  "an owner limits what agents cost, and who reaches it keeps what they wrote",
  ROUND,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    await using world = await setUpChats(server, { token: owner.session });
    const { person } = world;
    const priced = await person.call(server, "PUT", "/api/v2/ai-gateway/prices", PRICE);
    assert.equal(priced.status, 200, JSON.stringify(priced.body));
    await person.call(server, "POST", "/api/v2/users", BOB);
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    page.setDefaultTimeout(60_000);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      await page.evaluate("scrollTo(0, 0)");
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, owner);

    await page.goto("/ai/settings/agents");
    const panel = page.getByRole("region", { name: "Spending", exact: true });
    await panel.getByText("Nobody: everybody’s counts for all.").waitFor();
    await panel.getByLabel("What people spend is limited").check();
    await panel.getByRole("button", { name: "Save" }).click();
    await panel.getByText("Dollars, as 50 or 2.5.").waitFor();
    await panel.getByLabel("Dollars for each person").fill("0.000001");
    await panel.getByRole("button", { name: "Save" }).click();
    await page.getByText("The limits hold from the next message on.").waitFor();
    await panel.getByRole("button", { name: "Set one" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Username").fill("nobody");
    await dialog.getByLabel("Dollars").fill("20");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Nobody is called so.").waitFor();
    await judge("spending-person");
    await dialog.getByLabel("Username").fill("bob");
    await dialog.getByRole("button", { name: "Save" }).click();
    await panel.getByRole("cell", { name: "$20", exact: true }).waitFor();
    await judge("spending-limits");

    // The first is taken, and costs more than there is.
    const chat = await person.create(server, "Hello there");
    const status = async () =>
      (await person.call(server, "GET", "/api/v2/chats/usage-limits/status")).body;
    for (const late = AbortSignal.timeout(60_000); (await status()).spent_micros === 0;) {
      assert(!late.aborted, "what was asked is recorded");
    }
    await page.goto(`/chats/${chat.id}`);
    const composer = page.getByRole("textbox", { name: "Message", exact: true });
    await composer.fill(WRITTEN);
    await composer.press("Enter");
    const unsent = page.getByRole("region", { name: "Not sent" });
    await unsent.getByText(/messages are taken again/).waitFor();
    await unsent.getByText(WRITTEN).waitFor();
    await judge("spending-refused");
    await page.getByTitle("Context and cost").click();
    await page.getByText(/ of \$0\.000001 this month/).waitFor();
    await page.keyboard.press("Escape");

    await page.goto("/chats");
    await page.getByText(/They take no messages until/).waitFor();
    await judge("spending-notice");

    // A new chat keeps it, too.
    await page.goto("/chats/new");
    await page.getByText(/They take no messages until/).waitFor();
    await page.getByLabel("What is to be done?").fill("Another thing");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText(/messages are taken again/).waitFor();
    await judge("spending-refused-new");
    await page.reload();
    assert.equal(await page.getByLabel("What is to be done?").inputValue(), "Another thing");

    await page.goto("/settings/agents");
    const own = page.getByRole("region", { name: "Spending", exact: true });
    await own.getByText(/It is spent: agents take no messages until/).waitFor();
    await own.getByRole("table").waitFor();
    await judge("spending-own");

    // Lifted, and sent from where it was kept.
    await page.goto("/ai/settings/agents");
    await panel.getByRole("button", { name: "Set one" }).click();
    await dialog.getByLabel("Username").fill("ann");
    await dialog.getByLabel("Dollars").fill("100");
    await dialog.getByRole("button", { name: "Save" }).click();
    await panel.getByRole("cell", { name: "$100", exact: true }).waitFor();
    await page.goto(`/chats/${chat.id}`);
    await unsent.getByRole("button", { name: "Try again" }).click();
    await page
      .getByRole("log", { name: "Conversation" })
      .getByText(`You said: ${WRITTEN}`)
      .waitFor();
    await unsent.waitFor({ state: "detached" });
    const listed = await person.call(server, "GET", `/api/v2/chats/${chat.id}/messages`);
    const texts = JSON.stringify(listed.body.messages).split(`"${WRITTEN}"`).length - 1;
    assert.equal(texts, 1, "once");
    await page.goto("/ai/settings/agents");
    await panel.getByRole("button", { name: "Change the limit of bob" }).click();
    await dialog.getByRole("button", { name: "Everybody’s counts again" }).click();
    await panel.getByRole("cell", { name: "$20", exact: true }).waitFor({ state: "detached" });
    assert.deepEqual(findings, []);
  },
);
