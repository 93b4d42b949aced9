/** A key that its provider refuses: the session's page shows each attempt, and why each key was taken. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { json, throttles, type ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { output, ROOT } from "./canary-world.ts";

const FIRST_KEY = "sk-ant-made-up-first-0123456789abcd";
const SECOND_KEY = "sk-ant-made-up-second-0123456789ef12";
const SESSION = "5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10";

/** Gateway workers share what they know of keys; in a spool, records wait on the disk. */
const ARGS = ["--gateway-workers", "2", "--ai-gateway-recording", "spool"];

test(
  "a session's page shows which keys its requests tried, and why",
  WITHOUT_CHROMIUM,
  async () => {
    const replies = new Map<string, ScriptedReply>();
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url, args: ARGS });
    await using model = await startScriptedModel({
      script: (request) => replies.get(request.header("x-api-key") ?? "") ?? null,
    });
    const person = await setUpFirstUser(server);
    const { session: token } = person;
    const provider = { type: "anthropic", name: "anthropic", base_url: model.url };
    const body = { ...provider, api_keys: [FIRST_KEY] };
    assert.equal((await server.api("POST", "/api/v2/ai/providers", { token, body })).status, 201);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);
    await page.goto("/ai/settings/providers/anthropic");
    await page.getByRole("button", { name: "Add a key" }).click();
    const adding = page.getByRole("dialog", { name: "Add a key" });
    await adding.getByLabel("API key").fill(SECOND_KEY);
    await adding.getByRole("button", { name: "Add it" }).click();
    await adding.waitFor({ state: "detached" });

    const ask = async (text: string): Promise<number> => {
      const answer = await fetch(`${server.url}/api/v2/ai-gateway/anthropic/v1/messages`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${person.token}`,
          "anthropic-version": "2023-06-01",
          "user-agent": "claude-cli/2.1.0 (external, cli)",
          "x-claude-code-session-id": SESSION,
        },
        body: JSON.stringify({
          model: "claude-haiku-4-5",
          max_tokens: 64,
          messages: [{ role: "user", content: text }],
        }),
      });
      await answer.text();
      return answer.status;
    };
    assert.equal(await ask("All is well"), 200);
    replies.set(FIRST_KEY, throttles(3_600));
    assert.equal(await ask("The first key is throttled"), 200);
    assert.equal(await ask("The first key is still paused"), 200);
    const problem = { type: "error", error: { type: "authentication_error", message: "bad key" } };
    replies.set(SECOND_KEY, json(401, problem));
    assert.equal(await ask("No key is left"), 429);

    await page.goto(`/logs/ai-sessions/${SESSION}`);
    const articles = page.getByRole("article");
    await page.getByText("The first key is throttled").waitFor();
    await page.getByText("no key was left").waitFor();
    assert.match(
      (await articles.filter({ hasText: "All is well" }).textContent()) ?? "",
      /sk-a\.\.\.abcd, first in order/,
    );
    const linesOf = (prompt: string) =>
      articles
        .filter({ hasText: prompt })
        .getByRole("list", { name: "Attempts" })
        .getByRole("listitem")
        .allTextContents();
    const throttled = await linesOf("The first key is throttled");
    assert.equal(throttled.length, 2, throttled.join("\n"));
    assert.match(
      throttled[0]!,
      /^sk-a\.\.\.abcd refused with 429 after [\d.]+ m?s · paused until .*\d\d:\d\d.*why this key: first in order$/,
    );
    assert.match(
      throttled[1]!,
      /^sk-a\.\.\.ef12 answered in [\d.]+ m?swhy this key: next in order$/,
    );
    const [paused = "", ...more] = await linesOf("The first key is still paused");
    assert.match(
      paused,
      /^sk-a\.\.\.ef12 answered in .*why this key: the first one free: sk-a\.\.\.abcd paused until /,
    );
    assert.deepEqual(more, []);
    assert.deepEqual(await judgePage(page, "session-attempts"), []);

    const shown = await output(
      [join(ROOT, "apps/cli/src/main.ts"), "ai", "sessions", "show", SESSION],
      {
        ATELIER_URL: server.url,
        ATELIER_TOKEN: person.token,
        ATELIER_CONFIG_DIR: join(ROOT, "dist/no-config"),
      },
    );
    assert.match(
      shown.text,
      /key sk-a\.\.\.abcd \(first in order\): refused with 429 after .*; paused until 20\S+Z/,
    );
    assert.match(shown.text, /key sk-a\.\.\.ef12 \(next in order\): answered in /);
    assert.doesNotMatch(shown.text, /made-up/);
  },
);
