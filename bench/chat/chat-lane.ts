/**
 * A whole server with chats, recording and its own Postgres on disk, in processes of its own; a scripted
 * model beside it, and viewers that note when what arrives.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { openDatabase, type Database } from "@atelier/database/database";
import { startEmbeddedPostgres } from "@atelier/database/embedded-postgres";
import type { SocketConnection } from "@atelier/database/postgres-process";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel, type RecordedUpstreamRequest } from "@atelier/testkit/scripted-model";
import { says, type ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import { WebSocket } from "ws";
import { startFloor, type Floor } from "./floor.ts";

export type ChatLane = {
  readonly connection: SocketConnection;
  readonly database: Database;
  /** The first one. Further ones share its database. */
  readonly server: RealServer;
  readonly model: BenchModel;
  readonly token: string;
  startAnother(postgresUrl?: string): Promise<RealServer>;
  /** On the same database, before the same model. */
  startFloor(): Promise<Floor>;
  /** The first server's event loop since then (`Date.now()`): how late, at p99 of each half second. */
  loopDelaysSince(sinceMs: number): readonly number[];
};

export type BenchModel = {
  readonly url: string;
  /** What the next requests are answered with. */
  answer: (request: RecordedUpstreamRequest) => ScriptedReply | null;
  /** Of requests with their bodies read, the last one first told. */
  heard: (request: RecordedUpstreamRequest) => void;
};

/** Everything ends with `resources`. */
export async function startChatLane(resources: AsyncDisposableStack): Promise<ChatLane> {
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-bench-"));
  resources.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const deps = { log: silentLogger, clock: systemClock };
  const postgres = resources.use(await startEmbeddedPostgres({ dataDir, ...deps }));
  const connection = postgres.connection;
  const model = await startBenchModel(resources);
  // All of them open what one has sealed.
  const env = { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: randomBytes(32).toString("base64") };
  const start = async (
    postgresUrl: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<RealServer> =>
    resources.use(
      await startRealServer({ postgresUrl, env: { ...env, ...more }, args: UNLIMITED }),
    );
  const startAnother = (postgresUrl = urlOf(connection)): Promise<RealServer> => start(postgresUrl);
  const loopFile = join(dataDir, "loop-delays");
  const server = await start(urlOf(connection), {
    NODE_OPTIONS: `--import=${new URL("loop-delay.ts", import.meta.url).href}`,
    BENCH_LOOP_FILE: loopFile,
  });
  const { session: token } = await setUpFirstUser(server);
  await addModel(server, token, model.url);
  const database = resources.use(
    openDatabase({
      ...{ connection, applicationName: "bench", connectionsMax: 4, log: silentLogger },
    }),
  );
  const loopDelaysSince = (sinceMs: number): readonly number[] =>
    readFileSync(loopFile, "utf8")
      .split("\n")
      .map((line) => line.split(" ").map(Number))
      .flatMap(([atMs = 0, lateMs = 0]) => (atMs > sinceMs ? [lateMs] : []));
  const floor = (): Promise<Floor> =>
    startFloor(database, { connection, modelUrl: model.url }, resources);
  return {
    ...{ connection, database, server, model, token, startAnother, loopDelaysSince },
    startFloor: floor,
  };
}

/** One person has all chats here. */
const UNLIMITED = [
  "--log-level=error",
  "--api-rate-limit=0",
  "--ai-gateway-rate-limit=0",
  "--ai-gateway-max-concurrency=0",
  "--ai-gateway-max-concurrency-per-user=0",
  "--chat-max-working=0",
];

function urlOf({ host, port, user, database }: SocketConnection): string {
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

async function startBenchModel(resources: AsyncDisposableStack): Promise<BenchModel> {
  const hooks: Pick<BenchModel, "answer" | "heard"> = { answer: () => null, heard: () => {} };
  const model = resources.use(
    await startScriptedModel({
      script: (request) => {
        hooks.heard(request);
        // Titles and summaries are asked for beside the turns, without their tools.
        return isTurn(request) ? hooks.answer(request) : says("A title");
      },
    }),
  );
  return Object.assign(hooks, { url: model.url });
}

export function isTurn({ body }: RecordedUpstreamRequest): boolean {
  return Buffer.from(body).includes('"tools":');
}

async function addModel(server: RealServer, token: string, url: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const { status, body: made } = await server.api("POST", path, { token, body });
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(made)}`);
    return made;
  };
  const provider = await post("/api/v2/ai/providers", {
    ...{ type: "anthropic", name: "scripted", base_url: url, api_keys: ["sk-scripted"] },
  });
  await post("/api/v2/organizations/default/chats/models", {
    ...{ ai_provider_id: provider.id, model: "claude-scripted", context_limit: 200_000 },
  });
}

type Server = Pick<RealServer, "url" | "api">;

/** Of one person, as the server allows; a few are left for others of the same. */
const SOCKETS_OF_A_PERSON = 240;

/** Sessions of people who may read all chats, as many as it takes to have so many sockets. */
export async function sessionsFor(
  server: Server,
  token: string,
  sockets: number,
): Promise<readonly string[]> {
  const sessions: string[] = [];
  const password = "correct-horse-battery-9";
  for (let i = 0; i * SOCKETS_OF_A_PERSON < sockets; i += 1) {
    const username = `viewer-${Date.now()}-${i}`;
    const email = `${username}@example.com`;
    const person = { email, username, password, roles: ["owner"] };
    const made = await server.api("POST", "/api/v2/users", { token, body: person });
    if (made.status !== 201) throw new Error(`add a person: ${JSON.stringify(made.body)}`);
    const body = { email, password };
    const { body: signedIn } = await server.api("POST", "/api/v2/users/login", { body });
    sessions.push(signedIn.session_token);
  }
  return sessions;
}

/** Which of the sessions has the socket of this number. */
export function sessionOf(sessions: readonly string[], socket: number): string {
  const session = sessions[Math.floor(socket / SOCKETS_OF_A_PERSON)];
  if (session === undefined) throw new Error("there is a session for each socket");
  return session;
}

export async function createChat(server: Server, token: string, text: string): Promise<string> {
  const body = { content: [{ type: "text", text }] };
  const made = await server.api("POST", "/api/v2/chats", { token, body });
  if (made.status !== 201) throw new Error(`create a chat: ${JSON.stringify(made.body)}`);
  return made.body.id;
}

export async function sendMessage(
  server: Server,
  token: string,
  chatId: string,
  text: string,
): Promise<void> {
  const body = { content: [{ type: "text", text }] };
  const sent = await server.api("POST", `/api/v2/chats/${chatId}/messages`, { token, body });
  if (sent.status !== 200) throw new Error(`send: ${JSON.stringify(sent.body)}`);
}

export type Viewer = Disposable & {
  /** Events of this type, in all. */
  count(type: string): number;
  /** When the next event came that this holds for, by `performance.now()`. */
  next(isWanted: (event: ViewedEvent) => boolean): Promise<number>;
};

export type ViewedEvent = {
  readonly type: string;
  readonly status?: { readonly status: string };
  readonly message?: { readonly role: string };
  readonly message_part?: { readonly part: { readonly type: string; readonly text?: string } };
};

export async function watch(server: Server, token: string, chatId: string): Promise<Viewer> {
  const url = `${server.url.replace(/^http/, "ws")}/api/v2/chats/${chatId}/stream`;
  const socket = new WebSocket(url, {
    headers: { "coder-session-token": token },
    perMessageDeflate: false,
  });
  const counts = new Map<string, number>();
  const wanted = new Set<{ is(event: ViewedEvent): boolean; resolve(atMs: number): void }>();
  socket.on("error", () => {}); // A server that is killed cuts it off.
  socket.on("message", (data: Buffer) => {
    const atMs = performance.now();
    for (const event of JSON.parse(data.toString("utf8")) as readonly ViewedEvent[]) {
      counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
      for (const each of wanted) {
        if (!each.is(event)) continue;
        wanted.delete(each);
        each.resolve(atMs);
      }
    }
  });
  await once(socket, "open");
  return {
    count: (type) => counts.get(type) ?? 0,
    next: (is) =>
      new Promise((resolve) => {
        wanted.add({ is, resolve });
      }),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

export function isAtRest({ type, status }: ViewedEvent): boolean {
  return type === "status" && status?.status === "waiting";
}

/** An answer that is whole before its first parts are kept is shown as a message. */
export function isFirstText({ type, message_part, message }: ViewedEvent): boolean {
  if (type === "message") return message?.role === "assistant";
  return type === "message_part" && message_part?.part.type === "text";
}

/** A chat that has answered once, and one who watches it. */
export async function chatAtRest(
  server: Server,
  token: string,
): Promise<{ readonly chatId: string; readonly viewer: Viewer }> {
  const chatId = await createChat(server, token, "Hello");
  const viewer = await watch(server, token, chatId);
  await untilAtRest(server, token, chatId);
  return { chatId, viewer };
}

/** A viewer that is shown a short turn only when it is over is not told that the chat came to rest. */
export async function untilAtRest(server: Server, token: string, chatId: string): Promise<void> {
  for (;;) {
    const { body } = await server.api("GET", `/api/v2/chats/${chatId}`, { token });
    if (body.status === "waiting") return;
    if (body.status === "error") throw new Error(JSON.stringify(body.last_error));
    await sleep(20);
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
