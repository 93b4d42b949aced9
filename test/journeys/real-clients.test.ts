/**
 * Claude Code and Codex, the programs people run, against a really started server: one task with one
 * tool call each. They are installed from `test/clients` into `.runtime/clients` by the first run.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { installClients } from "./install-clients.ts";
import { startGatewayWorld, type GatewayWorld } from "./gateway-world.ts";

const run = promisify(execFile);
const RUN_MS_MAX = 90_000;

test("Claude Code writes a file through the gateway", async () => {
  const clients = await installClients();
  await using world = await startGatewayWorld();
  using place = makePlace();
  const file = join(place.work, "hello.txt");
  const call = `[[call:Bash ${JSON.stringify({ command: `printf atelier > ${file}`, description: "Write a file" })}]]`;
  await run(clients.claude, ["-p", `Do this: ${call}`, "--model", "claude-sonnet-4-5", "--dangerously-skip-permissions"], {
    cwd: place.work,
    timeout: RUN_MS_MAX,
    env: {
      ...cleanEnvironment(place.home),
      ANTHROPIC_BASE_URL: `${world.gatewayUrl}/anthropic`,
      ANTHROPIC_AUTH_TOKEN: world.person.token,
      CLAUDE_CONFIG_DIR: join(place.home, ".claude"),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      // It refuses to skip permissions as root unless told that it is inside a sandbox.
      IS_SANDBOX: "1",
    },
  });
  assert.equal(readFileSync(file, "utf8"), "atelier");
  await checkSession(world, { client: "Claude Code", provider: "anthropic", tool: "Bash" });
}); // prettier-ignore

test("Codex runs a command through the gateway", async () => {
  const clients = await installClients();
  await using world = await startGatewayWorld();
  using place = makePlace();
  const file = join(place.work, "hello.txt");
  writeFileSync(
    join(place.home, ".codex/config.toml"),
    [
      `model = "gpt-5"`,
      `model_provider = "atelier"`,
      `[model_providers.atelier]`,
      `name = "Atelier"`,
      `base_url = "${world.gatewayUrl}/openai/v1"`,
      `env_key = "ATELIER_TOKEN"`,
      `wire_api = "responses"`,
      `supports_websockets = false`,
    ].join("\n"),
  );
  const call = `[[call:exec_command ${JSON.stringify({ cmd: `printf atelier > ${file}` })}]]`;
  const child = run(
    process.execPath,
    [clients.codex, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", `Do this: ${call}`],
    {
      cwd: place.work,
      timeout: RUN_MS_MAX,
      env: {
        ...cleanEnvironment(place.home),
        CODEX_HOME: join(place.home, ".codex"),
        ATELIER_TOKEN: world.person.token,
      },
    },
  );
  child.child.stdin?.end();
  await child;
  assert.equal(readFileSync(file, "utf8"), "atelier");
  await checkSession(world, { client: "Codex", provider: "openai", tool: "exec_command" });
}); // prettier-ignore

async function checkSession(
  world: GatewayWorld,
  want: { readonly client: string; readonly provider: string; readonly tool: string },
): Promise<void> {
  const interceptions = await world.interceptions(2);
  const call = interceptions.find((each) => each.tool_usages.length > 0);
  assert.equal(call.tool_usages[0].tool, want.tool);
  const { body } = await world.server.api("GET", "/api/v2/ai-gateway/sessions", {
    token: world.person.session,
  });
  const session = body.sessions.find((each: { id: string }) => each.id === call.session_id);
  assert.equal(session.client, want.client);
  assert.equal(session.id, call.client_session_id, "the client's own session id");
  assert.deepEqual(session.provider_names, [want.provider]);
  assert.ok(session.interceptions >= 2);
  assert.ok(session.token_usage_summary.output_tokens > 0);
  const detail = await world.server.api("GET", `/api/v2/ai-gateway/sessions/${session.id}`, {
    token: world.person.session,
  });
  const tools = detail.body.threads.flatMap(
    (thread: { agentic_actions: { tool_calls: { tool: string }[] }[] }) =>
      thread.agentic_actions.flatMap((action) => action.tool_calls.map((each) => each.tool)),
  );
  assert.ok(tools.includes(want.tool));
}

function makePlace(): Disposable & { readonly home: string; readonly work: string } {
  const root = mkdtempSync(join(tmpdir(), "atelier-client-"));
  const [home, work] = [join(root, "home"), join(root, "work")];
  for (const dir of [home, work, join(home, ".codex"), join(home, ".claude")]) mkdirSync(dir);
  return { home, work, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

/** Nothing of the surrounding machine's own clients, keys or proxies. */
function cleanEnvironment(home: string): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", SHELL: "/bin/bash" };
}
