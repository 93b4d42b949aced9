/** What a person sees and does in a workspace without leaving the browser. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { commitFirst } from "./workspace-git.ts";
import { attachMachine, type Attached } from "./workspace-world.ts";

/** 1 × 1, grey. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

const LINES = Array.from(
  { length: 30 },
  (_, index) => `export const n${index + 1} = ${index + 1};`,
);

/** Rejects for what is no picture. */
async function decode(image: unknown): Promise<void> {
  await (image as { decode(): Promise<void> }).decode();
}

/** A repository with one commit, and files of several kinds around it. */
function fill(home: string): string {
  const app = join(home, "app");
  mkdirSync(join(app, "src"), { recursive: true });
  writeFileSync(join(app, "src", "numbers.ts"), `${LINES.join("\n")}\n`);
  writeFileSync(join(app, "README.md"), "# An app\n");
  writeFileSync(join(home, "dot.png"), Buffer.from(PICTURE, "base64"));
  writeFileSync(join(home, "data.bin"), Buffer.from([0, 1, 2, 3]));
  commitFirst(app);
  return app;
}

/** Two tests of one machine each: together they take longer than one test may on a busy machine. */
async function inWorkspace(
  work: (world: {
    readonly server: RealServer;
    readonly machine: Attached;
    readonly app: string;
    readonly page: Page;
    /** Opens a part of the workspace's page. */
    readonly open: (tab: string) => Promise<void>;
    readonly judge: (name: string) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const app = fill(machine.home);
  await using world = await openBrowser(server.url);
  const { page } = world;
  const findings: string[] = [];
  const judge = async (name: string): Promise<void> => {
    await page.evaluate("scrollTo(0, 0)");
    findings.push(...(await judgePage(page, name)));
  };
  const open = (tab: string) => page.getByRole("link", { name: tab, exact: true }).click();
  await signIn(page, machine.person);
  await page.goto("/ann/dev");
  await work({ server, machine, app, page, open, judge });
  assert.deepEqual(findings, []);
}

test(
  "a change is seen as it is made, written about, and its file looked at",
  WITHOUT_CHROMIUM,
  () =>
    inWorkspace(async ({ app, page, open, judge }) => {
      await open("Changes");
      await page.getByText("nothing changed").waitFor();
      const edited = LINES.with(4, "export const n5 = 55; // five").toSpliced(20, 1);
      writeFileSync(join(app, "src", "numbers.ts"), `${edited.join("\n")}\n`);
      writeFileSync(join(app, "notes.txt"), "remember\n");
      // Nobody reloads: the page hears of it.
      await page.getByText("export const n5 = 55; // five").waitFor();
      await page.getByText("2 files").waitFor();
      await page.getByRole("button", { name: "Comment on line 5", exact: true }).click();
      await page.getByLabel("Comment on line 5 of src/numbers.ts").fill("Why fifty-five?");
      await page.keyboard.press("Control+Enter");
      await page.getByRole("button", { name: "Comment on removed line 21" }).click();
      await page.getByLabel(/^Comment on line 21/).fill("Is it needed nowhere?");
      await page.getByRole("button", { name: "Add to the review" }).click();
      await page.getByRole("button", { name: "2 comments" }).click();
      await judge("workspace-changes");
      await page.getByRole("button", { name: "Side by side" }).click();
      await judge("workspace-changes-split");
      // What was written survives a reload, and leaves as one text.
      await page.reload();
      await page.getByRole("button", { name: "Copy the review" }).click();
      await page.getByText("Copied").waitFor();
      const copied = String(await page.evaluate("navigator.clipboard.readText()"));
      assert.equal(
        copied,
        `Comments on the changes in ${app}:\n\nsrc/numbers.ts, line 5:\n> export const n5 = 55; // five\nWhy fifty-five?\n\nsrc/numbers.ts, line 21 before the change:\n> export const n21 = 21;\nIs it needed nowhere?`,
      );
      await page.getByRole("button", { name: "Discard" }).click();

      await open("Files");
      await page.getByRole("button", { name: "app", exact: true }).click();
      await page.getByRole("button", { name: "src", exact: true }).click();
      await page.getByRole("button", { name: /^numbers\.ts/ }).click();
      await page
        .getByLabel("Text of the file")
        .getByText("export const n5 = 55; // five")
        .waitFor();
      await judge("workspace-files");
      const downloaded = page.waitForEvent("download");
      await page.getByRole("link", { name: "Download" }).click();
      const file = await downloaded;
      assert.equal(file.suggestedFilename(), "numbers.ts");
      assert.equal(readFileSync(await file.path(), "utf8"), `${edited.join("\n")}\n`);
      await page.getByRole("button", { name: /^dot\.png/ }).click();
      await page.getByRole("img", { name: "dot.png" }).evaluate(decode);
      await page.getByRole("button", { name: /^data\.bin/ }).click();
      await page.getByText("This is no text.").waitFor();
    }),
);

test("what runs in a workspace is seen, followed and ended", WITHOUT_CHROMIUM, () =>
  inWorkspace(async ({ server, machine, page, open, judge }) => {
    const script = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done";
    const running = machine.start(server, ["exec", "dev", "--", "sh", "-c", script]);
    running.stdin?.end();
    await open("Processes");
    await page.getByRole("button", { name: /while true.*running/ }).click();
    await page.getByLabel("Output").getByText("tick 3").waitFor();
    await judge("workspace-processes");
    await page.getByRole("button", { name: /^Kill / }).click();
    await page.getByRole("button", { name: "Kill it" }).click();
    await page.getByText("ended by SIGKILL").waitFor();

    await open("Ports");
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    await page.getByText(`atelier port-forward dev ${port}`).waitFor();
    await judge("workspace-ports");
    listener.close();
    await page.getByText(`atelier port-forward dev ${port}`).waitFor({ state: "detached" });

    await open("Usage");
    await page.getByRole("meter", { name: "Memory" }).waitFor();
    await judge("workspace-usage");

    await open("Terminals");
    await page.locator(".xterm-rows").getByText(/[$#]/).first().waitFor();
    await page.getByRole("button", { name: "New terminal" }).click();
    await page.getByRole("button", { name: "End Terminal 2" }).waitFor();
    await page.locator(".xterm-rows").getByText(/[$#]/).first().waitFor();
    await judge("workspace-terminals");
    await page.getByRole("button", { name: "End Terminal 2" }).click();
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByRole("button", { name: "End Terminal 2" }).waitFor({ state: "detached" });

    await open("Connections");
    await page.getByRole("cell", { name: /^The machine/ }).waitFor();
    await judge("workspace-connections");

    await open("Files");
    machine.agent().kill("SIGTERM");
    await page.getByText("The machine is not connected").waitFor();
    await judge("workspace-away");
  }),
);
