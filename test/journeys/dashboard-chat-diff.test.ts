/** What chats change in their workspace, and what they do at the moment, in the inbox and above a chat. */
import { startRealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { commitFirst, git } from "./workspace-git.ts";
import { attachMachine } from "./workspace-world.ts";

/** Lasts until the test lets it go on. */
const UNTIL_GO = "until [ -e ~/go ]; do sleep 0.05; done";
const NUMBERS = Array.from({ length: 40 }, (_, index) => `${index}\n`).join("");

test(
  "the inbox follows what an agent does and changes, without anybody reloading",
  { ...WITHOUT_CHROMIUM, timeout: 300_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using machine = await attachMachine(server);
    await machine.until(server, "connected");
    const app = join(machine.home, "app");
    mkdirSync(app);
    writeFileSync(join(app, "list.txt"), "one\ntwo\nthree\n");
    commitFirst(app);
    git(app, "checkout", "-q", "-b", "feature/count-further");
    await using model = await startActingModel();
    model.acts.push(
      {
        to: "Count further",
        steps: [
          calls("write_file", { path: "~/app/numbers.txt", content: NUMBERS }, "call_1"),
          calls("execute", { command: UNTIL_GO, timeout: "4m" }, "call_2"),
          calls("execute", { command: "cd ~/app && sed -i 2d list.txt && echo ok" }, "call_3"),
          says("It counts further now."),
        ],
      },
      { to: "Only look", steps: [says("All is well.")] },
    );
    await using world = await setUpChats(server, { token: machine.person.session, model });
    const { person } = world;
    const { body: workspace } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, machine.person);
    await page.goto("/chats");
    await page.getByText("No agents yet").waitFor();
    // The lists are asked for once, and seldom again; what happens between, the server tells.
    let asked = 0;
    const fromMs = performance.now();
    page.on("request", (request) => {
      if (request.url().includes("section%3Aworking")) asked += 1;
    });

    const section = (name: string) => page.getByRole("region", { name });
    const { id } = await person.create(server, "Count further, please", {
      workspace_id: workspace.id,
    });
    const working = section("Working");
    await working.getByText(UNTIL_GO).waitFor();
    await working.getByText("40 lines added, 0 removed in 1 file").waitFor({ state: "attached" });
    await working.getByText("Branch feature/count-further").waitFor({ state: "attached" });
    await person.create(server, "Only look around", {});
    await section("Done, not seen yet").getByText("All is well.").waitFor();
    await judge("chats-changes");
    const halfMinutes = (performance.now() - fromMs) / 30_000;
    assert.ok(asked <= 1 + halfMinutes, `the lists were asked for ${asked} times`);

    await page.goto(`/chats/${id}`);
    const changes = page.getByRole("button", { name: "40 lines added, 0 removed in 1 file" });
    await changes.waitFor();
    await judge("chat-header-changes");
    await page.goto("/chats");
    writeFileSync(join(machine.home, "go"), "");
    // Where it stands then depends on whether its page was still open.
    await page.getByText("40 lines added, 1 removed in 2 files").waitFor({ state: "attached" });
    await page.getByText("It counts further now.").waitFor();
    await untilSo(async () => (await working.count()) === 0, "nothing works any more");
    assert.deepEqual(findings, []);
  },
);
