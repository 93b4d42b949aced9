/**
 * How a long chat feels: opened, typed into, and searched for its beginning. The
 * figures are the browser's own; limits are several times what a quiet machine needs.
 */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { setUpChats } from "./chat-world.ts";

const MESSAGES = 5_000;
const OPEN_MS_MAX = 10_000;
/** Over that of a field on an empty page, which a busy machine draws late as well. */
const KEY_P95_MS_MAX = 150;
/** Processor time of the page for a key, over that of a field on an empty page. */
const KEY_SCRIPT_MS_MAX = 4;
/** With one selector that looks at all of the page it is more. */
const KEY_LAYOUT_MS_MAX = 0.6;
/** Of all that the page holds, with every message of the chat. */
const HEAP_MB_MAX = 80;
const SHIFT_MAX = 0.01;
/** Frames come as fast as they are made: else most of a key's time is the wait for the screen's next one. */
const UNPACED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"];
const TYPED = "Typing must not wait for five thousand messages.";

/** Prompts, answers with a call, results, answers with text: as a chat of weeks has them. */
async function fill(database: TestDatabase, chatId: string): Promise<void> {
  await database.pool.query(
    `with numbered as (select generate_series(1, ${MESSAGES}) as n)
     insert into chat_messages (chat_id, created_at, role, content, input_tokens, output_tokens, context_limit)
     select $1, now() - interval '1 day' + n * interval '1 second',
       (array['user', 'assistant', 'tool', 'assistant'])[1 + (n - 1) % 4],
       case (n - 1) % 4
         when 0 then jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'Question ' || n || ': why is it so?'))
         when 1 then jsonb_build_array(
           jsonb_build_object('type', 'text', 'text', 'I look into it.'),
           jsonb_build_object('type', 'tool-call', 'tool_call_id', 'c' || n, 'tool_name', 'execute',
             'args', jsonb_build_object('command', 'grep -rn thing' || n || ' src')))
         when 2 then jsonb_build_array(jsonb_build_object('type', 'tool-result', 'tool_call_id', 'c' || (n - 1),
           'tool_name', 'execute', 'result', jsonb_build_object('exit_code', 0, 'output', repeat('a line of output ', 40))))
         else jsonb_build_array(jsonb_build_object('type', 'text', 'text',
           '## Answer ' || n || E'\\n\\nIt is **so** because of \`thing' || n || E'\`:\\n\\n\`\`\`ts\\nconst a = ' || n ||
           E';\\n\`\`\`\\n\\n- one\\n- two\\n\\n' || repeat('And a sentence that explains it. ', 12)))
       end,
       case when (n - 1) % 4 in (1, 3) then 1000 end, case when (n - 1) % 4 in (1, 3) then 100 end,
       case when (n - 1) % 4 in (1, 3) then 200000 end
     from numbered order by n`,
    [chatId],
  );
}

/** Asks the browser to note how long keys take to be drawn, and what moves by itself. */
async function observe(page: Page): Promise<void> {
  await page.evaluate(`{
    const noted = { keysMs: [], shift: 0 };
    Object.assign(globalThis, { noted });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.name === "keydown") noted.keysMs.push(entry.duration);
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: false });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) noted.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: false });
  }`);
}

type Noted = { readonly keysMs: readonly number[]; readonly shift: number };

async function noted(page: Page): Promise<Noted> {
  return page.evaluate<Noted>("noted");
}

/** Until the key's letter is painted: the work of the page, without the wait for a frame of the screen. */
async function typeMeasured(page: Page, text: string): Promise<readonly number[]> {
  const field = page.getByRole("textbox", { name: "Message", exact: true });
  await field.focus();
  await page.evaluate(`{
    const workMs = [];
    Object.assign(globalThis, { workMs });
    let begunMs = 0;
    document.addEventListener("keydown", () => (begunMs = performance.now()), true);
    const onInput = () => {
      // A task behind the event: React has drawn by then.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        document.body.getBoundingClientRect();
        workMs.push(performance.now() - begunMs);
      };
      channel.port2.postMessage(null);
    };
    document.addEventListener("input", onInput, true);
  }`);
  await page.keyboard.type(text, { delay: 30 });
  return page.evaluate<number[]>("workMs");
}

/** What the browser itself takes, with a field on an empty page: what any page adds goes on top of it. */
async function typeOnNothing(page: Page, text: string) {
  const empty = await page.context().newPage();
  await empty.setContent(`<label>Message <textarea rows="4" cols="60"></textarea></label>`);
  await empty.bringToFront();
  const measured = await typeWatched(empty, text);
  await empty.close();
  return measured;
}

/** With what a key took of the main thread: its processor time, whatever else the machine does. */
async function typeWatched(page: Page, text: string) {
  const inside = await page.context().newCDPSession(page);
  await inside.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await workOf(inside);
  const keysMs = await typeMeasured(page, text);
  const after = await workOf(inside);
  return {
    keysMs,
    scriptMsPerKey: (after.scriptMs - before.scriptMs) / keysMs.length,
    layoutMsPerKey: (after.layoutMs - before.layoutMs) / keysMs.length,
  };
}

/** What the browser's main thread has done so far, and what it holds without its garbage. */
async function workOf(browser: CDPSession) {
  await browser.send("HeapProfiler.collectGarbage");
  const { metrics } = await browser.send("Performance.getMetrics");
  const metric = (name: string): number =>
    metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  return {
    heapMb: metric("JSHeapUsedSize") / 1_048_576,
    scriptMs: metric("ScriptDuration") * 1_000,
    layoutMs: (metric("LayoutDuration") + metric("RecalcStyleDuration")) * 1_000,
  };
}

function p50(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;
}

test(
  "a chat of 5,000 messages opens at its end, is typed into at once, and nothing jumps",
  { ...WITHOUT_CHROMIUM, timeout: 400_000 },
  async (t) => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    const model = await startScriptedModel();
    await using world = await setUpChats(server, { token: person.session, model });
    const chat = await world.person.create(server, "Begin");
    await fill(database, chat.id);
    await using browser = await openBrowser(server.url, UNPACED);
    const { page } = browser;
    await signIn(page, person);
    // The page's code is there, as for everybody who was here before.
    const small = await world.person.create(server, "Something small");
    await page.goto(`/chats/${small.id}`);
    await page.getByText("You said: Something small").waitFor();

    const startedMs = performance.now();
    await page.goto(`/chats/${chat.id}`, { waitUntil: "commit" });
    await page.getByRole("heading", { name: `Answer ${MESSAGES}` }).waitFor();
    const openMs = performance.now() - startedMs;
    const log = page.getByRole("log", { name: "Conversation" });
    assert.ok((await log.getByRole("article").count()) < 40, "only what is seen is drawn");

    await observe(page);
    const inside = await page.context().newCDPSession(page);
    await inside.send("Performance.enable", { timeDomain: "threadTicks" });
    const before = await workOf(inside);
    const typed = await typeWatched(page, TYPED);
    const { keysMs } = typed;
    const { keysMs: slowKeysMs } = await noted(page);
    const floor = await typeOnNothing(page, TYPED);
    await page.bringToFront();

    const { shift } = await noted(page);
    const atEnd = await log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);

    await page.getByRole("button", { name: "Messages of this chat" }).click();
    await page.getByRole("searchbox", { name: "Find" }).fill("Question 1:");
    const jumpedMs = performance.now();
    await page.getByRole("button", { name: "Question 1: why is it so?" }).click();
    await log.getByText("Question 1: why is it so?").waitFor();
    const jumpMs = performance.now() - jumpedMs;
    await page.getByRole("button", { name: "Jump to newest" }).click();
    await page.getByRole("heading", { name: `Answer ${MESSAGES}` }).waitFor();
    const { heapMb } = await workOf(inside);

    const rounded = (value: number): number => Math.round(value * 10) / 10;
    t.diagnostic(
      JSON.stringify({
        messages: MESSAGES,
        openMs: rounded(openMs),
        keyP50Ms: rounded(p50(keysMs)),
        keyP95Ms: rounded(p95(keysMs)),
        scriptMsPerKey: rounded(typed.scriptMsPerKey),
        layoutMsPerKey: rounded(typed.layoutMsPerKey),
        emptyPage: {
          keyP50Ms: rounded(p50(floor.keysMs)),
          keyP95Ms: rounded(p95(floor.keysMs)),
          scriptMsPerKey: rounded(floor.scriptMsPerKey),
          layoutMsPerKey: rounded(floor.layoutMsPerKey),
        },
        keysOverAFrame: slowKeysMs.length,
        keys: keysMs.length,
        layoutShift: shift,
        jumpToFirstMs: rounded(jumpMs),
        heapMb: rounded(before.heapMb),
        heapWithAllMb: rounded(heapMb),
      }),
    );
    assert.ok(openMs < OPEN_MS_MAX, `opened in ${openMs} ms`);
    const lateMs = p95(keysMs) - p95(floor.keysMs);
    assert.ok(keysMs.length > 40 && lateMs < KEY_P95_MS_MAX, `p95 ${p95(keysMs)} ms`);
    const scriptMs = typed.scriptMsPerKey - floor.scriptMsPerKey;
    const layoutMs = typed.layoutMsPerKey - floor.layoutMsPerKey;
    assert.ok(scriptMs < KEY_SCRIPT_MS_MAX, `${scriptMs} ms of script for a key`);
    assert.ok(layoutMs < KEY_LAYOUT_MS_MAX, `${layoutMs} ms of style and layout for a key`);
    assert.ok(heapMb < HEAP_MB_MAX, `${heapMb} MB`);
    assert.ok(shift < SHIFT_MAX, `shifted by ${shift}`);
    assert.ok(atEnd < 2, `${atEnd} px from the end`);
  },
);
