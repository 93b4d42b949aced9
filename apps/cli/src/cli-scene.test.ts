/**
 * One run of the CLI in this process, against an API that keeps the contract: each request must fit
 * its endpoint's schemas, and so must each answer.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import type { ApiRequest, ApiResponse, SendFailure } from "@atelier/contract/client";
import type { Endpoint } from "@atelier/contract/endpoint";
import { FAILURES, type FailureCode } from "@atelier/contract/failures";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { FakeClock } from "@atelier/testkit/fake-clock";
import type { ByteStreams } from "./byte-streams.ts";
import { parseEnvironment } from "./config.ts";
import type { EventSocket } from "./open-events.ts";
import type { Prompts } from "./prompts.ts";
import { runCli } from "./run-cli.ts";
import { NO_STREAMS } from "./streams-testkit.ts";

export const TIME = "2026-01-01T00:00:00.000Z";
export const ID = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
export const ANN = {
  id: ID,
  email: "ann@example.com",
  username: "ann",
  name: "Ann",
  status: "active",
  roles: ["owner"],
  organization_ids: [],
  created_at: TIME,
  updated_at: TIME,
  last_seen_at: null,
};
export const SIGNED_IN = { ATELIER_URL: "http://atelier.test", ATELIER_TOKEN: "env-token" };

test("a scene refuses an answer that its endpoint would not give", async () => {
  const wrong = { variables: SIGNED_IN, "GET /api/v2/users": () => ({ users: [{}], count: 1 }) };
  await assert.rejects(cli(["users", "list"], wrong), /Invalid input/);
});

export type Parsed = { readonly query: Record<string, unknown>; readonly body: unknown };
type Handler = (request: Parsed) => object | FailureCode | null;
type Scene = {
  readonly variables?: Record<string, string>;
  /** URL → token; the last one is the default. */
  readonly stored?: Record<string, string>;
  readonly storedKind?: "session" | "token";
  readonly stdin?: string;
  /** Somebody is there, and answers this. */
  readonly answers?: readonly (string | boolean)[];
  /** Stdout is a terminal of this width. */
  readonly columns?: number;
  readonly network?: SendFailure;
  /** One for each WebSocket that is opened, in order. */
  readonly sockets?: readonly SocketScript[];
  /** Default: nobody types, and nobody looks. */
  readonly streams?: ByteStreams;
  /** Default: time stands still. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Hears what is written, when it is. */
  readonly onOut?: (text: string) => void;
  readonly foreign?: { readonly status: number; readonly body: string };
  readonly [route: `${string} /${string}`]: Handler;
};
export type SocketScript =
  | { readonly refused: number }
  | {
      readonly messages: Iterable<unknown> | AsyncIterable<unknown>;
      /** How the server ends it; absent: it stays open. */
      readonly closes?: number;
    };
type StoredFile = {
  readonly default_url: string | null;
  readonly servers: Record<string, { readonly token: string; readonly kind: string }>;
};

export async function cli(words: readonly string[], scene: Scene) {
  const configDir = await mkdtemp(join(tmpdir(), "atelier-cli-"));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rm(configDir, { recursive: true }));
  const file = join(configDir, "credentials.json");
  if (scene.stored !== undefined) await writeFile(file, storedFile(scene));
  let out = "";
  let err = "";
  let serverWords: readonly string[] = [];
  const requests: (ApiRequest & { readonly url: string; readonly token: string | undefined })[] =
    [];
  const sockets: string[] = [];
  const clock = scene.clock ?? new FakeClock();
  const exitCode = await runCli(words, {
    environment: parseEnvironment({ ATELIER_CONFIG_DIR: configDir, ...scene.variables }, "/none"),
    terminal: {
      isInteractive: scene.answers !== undefined,
      columns: scene.columns ?? null,
      writeOut: (text) => {
        out += text;
        scene.onOut?.(text);
      },
      writeErr: (text) => (err += text),
      readInput: async () => ok(scene.stdin ?? ""),
    },
    prompts: answering(scene.answers ?? []),
    clock,
    random: systemRandom,
    signal: scene.signal ?? new AbortController().signal,
    sendTo: (target) => async (request) => {
      requests.push({ ...request, url: target.url, token: target.token?.reveal() });
      target.report(`${request.method} ${target.url}${request.path}`);
      return respond(scene, request);
    },
    streams: scene.streams ?? NO_STREAMS,
    openEvents: async ({ url }, signal) => {
      const script = scene.sockets?.[sockets.length];
      sockets.push(url.pathname + url.search);
      if (script === undefined) {
        return fail({ kind: "unreachable", error: new Error("no network") });
      }
      return "refused" in script
        ? fail({ kind: "refused", status: script.refused, body: "" })
        : ok(scriptedSocket(script, signal));
    },
    dialServices: async () => fail({ kind: "unreachable", error: new Error("no network") }),
    startOwnProgram: async (_program, given) => {
      serverWords = given;
      return 42;
    },
  });
  const stored = await readFile(file, "utf8").catch(() => null);
  const credentials = stored === null ? null : (JSON.parse(stored) as StoredFile);
  return { exitCode, out, err, requests, sockets, credentials, serverWords };
}

function scriptedSocket(
  { messages, closes }: Extract<SocketScript, { messages: unknown }>,
  signal: AbortSignal,
): EventSocket {
  const closed = new AbortController();
  const isOver = AbortSignal.any([signal, closed.signal]);
  return {
    messages: (async function* () {
      for await (const message of messages) {
        if (isOver.aborted) return;
        yield JSON.stringify(message);
      }
      if (closes !== undefined || isOver.aborted) return;
      await once(isOver, "abort");
    })(),
    closeCode: () => closes ?? null,
    close: () => closed.abort(),
  };
}

function storedFile({ stored = {}, storedKind: kind = "session" }: Scene): string {
  const entries = Object.entries(stored);
  return JSON.stringify({
    version: 1,
    default_url: entries.at(-1)?.[0] ?? null,
    servers: Object.fromEntries(
      entries.map(([url, token]) => [url, { token, kind, username: "ann" }]),
    ),
  });
}

function answering(answers: readonly (string | boolean)[]): Prompts {
  const left = [...answers];
  const next = () => {
    const answer = left.shift();
    assert.notEqual(answer, undefined, "no further question was expected");
    return answer;
  };
  return {
    text: async () => ok(String(next())),
    secret: async () => ok(new Secret(String(next()))),
    confirm: async () => ok(next() === true),
  };
}

function respond(scene: Scene, request: ApiRequest): Result<ApiResponse, SendFailure> {
  if (scene.network !== undefined) return fail(scene.network);
  const headers = { requestId: "r-1", retryAfterSeconds: null };
  if (scene.foreign !== undefined) return ok({ ...scene.foreign, ...headers });
  const url = new URL(request.path, "http://host");
  const endpoint = endpointOf(request.method, url.pathname);
  const handler = scene[`${endpoint.method} ${endpoint.path}`];
  assert.ok(handler !== undefined, `an answer for ${request.method} ${request.path}`);
  const query = endpoint.query.parse(Object.fromEntries(url.searchParams));
  const json: unknown = request.body === null ? undefined : JSON.parse(request.body);
  const body = endpoint.body === null ? json : endpoint.body.parse(json);
  const answer = handler({ query, body });
  if (typeof answer === "string") {
    const { status, message } = FAILURES[answer];
    return ok({ status, body: JSON.stringify({ code: answer, message }), ...headers });
  }
  const success = endpoint.success.body?.parse(answer) ?? null;
  const text = success === null ? "" : JSON.stringify(success);
  return ok({ status: endpoint.success.status, body: text, ...headers });
}

/** The endpoint of a path; one without a parameter in that place wins. */
function endpointOf(method: string, pathname: string): Endpoint {
  const matching = ENDPOINTS.filter((endpoint) => {
    const pattern = endpoint.path.replaceAll(/:\w+/g, "[^/]+");
    return endpoint.method === method && new RegExp(`^${pattern}$`).test(pathname);
  });
  const [best] = matching.toSorted((a, b) => a.path.split(":").length - b.path.split(":").length);
  assert.ok(best !== undefined, `an endpoint for ${method} ${pathname}`);
  return best;
}
