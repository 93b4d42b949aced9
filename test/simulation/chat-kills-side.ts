/**
 * One of the two servers that drive chats, on wires that can be struck: to the database, and from the other
 * server. What it says on them is listened to.
 */
import { freePort } from "@atelier/testkit/free-port";
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import type { TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseTap, relayTap, type Aim } from "./chat-kills-aim.ts";
import { SMALL_CONTEXT_TOKENS } from "./chat-kills-context.ts";
import { TALLY, type TallyCall } from "./chat-kills-tally.ts";
import { FaultyWire, type HeldFate } from "./faulty-wire.ts";
import type { Said } from "./postgres-talk.ts";

/** One of the servers. */
export type Side = {
  /** To the database. */
  readonly wire: FaultyWire;
  /** From the other server. */
  readonly relay: FaultyWire;
  /** Ids that its server has taken chats with, or kept them: its runners are among them. */
  readonly ids: Set<string>;
  server: RealServer;
};

export type Aimed = {
  aims: readonly Aim<Side>[];
  /** It comes late when chats are to be taken, so that the other one has them all. */
  late: Side | null;
  listener: Listener | null;
};

/** Hears all that servers say to the database, to the workspace's agent, to each other, and to the tool server. */
export type Listener = {
  readonly database: (said: Said) => void;
  readonly agent: (text: string) => void;
  readonly relay: (text: string) => void;
  readonly tally: (call: TallyCall) => void;
};

const ENCRYPTION_KEY = Buffer.alloc(32, 9).toString("base64");
/** By then the other server has taken what there was. */
const LATE_MS = 1_500;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Its context is full with what chats are told to fill it with. */
export async function addSmallModel(
  server: RealServer,
  providerId: string,
  token: string,
): Promise<string> {
  return create(server, token, "/api/v2/organizations/default/chats/models", {
    ...{ ai_provider_id: providerId, model: "claude-small" },
    context_limit: SMALL_CONTEXT_TOKENS,
  });
}

/** Chats have it where they ask for it. */
export async function addToolServer(
  server: RealServer,
  url: string,
  token: string,
): Promise<string> {
  const body = { slug: TALLY.slug, url, auth: { type: "none" } };
  return create(server, token, "/api/v2/mcp-servers", body);
}

/** The id of what was made. */
async function create(
  server: RealServer,
  token: string,
  path: string,
  wanted: object,
): Promise<string> {
  const { status, body } = await server.api("POST", path, { token, body: wanted });
  assert.equal(status, 201, JSON.stringify(body));
  return body.id as string;
}

export async function startSide(
  database: TestDatabase,
  resources: AsyncDisposableStack,
  aimed: Aimed,
): Promise<Side> {
  const { host, port } = database.connection;
  const ids = new Set<string>();
  const hear = (said: Said): Promise<HeldFate> | null => {
    const { text, values } = said;
    aimed.listener?.database(said);
    if (text.includes("insert into chat_heartbeats")) {
      for (const [id] of values.matchAll(UUID)) ids.add(id);
    }
    const isLate = aimed.late?.ids === ids && text.includes("with wanting as materialized");
    return isLate ? sleep(LATE_MS, "pass") : null;
  };
  let side: Side | null = null;
  const wire = resources.use(
    await FaultyWire.start(`${host}/.s.PGSQL.${port}`, () =>
      databaseTap(
        () => side,
        () => aimed.aims,
        hear,
      ),
    ),
  );
  const serverPort = await freePort();
  const relay = resources.use(
    await FaultyWire.start(serverPort, () =>
      relayTap(
        () => aimed.aims,
        (text) => aimed.listener?.relay(text),
      ),
    ),
  );
  side = { wire, relay, ids, server: await startServer(database, { wire, relay }, serverPort) };
  return side;
}

export function startServer(
  { connection }: TestDatabase,
  { wire, relay }: Pick<Side, "wire" | "relay">,
  port: number,
): Promise<RealServer> {
  const { user, database } = connection;
  return startRealServer({
    postgresUrl: `postgres://${user}@127.0.0.1:${wire.port}/${database}?sslmode=disable`,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    args: [
      ...["--log-level", "error", "--http-address", `127.0.0.1:${port}`],
      ...["--relay-url", relay.url],
    ],
  });
}
