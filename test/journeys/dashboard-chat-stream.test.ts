/** What an answer looks like while it is written: nothing that one reads moves, and its code is coloured. */
import { startRealServer } from "@atelier/testkit/real-server";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { startActingModel } from "./acting-model.ts";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";
import { attachMachine } from "./workspace-world.ts";

const PATIENCE_MS = 90_000;

const CODE = `/** Adds them. */
export function add(a: number, b = 2): string {
  const text = \`\${a + b} things\`;
  return text.length > 0 ? "some" : null; // never
}`;
const ANSWER = `## What I found

It **works**, see \`add\`:

\`\`\`ts
${CODE}
\`\`\`

| a | b |
|---|--:|
| x | 1 |
| y | 2 |

\`\`\`python
def wait(seconds: float) -> None:
    # as long as it takes
    raise ValueError("no")
\`\`\`

1. one
2. two

> And a word of the wise.

${"A sentence that goes on for a while, so that there is something to read. ".repeat(12)}`;

/** Notes all that moves without the person's doing, and what it was. */
async function observeShifts(page: Page): Promise<void> {
  await page.evaluate(`{
    const shifts = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const { hadRecentInput, value, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        shifts.push(value + ": " + sources.map(({ node, previousRect: a, currentRect: b }) =>
          (node?.outerHTML ?? node?.data ?? "gone").slice(0, 160) + " " + [a.x, a.y, a.width, a.height] + " → " + [b.x, b.y, b.width, b.height]).join("; "));
      }
    }).observe({ type: "layout-shift", buffered: false });
  }`);
}

function turn(text: string, thinking: string, command: string, id: string): ScriptedReply {
  const input = JSON.stringify({ command, model_intent: "counting lines" });
  const toolCalls = [{ id, name: "execute", input, isFreeForm: false }];
  return { kind: "turn", turn: { text, thinking, toolCalls }, delayMs: 20 };
}

/** How many parts of code have colours. */
const COLOURED = `[...CSS.highlights].filter(([name]) => name.startsWith("code-"))
  .map(([name, { size }]) => [name.slice(5), size]).filter(([, size]) => size > 0)`;

/** Looks with each frame. (The page's policy lets nothing look that needs `eval`.) */
async function untilTrue(page: Page, expression: string): Promise<void> {
  await page.evaluate(`new Promise((done) => {
    const look = () => (${expression} ? done() : requestAnimationFrame(look));
    look();
  })`);
}

test(
  "while an answer is written nothing moves by itself, and code has colours when it is there",
  { ...WITHOUT_CHROMIUM, timeout: 300_000 },
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using machine = await attachMachine(server);
    await machine.until(server, "connected");
    await using model = await startActingModel();
    await using world = await setUpChats(server, { token: machine.person.session, model });
    const { person } = world;
    const { body: workspace } = await person.call(server, "GET", "/api/v2/users/me/workspace/dev");
    const greets = says(`Hello. ${"Words to scroll over. ".repeat(150)}`);
    model.acts.push({ to: "Good morning", steps: [greets] });
    const chat = await person.create(server, "Good morning", { workspace_id: workspace.id });
    await using browser = await openBrowser(server.url);
    const { page } = browser;
    page.setDefaultTimeout(PATIENCE_MS);
    const findings: string[] = [];
    await signIn(page, machine.person);
    await page.goto(`/chats/${chat.id}`);
    const log = page.getByRole("log", { name: "Conversation" });
    await log.getByText("Words to scroll over.").waitFor();
    await page.getByText("Lands now.").waitFor();

    // Somebody looks on, on a phone.
    const phone = await browser.newPage();
    phone.setDefaultTimeout(PATIENCE_MS);
    await phone.setViewportSize({ width: 390, height: 844 });
    await signIn(phone, machine.person);
    await phone.goto(`/chats/${chat.id}`);
    await phone.getByText("Lands now.").waitFor();
    await observeShifts(phone);

    const lines = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.1; done";
    const rest = Promise.withResolvers<void>();
    model.acts.push({
      to: "Look into it",
      steps: [
        turn("I look first.", "What is asked for? I think. ".repeat(20), lines, "c-1"),
        turn("And once more.", "Hm. ", "echo done; exit 1", "c-2"),
        says(ANSWER, {
          delayMs: 15,
          pause: { afterBytes: 9_000, until: rest.promise },
          thinking: "Now I know it. ".repeat(10),
        }),
      ],
    });
    await page.getByRole("textbox", { name: "Message", exact: true }).fill("Look into it");
    await page.keyboard.press("Enter");
    await log.getByText("Look into it").waitFor();
    await observeShifts(page);
    await page.getByRole("heading", { name: "What I found" }).waitFor();
    // Reading elsewhere, one stays there.
    await log.evaluate((element) => element.scrollBy(0, -600));
    await page.getByRole("button", { name: "Jump to newest" }).waitFor();
    const place = () => log.evaluate((element) => element.scrollTop);
    const before = await place();
    rest.resolve();
    await page.getByText("Lands now.").waitFor();
    assert.equal(await place(), before, "it was not scrolled");
    await page.getByRole("button", { name: "Jump to newest" }).click();
    await log.getByText("And a word of the wise.").waitFor();
    await phone.getByText("And a word of the wise.").waitFor();
    await phone.getByText("Lands now.").waitFor();
    assert.deepEqual(await page.evaluate("shifts"), []);
    assert.deepEqual(await phone.evaluate("shifts"), []);

    await untilTrue(page, `CSS.highlights.get("code-comment")?.size === 3`);
    const coloured = new Map(await page.evaluate<[string, number][]>(COLOURED));
    assert.ok((coloured.get("keyword") ?? 0) >= 5, JSON.stringify([...coloured]));
    assert.ok((coloured.get("string") ?? 0) >= 3, JSON.stringify([...coloured]));
    findings.push(...(await judgePage(page, "chat-code")));
    // What is scrolled away takes its colours along.
    await log.evaluate((element) => element.scrollTo(0, 0));
    await untilTrue(page, `${COLOURED}.length === 0`);
    assert.deepEqual(findings, []);
  },
);
