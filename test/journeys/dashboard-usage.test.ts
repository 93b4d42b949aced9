/** What models cost, in the dashboard: by day and by whom, as a file, and priced where no price was known. */
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

const BOB = { email: "bob@example.com", username: "bob", password: "other-horse-battery-8" };

/** Requests of several people, models and clients, each with a session of its own. */
const ASKED = [
  { who: "ann", provider: "anthropic", model: "claude-opus-4-6", client: "claude-cli/2.1" },
  { who: "ann", provider: "anthropic", model: "claude-haiku-4-5", client: "claude-cli/2.1" },
  { who: "bob", provider: "anthropic", model: "claude-sonnet-4-5", client: "opencode/1.0" },
  { who: "bob", provider: "openai", model: "gpt-5.2", client: "codex_cli_rs/0.60" },
  { who: "ann", provider: "openai", model: "gpt-5-mini", client: "codex_cli_rs/0.60" },
  { who: "bob", provider: "local", model: "our-own-model", client: "Zed/1.0" },
] as const;

async function ask(
  server: RealServer,
  token: string,
  { provider, model, client }: (typeof ASKED)[number],
): Promise<void> {
  const isAnthropic = provider === "anthropic";
  const path = isAnthropic ? "v1/messages" : "v1/chat/completions";
  const answer = await fetch(`${server.url}/api/v2/ai-gateway/${provider}/${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
      "user-agent": client,
    },
    body: JSON.stringify({
      model,
      max_tokens: 64,
      messages: [{ role: "user", content: `What can you tell me about ${model}, in ten words?` }],
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** As if the same had been asked on other days as well, more on some and less on others. */
const OTHER_DAYS = `
  insert into ai_usage_totals
  select quarter - day * interval '1 day', initiator_id, provider, provider_name, model, client,
    credential_kind, requests * f, errors, input_tokens * f * 40, output_tokens * f * 40,
    input_tokens * f * 300, cache_write_input_tokens, cost_micros * f * 40, priced_requests * f,
    unpriced_requests * f
  from ai_usage_totals, generate_series(1, 29) as day,
    lateral (select 20 + abs(hashtext(model || day)) % 400 as f)`;

/** Providers, a second person, and a request of each kind. */
async function fill(server: RealServer, model: ScriptedModel, token: string): Promise<void> {
  const call = async (path: string, body: unknown): Promise<Answer> => {
    const answer = await server.api("POST", path, { token, body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer;
  };
  for (const [name, type] of [
    ["anthropic", "anthropic"],
    ["openai", "openai"],
    ["local", "openai-compat"],
  ] as const) {
    const url = type === "anthropic" ? model.url : `${model.url}/v1`;
    const provider = { name, type, api_keys: ["sk-scripted"], base_url: url };
    await call("/api/v2/ai/providers", provider);
  }
  await call("/api/v2/users", BOB);
  const { email, password } = BOB;
  const bob = await call("/api/v2/users/login", { email, password });
  const tokens = { ann: token, bob: String(bob.body.session_token) };
  for (const asked of ASKED) await ask(server, tokens[asked.who], asked);
  await untilPriced(server, token);
}

/** Prices of models come a moment after their first request. */
async function untilPriced(server: RealServer, token: string): Promise<void> {
  const unpriced = ASKED.filter((asked) => asked.model === "our-own-model").length;
  const deadline = AbortSignal.timeout(60_000);
  for (;;) {
    const { body } = await server.api("GET", "/api/v2/ai-gateway/usage", { token });
    const { requests, unpriced_requests: left } = body.total;
    if (requests === ASKED.length && left === unpriced) return;
    assert(!deadline.aborted, `${requests} requests, ${left} without a price`);
    await pause(100);
  }
}

type Answer = Awaited<ReturnType<RealServer["api"]>>;

test(
  "an owner sees what models cost, by day and by whom, and takes it along as a file",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using model = await startScriptedModel();
    const owner = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, owner);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      await page.evaluate("scrollTo(0, 0)");
      findings.push(...(await judgePage(page, name)));
    };
    await page.goto("/ai/usage");
    await page.getByText("No model was used yet").waitFor();
    await judge("usage-empty");

    await fill(server, model, owner.session);

    // The page shows it without a reload, once it is recorded.
    await page.goto("/logs/ai-sessions");
    await page.getByRole("link", { name: /our-own-model/ }).waitFor();
    await page.getByRole("cell", { name: "no price" }).waitFor();
    await judge("sessions-cost");
    await page.getByRole("link", { name: /claude-opus-4-6/ }).click();
    await page.getByText("Cost", { exact: true }).waitFor();
    await judge("session-cost");
    await database.pool.query(OTHER_DAYS);

    await page.goto("/ai/usage");
    await page.getByRole("link", { name: "claude-opus-4-6" }).waitFor();
    await page.getByText(/The cost is without \d+ requests/).waitFor();
    await judge("usage");
    const chart = page.getByRole("slider", { name: "Cost by day" });
    const today = await chart.getAttribute("aria-valuetext");
    await chart.press("ArrowLeft");
    const before = await chart.getAttribute("aria-valuetext");
    assert.notEqual(before, today);
    assert.match(before ?? "", /: \$[\d.,]+, claude-opus-4-6 \$/);
    await page.getByText("The same as a table").click();
    await page.getByRole("region", { name: "By day", exact: true }).waitFor();
    await judge("usage-table");

    // Other questions, each of which stands in the address.
    await page.getByLabel("By", { exact: true }).selectOption("user");
    await page.getByRole("heading", { name: "By person" }).waitFor();
    await page.getByLabel("Show").selectOption("tokens");
    await page.getByRole("slider", { name: "Tokens by day" }).waitFor();
    await page.getByRole("link", { name: "bob" }).click();
    await page.getByRole("button", { name: "Take away Person: bob" }).waitFor();
    await page.getByRole("link", { name: "ann", exact: true }).waitFor({ state: "detached" });
    assert.match(page.url(), /by=user&measure=tokens&initiator=bob/);
    await judge("usage-person");
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download as CSV" }).click();
    const file = await (await downloading).path();
    const lines = readFileSync(file, "utf8").trim().split(/\r?\n/);
    assert.equal(lines.length, 31, "a head and 30 days");
    assert.ok(lines.slice(1).every((line) => line.includes("bob")));
    await page.getByLabel("With keys").selectOption("byok");
    await page.getByText("Nothing was used in these days").waitFor();

    assert.deepEqual(findings, []);
  },
);

test(
  "a model without a price is given one, and a member sees only what is theirs",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using model = await startScriptedModel();
    const owner = await setUpFirstUser(server);
    await fill(server, model, owner.session);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, owner);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      await page.evaluate("scrollTo(0, 0)");
      findings.push(...(await judgePage(page, name)));
    };

    // What has no price gets one, also for what was asked before.
    await page.goto("/ai/usage");
    await page.getByRole("link", { name: "Give their models a price" }).click();
    await page.getByRole("cell", { name: "our-own-model openai-compat" }).waitFor();
    assert.equal(await page.getByRole("cell", { name: /claude/ }).count(), 0);
    await page.getByRole("button", { name: "Change the price of our-own-model" }).click();
    await page.getByRole("menuitem", { name: "Set a price…" }).click();
    const setting = page.getByRole("dialog", { name: "our-own-model" });
    await setting.getByLabel("Input").fill("$3");
    await setting.getByLabel("Output").fill("0.5");
    await setting.getByRole("button", { name: "Set it" }).click();
    await setting.getByText("Dollars, as 3 or 0.25.").waitFor();
    await judge("price-refused");
    await setting.getByLabel("Input").fill("3");
    await setting.getByRole("button", { name: "Set it" }).click();
    await page.getByText("No model fits").waitFor();
    await page.getByLabel("Show").selectOption("");
    await page.getByRole("cell", { name: "our-own-model openai-compat" }).waitFor();
    await judge("prices");
    await page.getByRole("button", { name: "Price what had none…" }).click();
    await page.getByRole("button", { name: "Price it" }).click();
    await page.getByText("1 requests have a cost that had none.").waitFor();
    await page.getByRole("button", { name: "Change the price of our-own-model" }).click();
    await page.getByRole("menuitem", { name: "Go by the list again" }).click();
    await page.getByText("The list’s price counts from now on.").waitFor();

    // A member sees what is theirs.
    const bobs = await world.newPage();
    await signIn(bobs, BOB);
    await bobs.getByRole("link", { name: "Usage and cost" }).click();
    await bobs.getByRole("link", { name: "gpt-5.2" }).waitFor();
    assert.equal(await bobs.getByRole("link", { name: "claude-opus-4-6" }).count(), 0);
    assert.equal(await bobs.getByRole("option", { name: "Person" }).count(), 0);
    assert.deepEqual(findings, []);
  },
);
