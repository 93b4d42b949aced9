/** From no workspace to a terminal on an attached machine, by the dashboard alone. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

const AGENT_MAIN = join(import.meta.dirname, "../../apps/workspace-agent/src/main.ts");

/** Runs the agent with the shown command's token, in a directory of its own. */
function startAgent(url: string, command: string, home: string): AsyncDisposable {
  const [, token = ""] = /ATELIER_AGENT_TOKEN=(\S+)/.exec(command) ?? [];
  const words = ["--url", url, "--state-dir", join(home, ".state"), "--directory", home];
  const child = spawn(process.execPath, [AGENT_MAIN, ...words], {
    env: { ...process.env, HOME: home, SHELL: "/bin/sh", ATELIER_AGENT_TOKEN: token },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** Types into the terminal, as it shows that it is ready to be typed into. */
async function typeLine(page: Page, line: string): Promise<void> {
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}

test(
  "a machine is attached, shows at once, and is used through a terminal",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, person);

    await page.getByRole("link", { name: "Workspaces" }).click();
    await page.getByText("No workspace yet").waitFor();
    await judge("workspaces-empty");
    await page.getByRole("button", { name: "New workspace" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill("laptop");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "laptop" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/ann/laptop");
    await page.getByText("not attached yet").waitFor();
    await page.getByRole("button", { name: "Show the command" }).click();
    await page.getByText("Waiting for the machine to run the command…").waitFor();
    await judge("workspace-attach");
    const command = (await page.getByLabel("the command", { exact: true }).textContent()) ?? "";

    using home = mkdtempDisposableSync(join(tmpdir(), "atelier-browser-machine-"));
    await using _agent = startAgent(server.url, command, home.path);
    await page.getByText("The machine is connected.").waitFor();
    await page.getByText("connected", { exact: true }).first().waitFor();
    await judge("workspace-connected");

    await page.getByRole("link", { name: "Open a terminal" }).click();
    // What is typed before the shell asks for it may be thrown away by the shell itself.
    await page.locator(".xterm-rows").getByText(/[$#]/).first().waitFor();
    await typeLine(page, "echo $((6 * 7)) is there");
    await page.getByText("42 is there").first().waitFor();
    await judge("terminal");
    // A reload finds the same terminal, with what it shows.
    await page.reload();
    await page.getByText("42 is there").first().waitFor();
    await typeLine(page, "exit");
    await page.getByText("the program ended").waitFor();

    await page.getByRole("link", { name: "Workspace", exact: true }).click();
    await page.getByRole("link", { name: "Connections", exact: true }).click();
    await page
      .getByRole("cell", { name: /^Terminal/ })
      .first()
      .waitFor();
    await judge("workspace-history");
    await page.goto("/workspaces?status=disconnected");
    await page.getByText("No workspace fits").waitFor();
    await page.goto("/workspaces");
    await page.getByRole("cell", { name: "connected" }).waitFor();
    await judge("workspaces");

    await page.getByRole("link", { name: "laptop" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("No workspace yet").waitFor();
    assert.deepEqual(findings, []);
  },
);
