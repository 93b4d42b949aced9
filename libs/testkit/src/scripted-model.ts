/**
 * A model provider without a model: an HTTP server that speaks all three wire formats. It answers any
 * request sensibly, calls tools on command (scripted-model-conduct.ts), and does whatever else a test
 * prepares: errors, slow pieces, cut connections. It keeps what it was sent, and tells whether the
 * client stayed for the answer. Serves tests, the demo and development alike.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@atelier/base/clock";
import { systemClock } from "@atelier/base/system-clock";
import { errorBody } from "@atelier/model-wire/error-body";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { type ModelConversation, readConversation } from "./scripted-model-conduct.ts";
import {
  defaultReply,
  json,
  type Pacing,
  type ScriptedReply,
  sendReply,
} from "./scripted-model-reply.ts";

export type RecordedUpstreamRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** As they came, in their order and case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first value; the case of the name does not matter. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
  /** When the connection closed before the answer was complete, by the clock's monotonic time. */
  readonly closedAtMs: number | null;
  /** Resolves when the exchange is over: answered, or left by the client. */
  readonly over: Promise<void>;
};

export type ScriptedModelOptions = {
  /** Other keys are refused with 401. Without one, every key is as good as none. */
  readonly apiKey?: string;
  /** Asked when no reply is in the queue; null means the ordinary answer. */
  readonly script?: (request: RecordedUpstreamRequest) => ScriptedReply | null;
  /** How ordinary answers are sent: a demo looks more alive with a delay. */
  readonly pacing?: Pacing;
  readonly clock?: Clock;
  readonly port?: number;
};

export type ScriptedModel = AsyncDisposable & {
  /** Without a path: OpenAI clients add `/v1`. */
  readonly url: string;
  /** Every request so far, with the refused ones. */
  readonly requests: readonly RecordedUpstreamRequest[];
  /** Replies for the next requests with the right key, whatever they ask for, one each. */
  enqueue(...replies: ScriptedReply[]): void;
  /** The next request that has not been handed out. */
  nextRequest(): Promise<RecordedUpstreamRequest>;
};

export async function startScriptedModel(
  options: ScriptedModelOptions = {},
): Promise<ScriptedModel> {
  const server = createServer();
  const exchanges = new Exchanges(options);
  server.on("request", (request, response) => {
    exchanges.serve(request, response).catch((error: unknown) => {
      // A bug of the scripted model itself: the test that waits for the answer shows it.
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  // Clients keep connections for as long as they like; tests count them.
  server.keepAliveTimeout = 0;
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  return {
    url: `http://127.0.0.1:${port}`,
    requests: exchanges.requests,
    enqueue: (...replies) => exchanges.enqueue(replies),
    nextRequest: () => exchanges.nextRequest(),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class Exchanges {
  readonly requests: RecordedUpstreamRequest[] = [];
  readonly #options: ScriptedModelOptions;
  readonly #clock: Clock;
  readonly #queue: ScriptedReply[] = [];
  readonly #waiting: ((request: RecordedUpstreamRequest) => void)[] = [];
  #handedOut = 0;

  constructor(options: ScriptedModelOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  enqueue(replies: readonly ScriptedReply[]): void {
    this.#queue.push(...replies);
  }

  nextRequest(): Promise<RecordedUpstreamRequest> {
    const request = this.requests[this.#handedOut];
    this.#handedOut += 1;
    if (request !== undefined) return Promise.resolve(request);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    const record = this.#record(request, response, left);
    const body = await readBody(request);
    // It left while it sent its request: there is none to keep.
    if (body === null) return;
    const recorded = Object.assign(record, { body });
    this.requests.push(recorded);
    this.#waiting.shift()?.(recorded);

    const route = findRoute(recorded.path);
    const format = route === null || typeof route === "string" ? shapeFor(recorded) : route.format;
    if (!this.#mayEnter(recorded)) {
      const problem = { status: 401, message: "This is not the scripted model's key." };
      response.writeHead(401, JSON_HEADERS).end(errorBody(format, problem));
      return;
    }
    const conversation = readConversation(format, body);
    const reply =
      this.#queue.shift() ??
      this.#options.script?.(recorded) ??
      this.#ordinaryReply(recorded, route, conversation);
    const deps = { clock: this.#clock, signal: left.signal, newId };
    await sendReply(response, reply, conversation, deps);
  }

  #record(
    request: IncomingMessage,
    response: ServerResponse,
    left: AbortController,
  ): Omit<RecordedUpstreamRequest, "body"> {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const headers = pairs(request.rawHeaders);
    const record = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers,
      header: (name: string) =>
        headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1],
      closedAtMs: null as number | null,
      over,
    };
    response.on("close", () => {
      if (!response.writableFinished) record.closedAtMs = this.#clock.monotonicMs();
      left.abort();
      end();
    });
    // A client that leaves in the middle is an ordinary event here.
    request.on("error", () => {});
    response.on("error", () => {});
    return record;
  }

  #mayEnter(request: RecordedUpstreamRequest): boolean {
    const { apiKey } = this.#options;
    const bearer = request.header("authorization")?.replace(/^Bearer /i, "");
    return apiKey === undefined || [request.header("x-api-key"), bearer].includes(apiKey);
  }

  #ordinaryReply(
    request: RecordedUpstreamRequest,
    route: Route | null,
    conversation: ModelConversation,
  ): ScriptedReply {
    if (route === "models") return json(200, listModels());
    if (route === "telemetry") return json(200, {});
    if (route === "count_tokens") return json(200, { input_tokens: conversation.inputTokens });
    if (route === null) {
      const message = `There is no ${request.method} ${request.path} here.`;
      return { kind: "problem", status: 404, message };
    }
    if (request.method !== "POST") {
      return { kind: "problem", status: 405, message: "Only POST is served here." };
    }
    return defaultReply(conversation, newId, this.#options.pacing ?? {});
  }
}

type Route = { readonly format: WireFormat } | "models" | "count_tokens" | "telemetry";

const JSON_HEADERS = { "content-type": "application/json" };
const MODELS = ["scripted", "scripted-small"];

/** By how the path ends, so that base URLs may have a path of their own. */
function findRoute(pathAndQuery: string): Route | null {
  const path = pathAndQuery.replace(/\?.*$/, "");
  if (path.endsWith("/chat/completions")) return { format: "chat_completions" };
  if (path.endsWith("/responses")) return { format: "responses" };
  if (path.endsWith("/messages")) return { format: "messages" };
  if (path.endsWith("/messages/count_tokens")) return "count_tokens";
  if (path.endsWith("/models")) return "models";
  return path.includes("/api/event_logging/") ? "telemetry" : null;
}

/** In whose words to refuse what no format owns. */
function shapeFor(request: RecordedUpstreamRequest): WireFormat {
  const isAnthropic = request.header("anthropic-version") !== undefined;
  return isAnthropic || request.path.includes("/messages") ? "messages" : "chat_completions";
}

/** OpenAI's and Anthropic's lists in one: each client reads the members it knows. */
function listModels(): object {
  return {
    object: "list",
    data: MODELS.map((id) => ({
      id,
      object: "model",
      created: 1_790_000_000,
      owned_by: "atelier",
      type: "model",
      display_name: id,
      created_at: "2026-09-21T00:00:00Z",
    })),
    has_more: false,
    first_id: MODELS[0],
    last_id: MODELS.at(-1),
  };
}

/** Unlike any other, also over several runs: records are linked by the ids of tool calls. */
function newId(): string {
  return `scripted_${randomUUID().replaceAll("-", "")}`;
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ""] as const] : []));
}

/** Null when the client left before the body's end. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
  } catch {
    return null; // The connection broke: the caller has nobody to answer.
  }
  return Buffer.concat(chunks);
}
