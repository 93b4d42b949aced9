/** Agents administered in the dashboard: models, what serves which work, tool servers, and what agents are told. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

const BOB = { email: "bob@example.com", username: "bob", password: "other-horse-battery-8" };

test(
  "an owner adds models, chooses what serves which work, and a member chooses for their own",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using model = await startScriptedModel();
    const person = await setUpFirstUser(server);
    const call = (method: string, path: string, body: unknown) =>
      server.api(method, path, { token: person.session, body });
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      // What lies below the head of a phone's page cannot be judged.
      await page.evaluate("scrollTo(0, 0)");
      findings.push(...(await judgePage(page, name)));
    };

    await page.goto("/ai/settings/models");
    await page.getByText("No model yet").waitFor();
    await judge("models-empty");
    for (const provider of [
      { name: "anthropic", type: "anthropic", api_keys: ["sk-scripted"] },
      { name: "backup", type: "openai", api_keys: [] },
      { name: "copilot", type: "copilot" },
    ]) {
      const added = await call("POST", "/api/v2/ai/providers", {
        ...provider,
        base_url: model.url,
      });
      assert.equal(added.status, 201, JSON.stringify(added.body));
    }

    // A model with a mistake, which is told at its field, also in a section that was closed.
    await page.goto("/ai/settings/models");
    await page.getByRole("main").getByRole("link", { name: "Add a model" }).first().click();
    await page.getByRole("textbox", { name: "Model", exact: true }).fill("claude-opus-4-6");
    await page.getByLabel("Display name").fill("Opus");
    await page.getByLabel("Context, in tokens").fill("200k");
    await page.getByText("Limits and sampling").click();
    await page.getByLabel("Temperature").fill("3");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText("Write a number, as 4096 or 0.7.").waitFor();
    await page.getByLabel("Context, in tokens").fill("200000");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText("Some fields need correcting.").waitFor();
    assert.equal(await page.getByLabel("Temperature").getAttribute("aria-invalid"), "true");
    await judge("model-refused");
    await page.getByLabel("Temperature").fill("");
    await page.getByLabel("Usual effort").selectOption("medium");
    await page.getByLabel("Highest effort").selectOption("max");
    await page.getByText("What only Anthropic knows").click();
    await page.getByLabel("Web search", { exact: true }).selectOption("true");
    await page.getByLabel("Web search only at").fill("docs.example.com, example.org");
    await judge("model-new");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByRole("link", { name: "Opus" }).waitFor();

    // Others, one of which nobody has a key for.
    for (const [name, provider] of [
      ["claude-haiku-4-5", "anthropic"],
      ["gpt-5.2", "backup"],
    ] as const) {
      await page.getByRole("main").getByRole("link", { name: "Add a model" }).first().click();
      await page.getByLabel("Model provider").selectOption({ label: labelOf(provider) });
      await page.getByRole("textbox", { name: "Model", exact: true }).fill(name);
      await page.getByLabel("Context, in tokens").fill("400000");
      await page.getByRole("button", { name: "Add it" }).click();
      await page.getByRole("link", { name }).waitFor();
    }
    await page.getByRole("button", { name: "Choose for Titles and labels" }).click();
    const choosing = page.getByRole("dialog", { name: "Titles and labels" });
    await choosing.getByLabel("Serves").selectOption("model");
    await choosing.getByRole("button", { name: "Save" }).click();
    await choosing.getByText("Choose a model.").waitFor();
    await choosing.getByLabel("Model").selectOption({ label: "claude-haiku-4-5" });
    await judge("model-override");
    await choosing.getByRole("button", { name: "Save" }).click();
    await choosing.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Choose for Subagents that explore" }).click();
    const exploring = page.getByRole("dialog", { name: "Subagents that explore" });
    await exploring.getByLabel("Serves").selectOption("model");
    await exploring.getByLabel("Model").selectOption({ label: "Opus" });
    await exploring.getByLabel("Reasoning effort").selectOption("low");
    await exploring.getByRole("button", { name: "Save" }).click();
    await page.getByText("effort low").waitFor();
    await page.getByText("For the gateway’s clients only: copilot.").waitFor();
    await judge("models");

    // One that serves some work stays; the default can be another one.
    const change = async (name: string, words: string): Promise<void> => {
      await page.getByRole("button", { name: `Change ${name}`, exact: true }).click();
      await page.getByRole("menuitem", { name: words }).click();
    };
    await change("claude-haiku-4-5", "Delete…");
    const asked = page.getByRole("alertdialog");
    await asked.getByRole("button", { name: "Delete it" }).click();
    await asked.getByText("title_generation").waitFor();
    await judge("model-in-use");
    await asked.getByRole("button", { name: "Keep it" }).click();
    await change("claude-haiku-4-5", "Make it the default");
    await page.getByText("claude-haiku-4-5 is the default.").waitFor();
    await change("gpt-5.2", "Switch off");
    await page.getByText("gpt-5.2 is switched off.").waitFor();

    // A change sends only what differs.
    await page.getByRole("link", { name: "Opus" }).click();
    await page.getByLabel("Sum up older history at").fill("50");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved. Turns that begin from here on go by it.").waitFor();
    const models = await server.api("GET", "/api/v2/chats/models", { token: person.session });
    const opus = models.body.models.find(
      (each: { readonly model: string }) => each.model === "claude-opus-4-6",
    );
    assert.equal(opus.compression_threshold, 50);
    assert.deepEqual(opus.options, {
      reasoning_effort: { default: "medium", max: "max" },
      provider_options: {
        anthropic: {
          web_search_enabled: true,
          allowed_domains: ["docs.example.com", "example.org"],
        },
      },
    });

    // A member sees nothing of this, and chooses for agents of theirs.
    assert.equal((await call("POST", "/api/v2/users", BOB)).status, 201);
    const bobs = await world.newPage();
    await signIn(bobs, BOB);
    assert.equal(await bobs.getByRole("link", { name: "Models", exact: true }).count(), 0);
    await bobs.getByRole("link", { name: "Your agents" }).click();
    await bobs.getByLabel("Instructions").fill("Explain little.");
    await bobs.getByRole("button", { name: "Save" }).click();
    await bobs.getByText("Your agents are told from their next turn on.").waitFor();
    await bobs.getByRole("button", { name: "Choose for New chats" }).click();
    const own = bobs.getByRole("dialog", { name: "New chats" });
    await own.getByLabel("Serves").selectOption("model");
    await own.getByLabel("Model").selectOption({ label: "Opus" });
    await own.getByRole("button", { name: "Save" }).click();
    await own.waitFor({ state: "detached" });
    await bobs.getByRole("button", { name: "Change for Opus" }).click();
    const threshold = bobs.getByRole("dialog", { name: "Sum up with Opus" });
    await threshold.getByLabel("Percent").fill("101");
    await threshold.getByRole("button", { name: "Save" }).click();
    await threshold.getByText("Some fields need correcting.").waitFor();
    await threshold.getByLabel("Percent").fill("40");
    await threshold.getByRole("button", { name: "Save" }).click();
    await bobs.getByText("yours; otherwise 50 %").waitFor();
    findings.push(...(await judgePage(bobs, "your-agents")));
    await bobs.getByRole("button", { name: "Change for Opus" }).click();
    await bobs.getByRole("button", { name: "As the deployment decides" }).click();
    await bobs.getByText("yours; otherwise 50 %").waitFor({ state: "detached" });
    assert.deepEqual(findings, []);
  },
);

function labelOf(provider: "anthropic" | "backup"): string {
  return provider === "anthropic" ? "anthropic (Anthropic)" : "backup (OpenAI), not usable";
}

const TOOL_KEY = "Bearer made-up-tool-key";

/** A server of tools that answers what it is asked, to those who have the key. */
async function startToolServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const tools = [
    { name: "search", description: "Finds pages of the wiki.", inputSchema: { type: "object" } },
    { name: "delete_page", description: "Deletes a page.", inputSchema: { type: "object" } },
  ];
  const http = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.headers.authorization !== TOOL_KEY) {
        response.writeHead(401).end();
        return;
      }
      if (request.method !== "POST") {
        response.writeHead(405).end();
        return;
      }
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      if (id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const serverInfo = { name: "wiki", version: "1" };
      const results: Readonly<Record<string, unknown>> = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo,
        },
        "tools/list": { tools },
      };
      const result = results[method];
      const error = { code: -32_601, message: "Method not found" };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) }),
      );
    };
    run().catch(() => response.destroy());
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

test(
  "an owner adds a tool server, tries it, and says what agents are told",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using remote = await startToolServer();
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      // What lies below the head of a phone's page cannot be judged.
      await page.evaluate("scrollTo(0, 0)");
      findings.push(...(await judgePage(page, name)));
    };

    await page.goto("/ai/settings/mcp-servers");
    await page.getByText("No tool server yet").waitFor();
    await judge("tool-servers-empty");
    await page.getByRole("main").getByRole("link", { name: "Add a tool server" }).first().click();
    await page.getByLabel("Short name").fill("The Wiki");
    await page.getByLabel("URL").fill(remote.url);
    await page.getByLabel("Credentials").selectOption("api_key");
    await page.getByLabel("Value").fill("Bearer wrong");
    await page.getByLabel("None of these").fill("delete_page");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText("1 to 32 of a-z 0-9 -").waitFor();
    await judge("tool-server-refused");
    await page.getByLabel("Short name").fill("wiki");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByRole("heading", { name: "wiki" }).waitFor();

    // It is tried with the wrong key, and with the right one.
    await page.getByRole("button", { name: "Try it" }).click();
    const trial = page.getByRole("dialog", { name: "Trial of wiki" });
    await trial.getByText("failed").waitFor();
    await judge("tool-server-failed");
    await page.keyboard.press("Escape");
    await page.getByLabel("Credentials").selectOption("api_key");
    await page.getByLabel("Value").fill(TOOL_KEY);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved. Chats under way take it up within a minute.").waitFor();
    assert.equal(await page.getByLabel("Credentials").inputValue(), "kept");
    await page.getByRole("button", { name: "Try it" }).click();
    await trial.getByText("2 tools, 1 for chats").waitFor();
    await trial.getByText("refused here").waitFor();
    await judge("tool-server-tried");
    await page.keyboard.press("Escape");
    await judge("tool-server");

    // Other fields leave the credentials as they are.
    await page.getByLabel("Display name").fill("Our wiki");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Our wiki" }).waitFor();
    await page.getByRole("button", { name: "Try it" }).click();
    await trial.getByText("2 tools, 1 for chats").waitFor();
    await page.keyboard.press("Escape");
    await page.goto("/ai/settings/mcp-servers");
    await page.getByRole("link", { name: "Our wiki" }).waitFor();
    await judge("tool-servers");

    await page.getByRole("link", { name: "Agent settings" }).click();
    await page.getByLabel("Your own words").fill("We write TypeScript.");
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByText("The system prompt is saved.").waitFor();
    await page.getByLabel("Agents may ask an advisor").check();
    await page.getByLabel("Questions in one turn, at most").fill("often");
    const saveIn = (panel: string) =>
      page.getByRole("region", { name: panel }).getByRole("button", { name: "Save" });
    const saveAdvisor = saveIn("Advisor");
    await saveAdvisor.click();
    await page.getByText("Some fields need correcting.").waitFor();
    await judge("agent-settings-refused");
    await page.getByLabel("Questions in one turn, at most").fill("3");
    await saveAdvisor.click();
    await page.getByText("The advisor’s settings are saved.").waitFor();
    await page.getByText("Read the product’s own words").click();
    await page.getByLabel("Days until idle chats are archived").fill("90");
    await saveIn("How long chats live").click();
    await page.getByText("How long chats live is saved.").waitFor();
    await page.getByLabel("People choose models for their own chats").uncheck();
    await saveIn("People’s own models").click();
    await page.getByText("Who chooses models is saved.").waitFor();
    await page.getByLabel("Provider").selectOption("openai");
    await saveIn("Desktops").click();
    await page.getByText("The model for desktops is saved.").waitFor();
    await judge("agent-settings");
    const token = person.session;
    const advisor = await server.api("GET", "/api/v2/chats/config/advisor", { token });
    assert.deepEqual(advisor.body, {
      enabled: true,
      max_uses_per_run: 3,
      max_output_tokens: 16_384,
    });
    const setting = async (name: string) =>
      (await server.api("GET", `/api/v2/chats/config/${name}`, { token })).body;
    assert.deepEqual(await setting("auto-archive-days"), { auto_archive_days: 90, is_set: true });
    assert.equal((await setting("retention-days")).is_set, false);
    assert.deepEqual(await setting("computer-use-provider"), { provider: "openai" });
    const prompt = await server.api("GET", "/api/v2/chats/config/system-prompt", { token });
    assert.equal(prompt.body.system_prompt, "We write TypeScript.");

    await page.goto("/ai/settings/mcp-servers");
    await page.getByRole("link", { name: "Our wiki" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("No tool server yet").waitFor();
    assert.deepEqual(findings, []);
  },
);
