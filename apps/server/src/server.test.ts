/** The server as people start it: a real process on a real database. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { VERSION } from "@atelier/host/version";
import { freePort } from "@atelier/testkit/free-port";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import { OPTIONS } from "./config.ts";

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** Runs the program with a directory of its own until it ends by itself. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), "atelier-run-"));
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    cwd: directory,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  rmSync(directory, { recursive: true, force: true });
  return { code, ...text };
}

/** An upstream whose answers the test writes. */
async function startUpstream(t: TestContext) {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk("first"));
      asked.resolve(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, asked: asked.promise };
}

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

/** Creates the first user and a provider, and opens a stream through the gateway. */
async function openStream(server: RealServer, upstreamUrl: string): Promise<IncomingMessage> {
  const { session, token } = await setUpFirstUser(server);
  const added = await server.api("POST", "/api/v2/ai/providers", {
    token: session,
    body: { type: "openai", name: "up", base_url: upstreamUrl, api_keys: ["made-up-test-key"] },
  });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  const outgoing = request(`${server.url}/api/v2/ai-gateway/up/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
  });
  outgoing.end(
    JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] }),
  );
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

async function readAll(stream: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of stream) text += String(piece);
  return text;
}

test("a server answers health, readiness, its build and unknown routes, and stops on SIGTERM", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  const health = await server.api("GET", "/healthz");
  assert.deepEqual([health.status, health.body], [200, "OK"]);
  assert.equal((await server.api("GET", "/readyz")).status, 200);
  assert.match((await server.api("GET", "/")).body, /Atelier .* is running/);
  const build = await server.api("GET", "/api/v2/buildinfo");
  assert.deepEqual([build.status, build.body.version], [200, VERSION]);
  const unknown = await server.api("GET", "/api/v2/nonsense");
  assert.deepEqual([unknown.status, unknown.body.code], [404, "request.route_unknown"]);
  // Metrics are nobody's business until they are asked for.
  assert.equal((await server.api("GET", "/metrics")).status, 404);
  assert.equal(await server.stop(), 0);
});

test("listings beside the gateway's routes belong to the API, the rest to the gateway", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  const { session } = await setUpFirstUser(server);
  for (const root of ["ai-gateway", "aibridge"]) {
    const listed = await server.api("GET", `/api/v2/${root}/sessions`, { token: session });
    assert.equal(listed.status, 200);
    const refused = await server.api("GET", `/api/v2/${root}/openai/v1/models`);
    assert.deepEqual([refused.status, refused.headers.get("x-request-id")], [400, null]);
  }
});

test("with the gateway switched off its routes do not exist", async () => {
  await using database = await testDatabase();
  const args = ["--ai-gateway-enabled=false"];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  const answer = await server.api("GET", "/api/v2/ai-gateway/openai/v1/models");
  assert.deepEqual([answer.status, answer.body.code], [404, "request.route_unknown"]);
});

test("metrics are served at their own address", async () => {
  await using database = await testDatabase();
  const address = `127.0.0.1:${await freePort()}`;
  const args = ["--prometheus-enable", "--prometheus-address", address];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  const metrics = await fetch(`http://${address}/metrics`);
  assert.match(await metrics.text(), /^process_resident_memory_bytes \d+$/m);
  assert.equal((await fetch(`http://${address}/api/v2/buildinfo`)).status, 404);
  assert.equal((await server.api("GET", "/metrics")).status, 404);
});

test("metrics are served beside the API where that is wanted", async () => {
  await using database = await testDatabase();
  const args = ["--prometheus-enable", "--prometheus-address="];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  assert.match((await server.api("GET", "/metrics")).body, /^process_resident_memory_bytes \d+$/m);
});

test("a stream under way at SIGTERM ends on its own terms before the server does", async (t) => {
  await using database = await testDatabase();
  const upstream = await startUpstream(t);
  await using server = await startRealServer({ postgresUrl: database.url });
  const stream = await openStream(server, upstream.url);
  const answer = await upstream.asked;
  const exited = once(server.child, "exit");
  server.child.kill("SIGTERM");
  // Refused means: the server has begun to drain.
  for (let isOpen = true; isOpen;) {
    const socket = connect(server.port, "127.0.0.1");
    isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
  answer.end(`${chunk("last")}data: [DONE]\n\n`);
  assert.match(await readAll(stream), /first[^]*last[^]*\[DONE\]/);
  assert.deepEqual(await exited, [0, null]);
  const recorded = await database.pool.query(
    "select error_type from ai_interceptions where ended_at is not null",
  );
  assert.deepEqual(recorded.rows, [{ error_type: null }]);
});

test("a stream that does not end is ended properly at shutdown-timeout, and recorded", async (t) => {
  await using database = await testDatabase();
  const upstream = await startUpstream(t);
  const args = ["--shutdown-timeout", "500ms"];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  const stream = await openStream(server, upstream.url);
  await upstream.asked;
  const text = readAll(stream);
  assert.equal(await server.stop(), 0);
  assert.match(await text, /first[^]*"message":"the gateway is shutting down"/);
  const recorded = await database.pool.query(
    "select error_type from ai_interceptions where ended_at is not null",
  );
  assert.equal(recorded.rows.length, 1);
  assert.notEqual(recorded.rows[0].error_type, null);
});

test("two servers that start at once on one empty database both serve it", async (t) => {
  await using database = await testDatabase();
  const name = `empty_${randomUUID().replaceAll("-", "")}`;
  await database.pool.query(`create database ${name} template template0`);
  t.after(async () => {
    await using admin = await testDatabase();
    await admin.pool.query(`drop database ${name} with (force)`);
  });
  const postgresUrl = database.url.replace(database.connection.database, name);
  const key = randomBytes(32).toString("base64");
  const options = { postgresUrl, args: ["--external-token-encryption-keys", key] };
  const [first, second] = await Promise.all([startRealServer(options), startRealServer(options)]);
  await using _first = first;
  await using _second = second;
  const { session } = await setUpFirstUser(first);
  assert.equal((await second.api("GET", "/api/v2/users/me", { token: session })).status, 200);
  const ids = await Promise.all(
    [first, second].map(
      async (server) => (await server.api("GET", "/api/v2/buildinfo")).body.deployment_id,
    ),
  );
  assert.equal(ids[0], ids[1]);
});

test("a rotated encryption key opens what the old one sealed, and the old one no longer starts", async () => {
  await using database = await testDatabase();
  const [oldKey, newKey] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
  const withKey = (key: string) => ({
    postgresUrl: database.url,
    args: ["--external-token-encryption-keys", key],
  });
  {
    await using server = await startRealServer(withKey(oldKey));
    const { session } = await setUpFirstUser(server);
    const body = {
      type: "openai",
      name: "up",
      base_url: "http://127.0.0.1:9/v1",
      api_keys: ["made-up-test-key"],
    };
    assert.equal(
      (await server.api("POST", "/api/v2/ai/providers", { token: session, body })).status,
      201,
    );
  }
  const env = {
    ATELIER_NEW_KEY: newKey,
    ATELIER_OLD_KEYS: oldKey,
    ATELIER_POSTGRES_URL: database.url,
  };
  const rotated = await run(["dbcrypt", "rotate"], env);
  assert.deepEqual([rotated.code, rotated.err], [0, ""]);
  assert.match(rotated.out, /Done: [1-9]\d* values are under the new key, 1 old keys/);
  {
    await using server = await startRealServer(withKey(newKey));
    assert.equal((await server.api("GET", "/healthz")).status, 200);
  }
  const refused = await run([], {
    ATELIER_POSTGRES_URL: database.url,
    ATELIER_HTTP_ADDRESS: "127.0.0.1:0",
    ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: oldKey,
  });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^Could not start: .*key/m);
  assert.doesNotMatch(refused.err, /\n {4}at /);
});

test("help lists every option, the version is one line, and neither starts anything", async () => {
  const help = await run(["--help"], { ATELIER_NONSENSE: "1" });
  assert.equal(help.code, 0);
  for (const option of OPTIONS) {
    assert.equal(help.out.includes(`--${option.name}`), !("hidden" in option), option.name);
  }
  assert.deepEqual(await run(["--version"]), { code: 0, out: `${VERSION}\n`, err: "" });
});

test("every mistake is listed at once and nothing starts", async () => {
  const { code, out, err } = await run(["--http-adress", "x", "--log-level", "loud"], {
    ATELIER_NONSENSE: "1",
    ATELIER_AI_GATEWAY_RATE_LIMIT: "many",
  });
  assert.deepEqual([code, out], [1, ""]);
  for (const part of [
    "4 mistakes",
    "did you mean --http-address",
    "--log-level",
    "ATELIER_NONSENSE",
    "ATELIER_AI_GATEWAY_RATE_LIMIT",
  ]) {
    assert.ok(err.includes(part), part);
  }
});

test("a port in use and a database that is away are said in a sentence", async (t) => {
  await using database = await testDatabase();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const inUse = await run(["--http-address", address], { ATELIER_POSTGRES_URL: database.url });
  assert.equal(inUse.code, 1);
  assert.match(
    inUse.err,
    new RegExp(`Could not start: ${address} is in use by another program\\..*--http-address`),
  );
  const away = await run([], { ATELIER_POSTGRES_URL: `postgres://user:hunter2@127.0.0.1:1/db` });
  assert.equal(away.code, 1);
  assert.match(
    away.err,
    /Could not start: the database of postgres-url cannot be used \(.*ECONNREFUSED/,
  );
  for (const { err } of [inUse, away]) {
    assert.doesNotMatch(err, /\n {4}at /);
    assert.doesNotMatch(err, /hunter2/);
  }
});
