/** Recorded model calls in the dashboard: allowed, chosen, looked at step by step, and taken home. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { recordedTurn, type FullRun } from "./chat-debug-world.ts";
import { setUpChats } from "./chat-world.ts";

test(
  "an administrator allows recording, a person chooses it, and reads what a chat sent and was answered",
  { ...WITHOUT_CHROMIUM, timeout: 300_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const owner = await setUpFirstUser(server);
    await using model = await startActingModel();
    model.acts.push({
      to: "Which workspaces",
      steps: [
        calls("list_workspaces", {}, "call_1"),
        { kind: "problem", status: 529, message: "overloaded" },
        says("You have none yet. Make one in the dashboard under **Workspaces**."),
      ],
    });
    await using world = await setUpChats(server, { token: owner.session, model });
    const { person } = world;
    const before = await person.create(server, "Hello before anything is recorded");
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, owner);

    // Nobody allowed it yet: people are told so, and chats have no Debug.
    await page.goto("/settings/agents");
    const mine = page.getByRole("region", { name: "Recorded model calls" });
    await mine.getByText("Not available: an administrator has to allow it.").waitFor();
    await page.goto(`/chats/${before.id}`);
    await page.getByRole("button", { name: "Open the workspace" }).click();
    const panel = page.getByRole("complementary", { name: "Workspace" });
    await panel.getByText("No workspace yet").waitFor();
    assert.equal(await panel.getByRole("tab", { name: "Debug" }).count(), 0);

    await page.goto("/ai/settings/agents");
    const all = page.getByRole("region", { name: "Recorded model calls" });
    await all.getByLabel("People may have their model calls recorded").check();
    await all.getByLabel("Days that recorded calls are kept").fill("7");
    await all.getByRole("button", { name: "Save" }).click();
    await page.getByText("What is recorded of chats is saved.").waitFor();
    await judge("agent-settings-recording");
    await page.goto("/settings/agents");
    await mine.getByLabel("Record the model calls of my chats").check();
    await mine.getByRole("button", { name: "Save" }).click();
    await page.getByText("It counts from the next step of your agents on.").waitFor();
    await judge("settings-agents-recording");

    const chat = await person.create(server, "Which workspaces do I have?");
    const run = await recordedTurn(server, person, chat.id);
    await page.goto(`/chats/${chat.id}`);
    await panel.getByRole("tab", { name: "Debug", exact: true }).click();
    const turn = panel.getByRole("button", { name: /^Which workspaces do I have\?/ });
    await turn.getByText("answered").waitFor();
    await turn.getByText("3 tries").waitFor();
    await judge("chat-debug-runs");
    await turn.click();
    await panel.getByRole("button", { name: /^Step 1/ }).waitFor();
    await judge("chat-debug-run");
    await panel.getByRole("button", { name: /^Step 2/ }).click();
    const answer = panel.getByRole("region", { name: "Answer" });
    await answer.getByText("You have none yet.").waitFor();
    const request = panel.getByRole("region", { name: "Request" });
    await request.getByRole("button", { name: /^system You are/ }).waitFor();
    await request.getByRole("button", { name: /^user Which workspaces/ }).click();
    await judge("chat-debug-step");
    await request.getByRole("button", { name: "Copy the request" }).click();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    assert.match(copied, /Which workspaces do I have\?/);
    const http = panel.getByRole("region", { name: "Over HTTP" });
    await http.getByRole("button", { name: /^Try 1.*529/ }).click();
    await http.getByRole("button", { name: /^Try 2.*200/ }).click();
    await http
      .getByText(/^Headers sent/)
      .last()
      .click();
    await http.getByText("[redacted]").first().waitFor();
    await http
      .getByText(/^Headers sent/)
      .last()
      .scrollIntoViewIfNeeded();
    await judge("chat-debug-attempts");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      panel.getByRole("link", { name: "Download as JSON" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `chat-run-${run.id}.json`);
    const file = JSON.parse(readFileSync(await download.path(), "utf8")) as FullRun;
    assert.deepEqual(file.steps, run.steps);
    await panel.getByRole("button", { name: "All runs" }).click();
    await turn.waitFor();

    // By keyboard, and what was open before stays chosen.
    await panel.getByRole("tab", { name: "Debug", exact: true }).press("ArrowLeft");
    await panel.getByText("No workspace yet").waitFor();
    await page.keyboard.press("ArrowRight");
    await page.reload();
    await turn.waitFor();
    assert.deepEqual(findings, []);
  },
);
