/** A control plane on a database of its own, spoken to over real HTTP, with a clock that tests move. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { BlockList, type AddressInfo } from "node:net";
import assert from "node:assert/strict";
import { Secret } from "@atelier/base/secret";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { PREVIEW_AUTH_PATH } from "@atelier/contract/http/workspace-previews";
import type { Role } from "@atelier/contract/permissions";
import { startPubSub, type PubSub } from "@atelier/database/pub-sub";
import { createMetrics } from "@atelier/host/metrics";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { PRINCIPALS_CHANGED } from "./access/principal-change.ts";
import {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneConfig,
  type ControlPlaneDeps,
} from "./start.ts";

export const PASSWORD = "correct horse battery";
/** Shown in answers nowhere: whatever begins like this is a secret. */
export const SECRET_CANARY = "canary-7f3a";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the answer is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- Tests look into answers of many shapes.
  readonly body: any;
};

export type Call = {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Person = { readonly id: string; readonly username: string; readonly token: string };

export type TestControlPlane = AsyncDisposable & {
  readonly url: string;
  readonly plane: ControlPlane;
  readonly database: TestDatabase;
  readonly pubSub: PubSub;
  readonly clock: FakeClock;
  /** Emits `message` when one about principals arrived here and was dealt with. */
  readonly changes: EventEmitter;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** The first user: an owner called `owner`. */
  setUp(): Promise<Person>;
  /** Made by the owner, and signed in. */
  addPerson(username: string, roles?: readonly Role[]): Promise<Person>;
  logIn(username: string, password?: string): Promise<string>;
};

export type TestOptions = {
  readonly config?: Partial<ControlPlaneConfig>;
  readonly log?: Logger;
  /** Instead of a fresh one, for a second replica. */
  readonly database?: TestDatabase;
  readonly clock?: FakeClock;
};

export async function startTestControlPlane(options: TestOptions = {}): Promise<TestControlPlane> {
  await using resources = new AsyncDisposableStack();
  const database = options.database ?? resources.use(await testDatabase());
  const clock = options.clock ?? new FakeClock();
  const log = options.log ?? silentLogger;
  const pubSub = resources.use(
    startPubSub(
      { connection: database.connection, applicationName: "atelier tests" },
      { clock: systemClock, random: systemRandom, log },
    ),
  );
  const deps = { ...testDeps(options.config), database, pubSub, clock, log };
  const plane = resources.use(await startControlPlane(deps));
  const changes = new EventEmitter();
  // Subscribed after the control plane's own parts, and so told after them.
  const subscription = pubSub.subscribe(PRINCIPALS_CHANGED, {
    message: (payload) => changes.emit("message", payload),
    resync: () => changes.emit("resync"),
  });
  resources.use(subscription);
  await once(changes, "resync", { signal: AbortSignal.timeout(60_000) });
  const previewsOf = ({ headers }: IncomingMessage) =>
    plane.previews?.isPreviewHost(headers.host) ? plane.previews : plane;
  const server = createServer((request, response) => {
    const isAuth = request.url?.split("?")[0] === PREVIEW_AUTH_PATH;
    const previews = previewsOf(request);
    if (isAuth && previews === plane) plane.previews?.authorize(request, response);
    else previews.handle(request, response);
  });
  server.on("upgrade", (request, socket, head) =>
    previewsOf(request).upgrade(request, socket, head),
  );
  resources.defer(async () => {
    plane.closeSockets();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await plane.reachableAt(url);
  const owned = resources.move();
  return {
    url,
    plane,
    database,
    pubSub,
    clock,
    changes,
    ...conversation(url),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function testDeps(
  config: Partial<ControlPlaneConfig> = {},
): Omit<ControlPlaneDeps, "database" | "pubSub" | "clock" | "log"> {
  return {
    random: systemRandom,
    metrics: createMetrics(),
    version: "0.0.0-test",
    hostname: "test-host",
    optionRows: [],
    config: {
      accessUrl: "http://127.0.0.1:3000",
      previewWildcard: null,
      sessionDurationMs: 86_400_000,
      defaultTokenLifetimeMs: 7 * 86_400_000,
      maxTokenLifetimeMs: 365 * 86_400_000,
      auditRetentionMs: 0,
      connectionLogRetentionMs: 0,
      apiRateLimitPerMinute: 0,
      isChatSharingEnabled: true,
      trustedProxies: new BlockList(),
      usageRetentionMs: 0,
      usageTotalsRetentionMs: 0,
      logUsageRecords: false,
      recording: { mode: "strict", dataDir: "/nonexistent", spoolBytesMax: 0 },
      allowByok: true,
      providerSeeds: [],
      encryptionKeys: [new Secret(Buffer.alloc(32, 7).toString("base64"))],
      ...config,
    },
  };
}

function conversation(
  url: string,
): Pick<TestControlPlane, "call" | "setUp" | "addPerson" | "logIn"> {
  let ownerToken = "";
  const call: TestControlPlane["call"] = async (method, path, { token, body, headers } = {}) => {
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { "coder-session-token": token }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const { status } = response;
    return {
      status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  };
  const logIn: TestControlPlane["logIn"] = async (username, password = PASSWORD) => {
    const body = { email: `${username}@example.com`, password };
    const answer = await call("POST", "/api/v2/users/login", { body });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.session_token as string;
  };
  return {
    call,
    logIn,
    setUp: async () => {
      const body = { email: "owner@example.com", username: "owner", password: PASSWORD };
      const made = await call("POST", "/api/v2/users/first", { body });
      assert.equal(made.status, 201, made.text);
      ownerToken = await logIn("owner");
      return { id: made.body.user_id, username: "owner", token: ownerToken };
    },
    addPerson: async (username, roles = []) => {
      const body = { email: `${username}@example.com`, username, password: PASSWORD, roles };
      const made = await call("POST", "/api/v2/users", { token: ownerToken, body });
      assert.equal(made.status, 201, made.text);
      return { id: made.body.id, username, token: await logIn(username) };
    },
  };
}
