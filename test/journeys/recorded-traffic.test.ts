/**
 * Recorded provider traffic through a really started server: the provider gets the client's bytes,
 * the client gets the provider's, and the API tells what the observers see in them. (That what they
 * see is right is the business of the recordings' own tests.)
 */
import {
  observeBody,
  observeStream,
  type ObservedResponse,
} from "@atelier/model-wire/observe-response";
import { readModelRequest } from "@atelier/model-wire/read-request";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { listRecordings, splitSections } from "@atelier/testkit/recordings";
import {
  startRealServer,
  setUpFirstUser,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { createProvider } from "./gateway-world.ts";

/** One exchange, ready to be played. */
type Exchange = {
  readonly name: string;
  readonly format: WireFormat;
  readonly request: Uint8Array;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly isStream: boolean;
};

const PATHS: Record<WireFormat, string> = {
  chat_completions: "/openai/v1/chat/completions",
  responses: "/openai/v1/responses",
  messages: "/anthropic/v1/messages",
};
const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures/provider-traffic");

const resources = new AsyncDisposableStack();
const exchanges = new Map<string, Exchange>();
/** What the provider got, by exchange. */
const received = new Map<string, Buffer>();
let server: RealServer;
let person: FirstUser;

before(async () => {
  const upstream = createServer((req, res) => {
    // The query goes upstream as it is, so it says which exchange is being played.
    const id = new URL(req.url ?? "", "http://x").searchParams.get("exchange") ?? "";
    const exchange = exchanges.get(id);
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      received.set(id, Buffer.concat(chunks));
      if (exchange === undefined) return res.writeHead(404).end();
      res.writeHead(exchange.status, exchange.headers.flat());
      // In pieces of odd sizes, as networks do.
      for (let at = 0; at < exchange.body.length; at += 1_013) {
        res.write(exchange.body.subarray(at, at + 1_013));
      }
      return res.end();
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  resources.defer(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const database = resources.use(await testDatabase());
  server = resources.use(await startRealServer({ postgresUrl: database.url }));
  person = await setUpFirstUser(server);
  await createProvider(server, person, { name: "openai", type: "openai", base_url: `${url}/v1` });
  await createProvider(server, person, { name: "anthropic", type: "anthropic", base_url: url });
});
after(() => resources.disposeAsync());

test("our own recordings go through the server byte for byte and are recorded", async () => {
  const all = await listRecordings();
  // Background requests are refused: nothing of them reaches a provider.
  const recordings = all.filter(({ expected }) => !expected.request.background);
  assert.ok(recordings.length >= 30, `${recordings.length} recordings`);
  await playAll(
    recordings.map(({ name, format, request, response }) => ({
      name,
      format,
      request,
      ...response,
    })),
  );
});

test(
  "recorded traffic from outside goes through the server byte for byte and is recorded",
  { skip: existsSync(FIXTURES) ? false : "no ../shared/fixtures beside this repository" },
  async () => {
    const fixtures = globSync("**/*.txtar", { cwd: FIXTURES }).flatMap((file) => readFixture(file));
    assert.ok(fixtures.length >= 40, `${fixtures.length} fixtures`);
    await playAll(fixtures);
  },
);

async function playAll(all: readonly Exchange[]): Promise<void> {
  const answers = new Map<string, Buffer>();
  for (const exchange of all) {
    exchanges.set(exchange.name, exchange);
    answers.set(exchange.name, await play(exchange));
  }
  const recorded = await recordedByExchange(all);
  for (const exchange of all) {
    await test(exchange.name, () => {
      const observed = observe(exchange);
      assert.deepEqual(received.get(exchange.name), Buffer.from(exchange.request), "the request");
      checkAnswer(exchange, observed, answers.get(exchange.name) ?? Buffer.alloc(0));
      checkRecord(exchange, observed, recorded.get(exchange.name));
    });
  }
}

/**
 * The answer is the provider's, and all of it. A stream that breaks off gets an ending of ours, and
 * one whose last event lacks its line ends gets those.
 */
function checkAnswer(
  { body, isStream }: Exchange,
  observed: ObservedResponse,
  answer: Buffer,
): void {
  assert.deepEqual(answer.subarray(0, body.length), Buffer.from(body), "the provider's bytes");
  const added = answer.subarray(body.length).toString();
  if (isStream && observed.outcome === "incomplete_stream") assert.match(added, /"error"/);
  else if (isStream) assert.match(added, /^\n{0,2}$/);
  else assert.equal(added, "");
}

// oxlint-disable-next-line typescript/no-explicit-any -- An answer of the API, as it comes.
function checkRecord({ format, request, status }: Exchange, observed: ObservedResponse, record: any): void {
  const asked = readModelRequest(format, request);
  assert.ok(asked.ok);
  assert.ok(record !== undefined, "an interception is recorded");
  assert.equal(record.model, asked.value.model ?? "unknown");
  const isAnswered = status < 400;
  const { tokens } = observed;
  assert.deepEqual(
    record.token_usages.map((each: Record<string, unknown>) => [
      each["input_tokens"],
      each["output_tokens"],
      each["cache_read_input_tokens"],
      each["cache_write_input_tokens"],
      each["metadata"],
    ]),
    tokens === null || !isAnswered
      ? []
      : [[tokens.input, tokens.output, tokens.cacheReadInput, tokens.cacheWriteInput, tokens.extra]],
    "tokens",
  );
  const { prompt } = asked.value;
  assert.deepEqual(
    record.user_prompts.map((each: { prompt: string }) => each.prompt),
    isAnswered && prompt !== null && prompt !== "" ? [prompt] : [],
    "prompts",
  );
  assert.deepEqual(
    record.tool_usages
      .map((each: Record<string, unknown>) => [each["provider_tool_call_id"], each["tool"], each["input"]])
      .toSorted(byText),
    isAnswered ? observed.toolCalls.map((call) => [call.toolCallId, call.tool, call.input]).toSorted(byText) : [],
    "tool calls",
  );
  assert.deepEqual(
    record.model_thoughts.map((each: Record<string, unknown>) => [each["source"], each["content"]]).toSorted(byText),
    isAnswered ? observed.thoughts.map((each) => [each.source, each.content]).toSorted(byText) : [],
    "thoughts",
  );
  const isFailed = !isAnswered || observed.error !== null || observed.outcome !== "completed";
  assert.equal(record.error_type !== null, isFailed, `error: ${record.error_message}`);
} // prettier-ignore

/** Rows of one interception have no order of their own. */
function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function observe({ format, body, isStream, status }: Exchange): ObservedResponse {
  if (!isStream || status >= 400) return observeBody(format, body);
  const observer = observeStream(format);
  observer.push(body);
  return observer.end();
}

/**
 * Played with a key of the person's own, so that refusals too come through as they are: with the
 * company's keys a 429 is for the gateway to deal with.
 */
async function play({ name, format, request }: Exchange): Promise<Buffer> {
  const req = httpRequest(`${server.url}/api/v2/ai-gateway${PATHS[format]}?exchange=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: {
      "x-coder-ai-governance-token": person.token,
      authorization: "Bearer sk-of-my-own-0123456789",
      "content-type": "application/json",
      // A client whose session id is a header: it names the exchange in the records.
      "user-agent": "codex_cli_rs/0.1",
      session_id: name,
    },
  });
  req.end(request);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
} // prettier-ignore

// oxlint-disable-next-line typescript/no-explicit-any -- Answers of the API, as they come.
async function recordedByExchange(all: readonly Exchange[]): Promise<Map<string, any>> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const { body } = await server.api("GET", "/api/v2/ai-gateway/interceptions?limit=1000", {
      token: person.session,
    });
    const found = new Map<string, unknown>(
      body.results.map((each: { client_session_id: string }) => [each.client_session_id, each]),
    );
    const missing = all.filter(({ name }) => !found.has(name));
    if (missing.length === 0) return found;
    assert.ok(
      performance.now() < deadlineMs,
      `not recorded: ${missing.map(({ name }) => name).join()}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function readFixture(file: string): Exchange[] {
  const sections = splitSections(readFileSync(join(FIXTURES, file), "utf8"));
  const name = relative(".", file).replace(/\.txtar$/, "");
  const format = name.startsWith("anthropic") ? "messages" : name.includes("chatcompletions") ? "chat_completions" : "responses";
  const request = sections.get("request");
  // Recordings of routes that only pass through have no model request.
  if (request === undefined || request.text.trim() === "") return [];
  return [...sections].flatMap(([section, { text }]) => {
    const isStream = section.startsWith("streaming");
    if (!isStream && !section.startsWith("non-streaming")) return [];
    return [{ name: `${name} ${section}`, format, request: Buffer.from(request.text), ...toAnswer(text, isStream) }];
  });
} // prettier-ignore

function toAnswer(text: string, isStream: boolean): Pick<Exchange, "status" | "headers" | "body" | "isStream"> {
  const raw = /^HTTP\/[\d.]+ (\d+)[^\n]*\n([\s\S]*?)\n\r?\n([\s\S]*)$/.exec(text);
  if (raw === null) {
    const type = isStream ? "text/event-stream" : "application/json";
    return { status: 200, headers: [["content-type", type]], body: Buffer.from(text), isStream };
  }
  const headers = (raw[2] ?? "").split(/\r?\n/).map((line) => {
    const [name = "", ...value] = line.split(":");
    return [name, value.join(":").trim()] as const;
  });
  const kept = headers.filter(([name]) => !["content-length", "connection", "transfer-encoding", "content-encoding"].includes(name.toLowerCase()));
  return { status: Number(raw[1]), headers: kept, body: Buffer.from(raw[3] ?? ""), isStream };
} // prettier-ignore
