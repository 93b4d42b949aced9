/**
 * A server in full operation, with every kind of secret there is, and everything that can go wrong
 * with them: afterwards none is in a log, a metric, a table, an answer or a file.
 * Its secrets, and the places that are searched: canary-world.ts.
 */
import {
  html,
  json,
  raw,
  reset,
  says,
  sse,
  throttles,
  type ScriptedReply,
} from "@atelier/testkit/scripted-model-reply";
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  canaries,
  output,
  placesOf,
  prepared,
  ROOT,
  secrets,
  startCanaryWorld,
  type CanaryWorld,
} from "./canary-world.ts";

const GATEWAY = "/api/v2/ai-gateway";
type Answered = { readonly status: number; readonly text: string; readonly json: any }; // oxlint-disable-line typescript/no-explicit-any

let world: CanaryWorld;

before(async () => {
  world = await startCanaryWorld();
});
after(() => world[Symbol.asyncDispose]());

async function ask(
  method: string,
  path: string,
  {
    headers = {},
    body,
  }: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
): Promise<Answered> {
  const init =
    body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  let status = 0;
  let text = "";
  try {
    const answer = await fetch(`${world.server.url}${path}`, { method, headers, ...init });
    ({ status } = answer);
    world.received.push(JSON.stringify([status, ...answer.headers]));
    for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString("latin1");
  } catch (error) {
    text += String(error); // It broke off, as some of the answers here do.
  }
  world.received.push(text);
  try {
    return { status, text, json: JSON.parse(text) };
  } catch {
    return { status, text, json: null };
  }
}

const api = (method: string, path: string, body?: unknown): Promise<Answered> =>
  ask(method, path, { headers: { "coder-session-token": world.session }, body });

const CHAT = `${GATEWAY}/openai/v1/chat/completions`;
const MESSAGES = `${GATEWAY}/anthropic/v1/messages`;
const CHAT_BODY = { model: "gpt-x", messages: [{ role: "user", content: "hello" }] };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function chat(headers: Record<string, string>, more: object = {}): Promise<Answered> {
  return ask("POST", CHAT, { headers, body: { ...CHAT_BODY, ...more } });
}

function message(headers: Record<string, string>, more: object = {}): Promise<Answered> {
  const body = { ...CHAT_BODY, model: "claude-x", max_tokens: 9, ...more };
  return ask("POST", MESSAGES, { headers, body });
}

test("every kind of traffic that succeeds uses its secrets", async () => {
  for (const [name, base] of [["openai", `${world.model.url}/v1`], ["anthropic", world.model.url]] as const) {
    const body = { type: name, name, base_url: base, api_keys: [secrets.firstKey, secrets.secondKey] };
    assert.equal((await api("POST", "/api/v2/ai/providers", body)).status, 201);
  }
  const stream = { stream: true };
  for (const { status } of [
    await chat(bearer(world.token)),
    await chat(bearer(world.token), stream),
    await chat({ "x-api-key": world.token }),
    await message(bearer(world.token)),
    await message({ "x-api-key": world.token }, stream),
    await ask("GET", `${GATEWAY}/openai/v1/models`, { headers: bearer(world.token) }),
  ]) {
    assert.equal(status, 200);
  }
  const own = { "x-coder-ai-governance-token": world.token };
  const ownBearer = { ...own, ...bearer(secrets.bearer) };
  const ownKey = { ...own, "x-api-key": secrets.apiKey };
  assert.equal((await chat(ownBearer)).status, 200);
  assert.equal((await chat(ownBearer, stream)).status, 200);
  assert.equal((await message(ownKey)).status, 200);
  assert.equal((await message(ownKey, stream)).status, 200);
  const path = "/api/v2/users/me/ai/provider-keys/openai";
  assert.equal((await api("PUT", path, { api_key: secrets.storedKey })).status, 200);
  assert.equal((await api("PUT", path, { api_key: secrets.secondStoredKey })).status, 200);
  const seen = JSON.stringify(world.model.requests.map(({ headers }) => headers));
  const sent = ["the company's first key", "the company's second key", "a caller's own bearer", "a caller's own API key"];
  assert.deepEqual(canaries.missingIn(seen, sent), []);
}); // prettier-ignore

test("a provider that repeats the key in every way it can", async () => {
  const { secondKey, bearer: own } = secrets;
  for (const key of [secondKey, own]) {
    const headers =
      key === own
        ? { "x-coder-ai-governance-token": world.token, ...bearer(own) }
        : bearer(world.token);
    const error = { error: { message: `Incorrect API key: ${key}.`, type: "invalid", param: key } };
    const text = JSON.stringify(error);
    const bytes = (body: Uint8Array, more: object = {}): ScriptedReply => ({
      kind: "bytes",
      status: 400,
      headers: { "content-type": "application/json", ...more },
      body,
    });
    const replies: ScriptedReply[] = [
      json(400, error, { "x-debug": `Bearer ${key}`, "www-authenticate": `Bearer key="${key}"` }),
      json(200, { choices: [] }, { "x-echo": key, "set-cookie": `k=${key}` }),
      { ...json(500, error), chunkBytes: 7 } as ScriptedReply,
      bytes(gzipSync(text), { "content-encoding": "gzip" }),
      bytes(Buffer.from(text), { "content-encoding": "nonsense" }),
      bytes(Buffer.from(`<html>${key}</html>`), { "content-type": "text/html" }),
      bytes(Buffer.from(encodeURIComponent(`key=${key}`)), { "content-type": "text/plain" }),
      { kind: "problem", status: 404, message: `no access for ${key}` },
      { ...json(503, error), cutAfterBytes: 50 } as ScriptedReply,
      raw(`HTTP/1.1 400 Bad ${key}\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
    ];
    for (const reply of replies) {
      prepared.push(reply);
      await chat(headers, { model: nextModel() });
      assert.deepEqual(prepared, []);
    }
    const event = { name: "error", data: { type: "error", error: { type: "x", message: key } } };
    prepared.push(sse([event]));
    await chat(headers, { model: nextModel(), stream: true });
    assert.deepEqual(prepared, []);
  }
});

let models = 0;
/** Another one each time, so that no circuit breaker opens. */
function nextModel(): string {
  models += 1;
  return `gpt-${models}`;
}

test("a provider that breaks in every way it can", async () => {
  const headers = bearer(world.token);
  const replies: ScriptedReply[] = [
    reset(),
    raw("garbage\r\n\r\n"),
    html(502),
    { kind: "hang" },
    says("half of it", { cutAfterBytes: 60 }),
    throttles(1),
  ];
  for (const reply of replies) {
    prepared.push(reply);
    await chat(headers, { model: nextModel(), stream: true });
    assert.deepEqual(prepared, []);
  }
  prepared.push(json(401, { error: { message: secrets.secondKey } }));
  assert.equal((await message(headers)).status, 502, "all keys are refused");
  for (let i = 0; i < 6; i += 1) prepared.push(json(503, { error: { message: secrets.bearer } }));
  const own = { "x-coder-ai-governance-token": world.token, ...bearer(secrets.bearer) };
  while (prepared.length > 0) {
    const before = prepared.length;
    await chat(own, { model: "gpt-in-trouble" });
    if (prepared.length === before) break; // The circuit breaker answers.
  }
  prepared.length = 0;
});

test("callers who put secrets in the wrong places of gateway requests", async () => {
  const { mistakenToken, misplaced } = secrets;
  await chat(bearer(mistakenToken));
  await chat({ "x-api-key": mistakenToken });
  await chat({ "x-coder-ai-governance-token": mistakenToken, ...bearer(secrets.bearer) });
  await chat({ "x-coder-ai-governance-token": "delegated", ...bearer(secrets.bearer) });
  await chat({ authorization: `Basic ${Buffer.from(`x:${mistakenToken}`).toString("base64")}` });
  await ask("POST", CHAT, { headers: bearer(world.token), body: `{"key": "${misplaced}"` });
  await ask("POST", `${CHAT}?key=${misplaced}`, { headers: bearer(world.token), body: "[]" });
  await ask("POST", `${GATEWAY}/${misplaced}/v1/models`, { headers: bearer(world.token) });
  await ask("POST", `${GATEWAY}/openai/v1/${misplaced}`, { headers: bearer(world.token) });
  await ask("DELETE", CHAT, { headers: bearer(world.token) });
});

test("administrators who put secrets in the wrong places of API requests", async () => {
  const { misplaced, refusedKey, addedKey, wrongPassword, newPassword, password } = secrets;
  const provider = { type: "openai", name: "other", base_url: "http://127.0.0.1:1" };
  const providers = "/api/v2/ai/providers";
  const own = "/api/v2/users/me/ai/provider-keys";
  for (const body of [
    { ...provider, name: misplaced },
    { ...provider, type: misplaced },
    { ...provider, base_url: `http://user:${misplaced}@127.0.0.1` },
    { ...provider, base_url: `http://127.0.0.1/?key=${misplaced}` },
    { ...provider, enabled: misplaced },
    { ...provider, settings: { api_version: ` ${misplaced}` } },
    { ...provider, settings: { [misplaced]: "x" } },
    { ...provider, [misplaced]: "x" },
    { ...provider, api_key: refusedKey },
    { ...provider, api_keys: refusedKey },
    { ...provider, api_keys: [` ${refusedKey}`] },
    { ...provider, api_keys: [refusedKey, refusedKey] },
    { ...provider, name: "openai", api_keys: [refusedKey] },
    { ...provider, type: "copilot", api_keys: [refusedKey] },
    `{"api_keys": ["${refusedKey}"`,
    [refusedKey],
    refusedKey,
  ]) {
    const { status } = await api("POST", providers, body);
    assert.ok(status >= 400 && status < 500, `${status} ${JSON.stringify(body)}`);
  }
  await api("PATCH", `${providers}/openai`, { api_keys: [{ id: refusedKey }] });
  await api("PATCH", `${providers}/openai`, { api_keys: [{ api_key: refusedKey, x: 1 }] });
  await api("PATCH", `${providers}/${misplaced}`, { api_keys: [{ api_key: refusedKey }] });
  await api("PATCH", `${providers}/anthropic`, { api_keys: [{ api_key: addedKey }] });
  await api("DELETE", `${providers}/${misplaced}`);
  await api("POST", `${providers}/openai/keys/${misplaced}/reset`);
  for (const [path, body] of [
    [`${own}/openai`, { api_key: ` ${misplaced}` }],
    [`${own}/openai`, { [misplaced]: 1 }],
    [`${own}/${misplaced}`, { api_key: refusedKey }],
    [`${own}/none`, { api_key: refusedKey }],
  ] as const) {
    assert.ok((await api("PUT", path, body)).status >= 400);
  }
  await api("DELETE", `${own}/${misplaced}`);
  await api("GET", `/api/v2/users/${misplaced}`);
  await api("GET", `/api/v2/users?limit=${misplaced}`);
  await api("GET", `/api/v2/${misplaced}`);
  await api("GET", `${GATEWAY}/sessions?q=model:"${misplaced}`);
  await api("DELETE", `/api/v2/users/me/keys/tokens/${misplaced}`);
  await ask("GET", "/api/v2/users/me", { headers: { "coder-session-token": misplaced } });
  await ask("GET", "/api/v2/users/me", { headers: { cookie: `coder_session_token=${misplaced}` } });
  const login = "/api/v2/users/login";
  await api("POST", login, { email: "ann@example.com", password: wrongPassword });
  await api("POST", login, { email: wrongPassword, password: "x" });
  await api("POST", login, { email: "ann@example.com", pass: wrongPassword });
  const change = "/api/v2/users/me/password";
  await api("PUT", change, { old_password: wrongPassword, password: newPassword });
  await api("PUT", change, { old_password: password, password: "short" });
  const bob = { email: "bob@example.com", username: "bob", password: newPassword };
  assert.equal((await api("POST", "/api/v2/users", bob)).status, 201);
  await api("POST", "/api/v2/users", { ...bob, email: newPassword });
  await api("POST", "/api/v2/users", { ...bob, username: newPassword });
});

const BROKEN_TABLES = ["ai_interceptions", "ai_provider_keys", "user_ai_provider_keys"] as const;

test("crashes while secrets are at work", async () => {
  const { pool } = world.database;
  const rename = async (from: string, to: string): Promise<void> => {
    await pool.query(`alter table ${from} rename to ${to}`);
  };
  for (const table of BROKEN_TABLES) {
    await rename(table, `${table}_gone`);
    const own = { "x-coder-ai-governance-token": world.token, ...bearer(secrets.bearer) };
    const statuses = [
      await chat(own),
      await api("POST", "/api/v2/ai/providers", {
        type: "openai",
        name: `crash-${table.replaceAll("_", "-")}`,
        base_url: "http://127.0.0.1:1",
        api_keys: [secrets.refusedKey],
      }),
      await api("PUT", "/api/v2/users/me/ai/provider-keys/openai", { api_key: secrets.refusedKey }),
    ].map(({ status }) => status);
    assert.ok(statuses.includes(500), `${table}: ${statuses.join()}`);
    await rename(`${table}_gone`, table);
  }
  // Postgres tells of the whole row that it refuses.
  await pool.query("alter table user_ai_provider_keys add check (masked = 'x') not valid");
  const path = "/api/v2/users/me/ai/provider-keys/openai";
  assert.equal((await api("PUT", path, { api_key: secrets.refusedKey })).status, 500);
});

const LISTS = [
  "/api/v2/ai/providers",
  "/api/v2/ai/providers/openai",
  "/api/v2/users/me/ai/provider-keys",
  "/api/v2/audit?limit=1000",
  "/api/v2/users",
  "/api/v2/users/me",
  "/api/v2/users/me/keys/tokens",
  "/api/v2/users/me/sessions",
  `${GATEWAY}/interceptions?limit=1000`,
  `${GATEWAY}/sessions`,
  `${GATEWAY}/models`,
  `${GATEWAY}/clients`,
  "/api/v2/deployment/config",
  "/api/v2/openapi.json",
  "/metrics",
  "/healthz",
  "/readyz",
];

test("everything that can be read is read", async () => {
  for (const path of LISTS) {
    assert.equal((await api("GET", path)).status, 200, path);
  }
  const { json: sessions } = await api("GET", `${GATEWAY}/sessions?limit=1000`);
  const trails: string[] = [];
  for (const { id } of sessions.sessions) {
    const { text } = await api("GET", `${GATEWAY}/sessions/${encodeURIComponent(id)}`);
    trails.push(text);
  }
  assert.match(trails.join("\n"), /"outcome":"set_aside","status":401/, "attempts are told");
});

test("the command line shows none of it, well used or badly", async () => {
  const { refusedKey, misplaced } = secrets;
  const create = ["providers", "create", "fromcli", "--type", "openai", "--api-key-stdin"];
  const runs: [words: string[], stdin?: string][] = [
    [["whoami", "--verbose"]],
    [["providers", "list", "--json"]],
    [["providers", "show", "openai"]],
    [["providers", "keys", "list", "openai", "--verbose"]],
    [[...create, "--base-url", "http://127.0.0.1:1", "--verbose"], refusedKey],
    [[...create, "--base-url", `http://x:${misplaced}@127.0.0.1`], refusedKey],
    [["providers", "keys", "add", "openai", "--api-key-stdin"], `${refusedKey} ${refusedKey}`],
    [["ai", "keys", "list"]],
    [["ai", "keys", "set", "openai", "--api-key-stdin", "--verbose"], refusedKey],
    [["ai", "keys", "set", "openai", "--api-key-stdin"], ` ${refusedKey}`],
    [["ai", "keys", "set", "openai", misplaced]],
    [["ai", "keys", "remove", "openai", "-y", "--json"]],
    [["tokens", "list"]],
    [["sessions", "list"]],
    [["audit", "list", "--json"]],
    [["config", "show"]],
    [["ai", "interceptions", "list", "--json"]],
    [["ai", "sessions", "list"]],
  ];
  for (const [words, stdin] of runs) world.cliOutputs.push(await runCli(words, stdin));
  assert.match(world.cliOutputs.join(), /openai/);
});

test("a server that refuses to start says what is wrong without saying it", async () => {
  for (const env of [
    { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: secrets.brokenEncryptionKey },
    { ATELIER_POSTGRES_URL: `postgres://x:${secrets.postgresPassword}@127.0.0.1:1/x` },
    { ATELIER_POSTGRES_URL: `mysql://x:${secrets.postgresPassword}@127.0.0.1:1/x` },
  ]) {
    const words = [join(ROOT, "apps/server/src/main.ts"), "--data-dir", world.dataDir];
    const run = await output(words, { ATELIER_POSTGRES_URL: world.database.url, ...env });
    assert.notEqual(run.code, 0);
    world.printed.push(run.text);
  }
});

test("no secret is in any place where it does not belong", async () => {
  assert.equal(await world.server.stop(), 0);
  const found: string[] = [];
  for (const [place, text] of Object.entries(await placesOf(world))) {
    assert.ok(text.length > 0, `${place} was looked at`);
    found.push(...canaries.foundIn(place, text));
  }
  assert.deepEqual([...new Set(found)], []);
});

test("a secret would have been found, however it is spelled", () => {
  const part = secrets.firstKey.replace("sk-", "");
  const bytes = Buffer.from(secrets.firstKey);
  for (const text of [
    `log: ${secrets.firstKey}`,
    encodeURIComponent(`Bearer ${secrets.firstKey}`),
    JSON.stringify({ key: secrets.firstKey }),
    bytes.toString("hex"),
    bytes.toString("base64"),
    Buffer.from(`Bearer ${secrets.firstKey}`).toString("base64"),
    Buffer.from(`x${secrets.firstKey}`).toString("base64url"),
    JSON.stringify([...Buffer.from(part)]),
  ]) {
    assert.ok(canaries.foundIn("a text", text).length > 0, text);
  }
});

async function runCli(words: readonly string[], stdin = ""): Promise<string> {
  const env = {
    ATELIER_URL: world.server.url,
    ATELIER_TOKEN: world.session,
    ATELIER_CONFIG_DIR: world.dataDir,
  };
  const run = await output([join(ROOT, "apps/cli/src/main.ts"), ...words], env, stdin);
  return `${words.slice(0, 3).join(" ")}\n${run.text}`;
}
