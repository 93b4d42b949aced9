/**
 * The journey of an administrator at a terminal, against a real server on a real database. Where the
 * process matters, as in signing in and with signals, the program runs in its own; else in ours,
 * which is twenty times faster and the same from the words to the socket.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import { parseEnvironment } from "./config.ts";
import { httpSend } from "./http-send.ts";
import { terminalPrompts } from "./prompts.ts";
import { runCli } from "./run-cli.ts";
import { NO_STREAMS } from "./streams-testkit.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const PASSWORD = "correct-horse-battery-9";

test("first user, tokens, users, providers, records, and out again", async (t) => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using home = await temporaryHome();
  const { atelier, here, json } = home;

  await t.test("a fresh server gets its first user from a script", async () => {
    const login = await atelier(
      ["login", server.url, "--first-user-email", "ann@example.com"].concat([
        "--first-user-username",
        "ann",
        "--first-user-password-stdin",
      ]),
      `${PASSWORD}\n`,
    );
    assert.equal(login.exitCode, 0, login.err);
    assert.equal(login.out, `Signed in to ${server.url} as ann.\n`);
    const file = await stat(join(home.configDir, "credentials.json"));
    assert.equal(file.mode & 0o777, 0o600);
  });

  await t.test("whoami and version answer for the stored sign-in", async () => {
    const me = await json<{ url: string; user: { username: string; roles: string[] } }>(["whoami"]);
    assert.equal(me.url, server.url);
    assert.deepEqual(me.user.roles, ["owner"]);
    assert.match((await atelier(["whoami"])).out, /^Server +http/);
    const version = await json<{ cli: string; server: string }>(["version"]);
    assert.equal(version.server, version.cli);
  });

  await t.test("an API token works in place of the session, until it is removed", async () => {
    const words = ["tokens", "create", "--name", "ci", "--lifetime", "2d", "--quiet"];
    const token = (await here(words)).out.trim();
    assert.match(token, /^\S{20,}$/);
    const taken = await here(words);
    assert.equal(taken.exitCode, 5, taken.err);
    const withToken = await here(["whoami", "--token", token, "--url", server.url, "--json"]);
    assert.equal(withToken.exitCode, 0, withToken.err);
    const list = await json<{ tokens: { token_name: string; lifetime_seconds: number }[] }>([
      "tokens",
      "list",
    ]);
    assert.deepEqual(
      list.tokens.map((each) => [each.token_name, each.lifetime_seconds]),
      [["ci", 2 * 86_400]],
    );
    assert.equal((await here(["tokens", "view", "ci"])).exitCode, 0);
    assert.equal((await here(["tokens", "remove", "ci"])).exitCode, 2);
    assert.equal((await here(["tokens", "remove", "ci", "-y"])).exitCode, 0);
    const removed = await here(["whoami", "--token", token, "--url", server.url]);
    assert.equal(removed.exitCode, 3, removed.err);
  });

  await t.test("users come, get roles and passwords, are suspended, and go", async () => {
    const create = ["users", "create", "--username", "bob", "--email", "bob@example.com"];
    const created = await here([...create, "--role", "auditor", "--password-stdin"], PASSWORD);
    assert.equal(created.exitCode, 0, created.err);
    const again = await here([...create, "--password-stdin"], PASSWORD);
    assert.equal(again.exitCode, 5, again.err);
    const edited = await json<{ roles: string[] }>([
      "users",
      "edit-roles",
      "bob",
      "--add",
      "user-admin",
      "--remove",
      "auditor",
    ]);
    assert.deepEqual(edited.roles, ["user-admin"]);
    assert.equal((await here(["users", "suspend", "bob", "-y"])).exitCode, 0);
    const suspended = await json<{ users: { username: string }[]; count: number }>([
      "users",
      "list",
      "--status",
      "suspended",
    ]);
    assert.deepEqual([suspended.count, suspended.users[0]?.username], [1, "bob"]);
    assert.equal((await here(["users", "activate", "bob"])).exitCode, 0);
    const reset = ["users", "reset-password", "bob", "--password-stdin"];
    assert.equal((await here(reset, "another-long-password-7")).exitCode, 0);
    assert.equal((await here(["users", "delete", "bob", "-y"])).exitCode, 0);
    assert.equal((await here(["users", "show", "bob"])).exitCode, 4);
    const all = await json<{ users: unknown[]; count: number }>(["users", "list", "--all"]);
    assert.deepEqual([all.users.length, all.count], [1, 1]);
  });

  await t.test("a model provider is created, changed, and its keys are never shown", async () => {
    const key = "sk-test-0123456789abcdefghij";
    const words = ["providers", "create", "main", "--type", "openai", "--api-key-stdin"];
    const created = await here([...words, "--base-url", "http://127.0.0.1:9/v1"], key);
    assert.equal(created.exitCode, 0, created.err);
    assert.ok(!(created.out + created.err).includes(key));
    await here(["providers", "keys", "add", "main", "--api-key-stdin"], `${key}-two`);
    const list = await json<{ providers: { name: string; api_keys: { id: string }[] }[] }>([
      "providers",
      "list",
    ]);
    assert.equal(list.providers[0]?.api_keys.length, 2);
    const keyId = list.providers[0].api_keys[0]?.id ?? "";
    for (const verb of ["disable", "reset", "enable"]) {
      const done = await here(["providers", "keys", verb, "main", keyId]);
      assert.equal(done.exitCode, 0, `${verb}: ${done.err}`);
    }
    const keys = await json<{ api_keys: { id: string; enabled: boolean }[]; count: number }>(
      "providers keys list main".split(" "),
    );
    assert.deepEqual([keys.api_keys[0]?.id, keys.api_keys[0]?.enabled], [keyId, true]);
    assert.match((await here(["providers", "status"])).out, /^main +enabled +2 /m);
    const removed = await here(["providers", "keys", "remove", "main", keyId, "-y"]);
    assert.equal(removed.exitCode, 0, removed.err);
    assert.equal((await here(["providers", "disable", "main"])).exitCode, 0);
    assert.equal((await here(["providers", "enable", "main"])).exitCode, 0);
    const edit = ["providers", "edit", "main", "--display-name", "Main"];
    assert.equal((await here(edit)).exitCode, 0);
    const shown = await here(["providers", "show", "main"]);
    assert.match(shown.out, /Display name +Main\n/);
    const bad = await here(["providers", "create", "models", "--type", "openai", "--json"]);
    assert.equal(bad.exitCode, 1);
    assert.match(bad.err, /"field": "name"/);
    assert.equal((await here(["providers", "delete", "main", "-y"])).exitCode, 0);
  });

  await t.test("records, audit log and options are listed", async () => {
    for (const words of [
      ["ai", "sessions", "list", "--since", "24h", "--user", "me", "--provider", "a b"],
      ["ai", "interceptions", "list", "--until", "2026-01-01"],
      ["ai", "models"],
      ["ai", "clients", "--prefix", "C"],
      ["sessions", "list"],
      ["config", "show"],
    ]) {
      const run = await here(words);
      assert.equal(run.exitCode, 0, `${words.join(" ")}: ${run.err}`);
      assert.notEqual(run.out, "", words.join(" "));
      await json(words);
    }
    assert.equal((await here(["ai", "sessions", "show", "none"])).exitCode, 4);
    const events = await json<{ audit_logs: { action: string; resource_target: string }[] }>([
      "audit",
      "list",
      "--resource",
      "ai_provider",
      "--target",
      "main",
      "--since",
      "1h",
      "--all",
    ]);
    const actions = events.audit_logs.map((each) => each.action);
    assert.deepEqual([actions.at(0), actions.at(-1)], ["delete", "create"]);
    const page = await json<{ audit_logs: { action: string }[]; count: number }>([
      "audit",
      "list",
      "--limit",
      "2",
    ]);
    assert.equal(page.audit_logs.length, 2);
    assert.ok(page.count > 2);
  });

  await t.test("signing out ends the session for good", async () => {
    assert.equal((await atelier(["logout"])).exitCode, 0);
    assert.equal((await atelier(["whoami"])).exitCode, 3);
    const back = ["login", server.url, "--email", "ann@example.com", "--password-stdin"];
    const wrong = await atelier(back, "not-the-password");
    assert.equal(wrong.exitCode, 3, wrong.err);
    assert.equal((await atelier(back, PASSWORD)).exitCode, 0);
    await server.stop();
    const away = await atelier(["whoami", "--json"]);
    assert.equal(away.exitCode, 6);
    assert.equal(away.out, "");
    assert.match(away.err, /"code": "client\.unreachable"/);
  });
});

test("Ctrl-C ends a command that waits, with 130", async () => {
  await using home = await temporaryHome();
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [MAIN, "whoami", "--url", url, "--token", "t"], {
    env: home.variables,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await once(silent, "request");
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [130, null]);
  silent.closeAllConnections();
  silent.close();
});

test("`atelier server` is the server: its help, and its exit codes", async () => {
  await using home = await temporaryHome();
  const help = await home.atelier(["server", "--help"]);
  assert.equal(help.exitCode, 0, help.err);
  assert.match(help.out, /--http-address/);
  const refused = await home.atelier(["server", "--no-such-option"]);
  assert.notEqual(refused.exitCode, 0);
});

test("`atelier server` passes a signal on and ends with it", async () => {
  await using database = await testDatabase();
  await using home = await temporaryHome();
  const words = ["server", "--http-address", "127.0.0.1:0", "--data-dir", home.configDir];
  const child = spawn(process.execPath, [MAIN, ...words, "--postgres-url", database.url], {
    // What the command line reads is not an option of the server, which refuses unknown ones.
    env: { ...home.variables, ATELIER_URL: "http://unused", ATELIER_TOKEN: "unused" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout) {
    out += String(chunk);
    if (/http:\/\/127\.0\.0\.1:\d+/.test(out)) break;
  }
  child.kill("SIGTERM");
  const [exitCode] = (await once(child, "exit")) as [number | null];
  assert.equal(exitCode, 0);
});

test("completion prints a script per shell, and suggests commands and choices", async () => {
  await using home = await temporaryHome();
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const script = await home.atelier(["completion", shell]);
    assert.equal(script.exitCode, 0);
    assert.match(script.out, /atelier/);
  }
  const commands = await home.atelier(["complete", "--", "users", "s"]);
  assert.match(commands.out, /^show\t.*\nsuspend\t/);
  const choices = await home.atelier(["complete", "--", "users", "list", "--status", ""]);
  assert.match(choices.out, /^active\t\ndormant\t\nsuspended\t/);
});

type Run = { readonly exitCode: number | null; readonly out: string; readonly err: string };

async function temporaryHome() {
  const configDir = await mkdtemp(join(tmpdir(), "atelier-cli-"));
  const variables = { PATH: process.env["PATH"], HOME: configDir, ATELIER_CONFIG_DIR: configDir };
  const here = (words: readonly string[], input = ""): Promise<Run> =>
    runHere(words, input, variables);
  return {
    configDir,
    variables,
    atelier: (words: readonly string[], input = ""): Promise<Run> => run(words, input, variables),
    here,
    json: async <Answer>(words: readonly string[]): Promise<Answer> => {
      const { exitCode, out, err } = await here([...words, "--json"]);
      assert.equal(exitCode, 0, `${words.join(" ")}: ${err}`);
      return JSON.parse(out) as Answer; // The test says what it expects.
    },
    [Symbol.asyncDispose]: () => rm(configDir, { recursive: true, force: true }),
  };
}

async function runHere(
  words: readonly string[],
  input: string,
  variables: Record<string, string | undefined>,
): Promise<Run> {
  let out = "";
  let err = "";
  const exitCode = await runCli(words, {
    environment: parseEnvironment(variables, "/none"),
    terminal: {
      isInteractive: false,
      columns: null,
      writeOut: (text) => (out += text),
      writeErr: (text) => (err += text),
      readInput: async () => ok(input),
    },
    prompts: terminalPrompts(),
    clock: systemClock,
    random: systemRandom,
    signal: new AbortController().signal,
    sendTo: (target) => httpSend(target, systemClock),
    streams: NO_STREAMS,
    openEvents: async () => fail({ kind: "unreachable", error: new Error("no network") }),
    dialServices: async () => fail({ kind: "unreachable", error: new Error("no network") }),
    startOwnProgram: () => assert.fail("no server is started here"),
  });
  return { exitCode, out, err };
}

async function run(
  words: readonly string[],
  input: string,
  env: Record<string, string | undefined>,
): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...words], { env });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  child.stdin.on("error", () => {}); // A command that reads nothing ends before we have written.
  child.stdin.end(input);
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, out, err };
}
