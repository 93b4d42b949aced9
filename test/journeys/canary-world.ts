/**
 * A server with a secret of every kind in it, a provider that repeats keys, and the places in which
 * none of the secrets may turn up.
 *
 * To watch over another place, add it to `placesOf()`; another secret, to `makeCanaries()`.
 */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import {
  startScriptedModel,
  type RecordedUpstreamRequest,
  type ScriptedModel,
} from "@atelier/testkit/scripted-model";
import { json, type ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { startTraceCollector, type TraceCollector } from "@atelier/testkit/trace-collector";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Canaries } from "./canaries.ts";

export const ROOT = join(import.meta.dirname, "../..");
const PASSWORD_WORDS = "correct-horse-";

export const canaries = new Canaries();
export const secrets = makeCanaries();

function makeCanaries() {
  const encryptionKey = randomBytes(32);
  canaries.watch("the encryption key", encryptionKey.toString("base64").slice(0, 40));
  canaries.watch("the encryption key's bytes", encryptionKey.toString("hex"));
  const password = (part: string): string => `${PASSWORD_WORDS}${part}`;
  return {
    encryptionKey: encryptionKey.toString("base64"),
    brokenEncryptionKey: canaries.add("a malformed encryption key"),
    postgresPassword: canaries.add("the password of Postgres"),
    password: canaries.add("the owner's password", password),
    newPassword: canaries.add("a new password", password),
    wrongPassword: canaries.add("a password that was tried", password),
    firstKey: canaries.add("the company's first key"),
    secondKey: canaries.add("the company's second key"),
    refusedKey: canaries.add("a provider's key in a refused request"),
    addedKey: canaries.add("a provider's key that came later"),
    storedKey: canaries.add("a person's stored key"),
    secondStoredKey: canaries.add("a person's second stored key"),
    bearer: canaries.add("a caller's own bearer"),
    apiKey: canaries.add("a caller's own API key", (part) => `sk-ant-${part}`),
    mistakenToken: canaries.add("a provider's key in place of a token"),
    misplaced: canaries.add("a key in the wrong place"),
  };
}

export type CanaryWorld = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly model: ScriptedModel;
  readonly server: RealServer;
  readonly collector: TraceCollector;
  readonly dataDir: string;
  readonly session: string;
  readonly token: string;
  /** Everything that a client received, heads and bodies, but for the one sight of a new token. */
  readonly received: string[];
  readonly printed: string[];
  readonly cliOutputs: string[];
};

export async function startCanaryWorld(): Promise<CanaryWorld> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const model = resources.use(await startScriptedModel({ script: refusesFirstKey }));
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-canaries-"));
  resources.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const collector = resources.use(await startTraceCollector());
  const server = resources.use(
    await startRealServer({
      postgresUrl: await urlWithPassword(database),
      dataDir,
      args: [
        ...["--log-level", "debug", "--log-format", "json"],
        ...[
          "--ai-gateway-structured-logging=true",
          "--prometheus-enable=true",
          "--prometheus-address=",
        ],
        ...["--ai-gateway-circuit-breaker-enabled=true", "--ai-gateway-header-timeout", "1s"],
        ...["--ai-gateway-stream-header-timeout", "1s", "--ai-gateway-idle-timeout", "1s"],
        ...["--ai-gateway-send-actor-headers=true"],
        ...["--ai-gateway-dump-dir", join(dataDir, "dumps")],
        ...["--trace-enable=true", "--trace-endpoint", collector.url],
      ],
      env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: secrets.encryptionKey },
    }),
  );
  const printed: string[] = [];
  server.child.stdout?.on("data", (text: Buffer) => printed.push(text.toString()));
  const { session, token } = await setUpPerson(server);
  const owned = resources.move();
  const kept = { received: [], printed, cliOutputs: [] };
  return {
    ...{ database, model, server, collector, dataDir, session, token, ...kept },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Postgres trusts whoever reaches its socket: the password is only carried about, as others are. */
async function urlWithPassword({ pool, url }: TestDatabase): Promise<string> {
  const role = `canary_${randomBytes(6).toString("hex")}`;
  await pool.query(`create role ${role} login superuser password '${secrets.postgresPassword}'`);
  return url.replace(/\/\/[^@]*@/, `//${role}:${secrets.postgresPassword}@`);
}

async function setUpPerson(server: RealServer): Promise<{ session: string; token: string }> {
  const email = "ann@example.com";
  const { password } = secrets;
  await server.api("POST", "/api/v2/users/first", { body: { email, username: "ann", password } });
  const login = await server.api("POST", "/api/v2/users/login", { body: { email, password } });
  const session: string = login.body.session_token;
  const path = "/api/v2/users/me/keys/tokens";
  const made = await server.api("POST", path, { token: session, body: { token_name: "t" } });
  const token: string = made.body.key;
  // What stands before the hyphen is public.
  canaries.watch("a session token", session.split("-")[1] ?? "");
  canaries.watch("an API token", token.split("-")[1] ?? "");
  return { session, token };
}

/** What the next requests get that come with another key than the first. */
export const prepared: ScriptedReply[] = [];

/** As providers do, with the key in the message; so the second one serves. */
function refusesFirstKey(request: RecordedUpstreamRequest): ScriptedReply | null {
  const credential = credentialOf(request);
  if (!credential.includes(secrets.firstKey)) return prepared.shift() ?? null;
  return json(401, { error: { message: `Incorrect API key provided: ${credential}`, type: "x" } });
}

function credentialOf(request: RecordedUpstreamRequest): string {
  return request.header("authorization") ?? request.header("x-api-key") ?? "";
}

/** Where secrets could turn up, as text. Whatever a server writes belongs here. */
export async function placesOf({
  server,
  collector,
  database,
  dataDir,
  ...kept
}: CanaryWorld): Promise<Record<string, string>> {
  return {
    "the log": server.log(),
    "the standard output": `(begin)${kept.printed.join("")}`,
    "the database": await tablesOf(database),
    "what clients received": kept.received.join("\n"),
    "the command line's output": kept.cliOutputs.join("\n"),
    "the traces": `(begin)${collector.text()}`,
    "the data directory and its dumps": `(begin)${filesBelow(dataDir)}`,
  };
}

/** Every row of every table. */
async function tablesOf({ pool }: TestDatabase): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const texts: string[] = [];
  for (const { name } of rows) {
    const table = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
    texts.push(...table.rows.map(({ row }) => `${name} ${row}`));
  }
  return texts.join("\n");
}

function filesBelow(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

/** Of a program of ours, run to its end. */
export async function output(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin = "",
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  }
  child.stdin.end(stdin);
  await once(child, "close");
  return { code: child.exitCode, text };
}
