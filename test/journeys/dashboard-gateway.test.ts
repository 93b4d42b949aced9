/** From an empty deployment to the first session of the gateway, by the dashboard alone. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { calls } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

test(
  "an owner adds a provider, connects a client, and sees its first session",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using model = await startScriptedModel({ apiKey: "made-up-test-key" });
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };

    // Everything is empty, and says what it would be.
    await page.goto("/logs/ai-sessions");
    await page.getByText("Nothing went through the gateway yet").waitFor();
    await judge("sessions-empty");
    await page.goto("/ai/connect");
    await page.getByText("Nothing to connect to yet").waitFor();
    await judge("connect-empty");
    await page.goto("/ai/settings/providers");
    await page.getByText("No model provider yet").waitFor();
    await judge("providers-empty");

    // A provider with a wrong key, which its test finds.
    await page.getByRole("main").getByRole("link", { name: "Add a provider" }).first().click();
    await page.getByRole("heading", { name: "Add a model provider" }).waitFor();
    assert.equal(await page.getByLabel("Base URL").inputValue(), "https://api.anthropic.com");
    await page.getByLabel("Type").selectOption("bedrock");
    await page.getByLabel("AWS region").waitFor();
    await judge("provider-new-bedrock");
    await page.getByLabel("Type").selectOption("anthropic");
    await page.getByLabel("Name", { exact: true }).fill("Not A Name");
    await page.getByLabel("Base URL").fill(model.url);
    await page.getByRole("textbox", { name: /^API key/ }).fill("another-test-key");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText("Lower-case letters and digits").first().waitFor();
    await judge("provider-new-refused");
    await page.getByLabel("Name", { exact: true }).fill("anthropic");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByRole("heading", { name: "anthropic" }).waitFor();
    await page.getByRole("button", { name: "Test it" }).click();
    const report = page.getByRole("dialog", { name: "Test of anthropic" });
    await report.getByText("Something keeps it from serving.").waitFor();
    await judge("provider-test");
    await page.keyboard.press("Escape");

    // Another key stands in for it.
    await page.getByRole("button", { name: "Add a key" }).click();
    const adding = page.getByRole("dialog", { name: "Add a key" });
    await adding.getByLabel("API key").fill("made-up-test-key");
    await adding.getByRole("button", { name: "Add it" }).click();
    await adding.waitFor({ state: "detached" });

    // A client is told of the gateway by what the page shows.
    await page.goto("/ai/connect?client=curl");
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByText("Made, and filled in below.").waitFor();
    await judge("connect");
    const recipe =
      (await page.getByLabel("curl: In a terminal", { exact: true }).textContent()) ?? "";
    const url = /curl (\S+)/.exec(recipe)?.[1] ?? "";
    const token = /Bearer ([^']+)'/.exec(recipe)?.[1] ?? "";
    const body = /--json '(.+)'/.exec(recipe)?.[1] ?? "";
    const ask = (text: string) =>
      fetch(url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "anthropic-version": "2023-06-01",
          "content-type": "application/json",
        },
        body: body.replace("Hello", text),
      });
    model.enqueue(calls("read_file", { path: "/etc/hostname" }, "call-1"));
    assert.equal((await ask("Read the name of this machine")).status, 200);

    // The refused key shows, and is tried again by hand.
    await page.goto("/ai/settings/providers/anthropic");
    await page.getByText("partly working").waitFor();
    await judge("provider-partly");
    await page.getByRole("button", { name: "Try it again" }).click();
    await page.getByText("It is tried again with the next request.").waitFor();
    await page.getByText("in service", { exact: true }).waitFor();

    // Keys change places, and agents get another key, while the page is open.
    const keys = page.getByRole("region", { name: "Keys", exact: true }).locator("code");
    const standIn = (await keys.last().textContent()) ?? "";
    const earlier = page.getByRole("button", { name: /^Earlier: / });
    await earlier.click();
    await keys.first().filter({ hasText: standIn }).waitFor();
    await page.getByLabel("Whose keys serve agents").selectOption("own_required");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await judge("provider-keys-moved");
    await earlier.click();
    await keys.last().filter({ hasText: standIn }).waitFor();

    // What is typed stays while the provider changes beside it.
    await page.getByLabel("Display name").fill("Claude");
    await page.getByRole("button", { name: "Take out" }).first().click();
    await page.getByText("out of service", { exact: true }).waitFor();
    assert.equal(await page.getByLabel("Display name").inputValue(), "Claude");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Claude" }).waitFor();
    await page.getByText("out of service", { exact: true }).waitFor();

    // The session is there without a reload, and can be found.
    await page.goto("/logs/ai-sessions");
    await page.getByRole("link", { name: "Read the name of this machine" }).waitFor();
    await judge("sessions");
    await page.getByLabel("Model").selectOption("claude-haiku-4-5");
    await page.waitForURL(/model=claude-haiku-4-5/);
    await page.getByLabel("Person").fill("nobody");
    await page.getByText("No session fits").waitFor();
    await judge("sessions-none-fits");
    await page.getByRole("main").getByRole("link", { name: "Show all" }).click();
    await page.getByRole("link", { name: "Read the name of this machine" }).click();
    await page.getByText("read_file").click();
    await page.getByText("/etc/hostname").last().waitFor();
    await judge("session");

    await page.goto("/settings/provider-keys");
    await page.getByRole("button", { name: "Bring your own" }).click();
    const own = page.getByRole("dialog", { name: "Your key for anthropic" });
    await own.getByLabel("API key").fill("made-up-own-test-key");
    await own.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Forget" }).waitFor();
    await judge("own-keys");

    await page.goto("/ai/settings/providers");
    await page.getByText("in service", { exact: true }).waitFor();
    await judge("providers");
    await page.goto("/");
    await page
      .getByRole("listitem")
      .filter({ hasText: "Connect a client" })
      .getByText("done")
      .waitFor();
    await judge("home");
    assert.deepEqual(findings, []);
  },
);

test(
  "a member sees what is theirs, and nothing of the company's keys",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    const member = { email: "bob@example.com", username: "bob", password: "other-horse-battery-8" };
    const made = await server.api("POST", "/api/v2/users", { token: owner.session, body: member });
    assert.equal(made.status, 201);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, member);
    assert.equal(await page.getByRole("link", { name: "Model providers" }).count(), 0);
    await page.goto("/ai/connect");
    await page.getByText("Ask an owner of this deployment to add one.").waitFor();
    await page.goto("/ai/settings/providers");
    await page.getByText("No such resource, or you may not see it.").waitFor();
    assert.deepEqual(await judgePage(page, "member-refused"), []);
  },
);
