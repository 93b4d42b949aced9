/**
 * Two real servers over one real Postgres, and two addresses of a scripted provider that knows which
 * keys are good at each moment. What a provider's operator can do to them, and what is seen of it.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import {
  setUpFirstUser,
  startRealServer,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import { startScriptedModel, type RecordedUpstreamRequest } from "@atelier/testkit/scripted-model";
import { says, type ScriptedReply } from "@atelier/testkit/scripted-model-reply";
import type { TestDatabase } from "@atelier/testkit/test-database";

export type ProviderName = "openai" | "anthropic";

/** What the provider saw of one request. */
export type Sighting = { readonly key: string; readonly door: number; readonly atMs: number };

/** One of the provider's addresses. Connections are counted, and say when they are closed. */
export type Door = AsyncDisposable & { readonly url: string; readonly connections: number };

export type ReloadWorld = AsyncDisposable & {
  readonly servers: readonly RealServer[];
  readonly doors: readonly Door[];
  readonly person: FirstUser;
  readonly database: TestDatabase;
  /** By the number of the request, which stands in its prompt. */
  readonly sightings: Map<number, Sighting>;
  readonly goodKeys: Set<string>;
  /** Requests that the provider refused for their key. */
  readonly refusedKeys: string[];
};

export type Prompt = {
  readonly request: number;
  /** Between two pieces of the answer. */
  readonly delayMs: number;
};

const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");
/** Several in an answer, so that it can be slow. */
const WORDS = Array.from({ length: 12 }, (_, i) => `word-${i}`).join(" ");
const PIECE_BYTES = 200;

export function answerText(request: number): string {
  return `${WORDS} answer-${request}`;
}

export async function startReloadWorld(database: TestDatabase): Promise<ReloadWorld> {
  await using resources = new AsyncDisposableStack();
  const sightings = new Map<number, Sighting>();
  const goodKeys = new Set<string>();
  const refusedKeys: string[] = [];
  const doors: Door[] = [];
  for (const door of [0, 1]) {
    const script = (request: RecordedUpstreamRequest): ScriptedReply => {
      const key = request.header("x-api-key") ?? request.header("authorization")?.slice(7) ?? "";
      const prompt = promptOf(request.body);
      sightings.set(prompt.request, { key, door, atMs: performance.now() });
      if (!goodKeys.has(key)) {
        refusedKeys.push(key);
        return { kind: "problem", status: 401, message: "This key was revoked." };
      }
      const { delayMs } = prompt;
      return says(answerText(prompt.request), { delayMs, chunkBytes: PIECE_BYTES });
    };
    const model = resources.use(await startScriptedModel({ script }));
    doors.push(resources.use(await openDoor(Number(new URL(model.url).port))));
  }
  const options = {
    postgresUrl: database.url,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    args: [
      ...["--api-rate-limit", "0", "--log-level", "error"],
      ...["--prometheus-enable", "--prometheus-address="],
    ],
  };
  const servers = [
    resources.use(await startRealServer(options)),
    resources.use(await startRealServer(options)),
  ];
  const person = await setUpFirstUser(servers[0]!);
  const held = resources.move();
  return {
    servers,
    doors,
    person,
    database,
    sightings,
    goodKeys,
    refusedKeys,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

export function baseUrlOf(provider: ProviderName, door: Door): string {
  return provider === "openai" ? `${door.url}/v1` : door.url;
}

/** When a server last read its providers well, in milliseconds of the wall clock. */
export async function lastReloadAtMs(server: RealServer): Promise<number> {
  const answer = await fetch(`${server.url}/metrics`);
  const text = await answer.text();
  const name = "atelier_providers_last_reload_success_timestamp_seconds";
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]) * 1_000;
}

function promptOf(body: Uint8Array): Prompt {
  const { messages } = JSON.parse(Buffer.from(body).toString());
  return JSON.parse(messages[0].content) as Prompt; // reload-load.ts wrote it.
}

/** Passes bytes on to a port of this machine. */
async function openDoor(port: number): Promise<Door> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.add(near);
    near.on("close", () => {
      sockets.delete(near);
      far.destroy();
    });
    far.on("close", () => near.destroy());
    for (const socket of [near, far]) socket.setNoDelay(true).on("error", () => {});
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
