/** What a server carries: chats that stream to two viewers each, and viewers of chats at rest. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { says } from "@atelier/testkit/scripted-model-reply";
import { WebSocket } from "ws";
import { slopeOf } from "../figures.ts";
import { treeCpuMs, treeMemoryKb } from "../process-tree.ts";
import {
  chatAtRest,
  createChat,
  isTurn,
  quantile,
  sessionOf,
  sessionsFor,
  watch,
  type ChatLane,
  type Viewer,
} from "./chat-lane.ts";
import type { ChatFigures } from "./latency.ts";
import { sql } from "kysely";

const PART_EVERY_MS = 50;
const VIEWERS_EACH = 2;

/** CPU of a server and of Postgres while so many chats stream, and how much arrived of what was sent. */
export async function measureStreams(
  lane: ChatLane,
  { chats, seconds }: { readonly chats: number; readonly seconds: number },
): Promise<ChatFigures> {
  const { server, token, model } = lane;
  const parts = Math.ceil(((seconds + 8 + chats / 20) * 1_000) / PART_EVERY_MS);
  const text = "some words of it ".repeat(parts);
  model.answer = () => says(text, { delayMs: PART_EVERY_MS });
  let asked = 0;
  model.heard = (request) => {
    asked += isTurn(request) ? 1 : 0;
  };
  const viewers: Viewer[] = [];
  const ids: string[] = [];
  const sessions = await sessionsFor(server, token, chats * VIEWERS_EACH);
  for (let made = 0; made < chats; made += 1) {
    const id = await createChat(server, token, "Tell me much");
    ids.push(id);
    for (let i = 0; i < VIEWERS_EACH; i += 1) {
      viewers.push(await watch(server, sessionOf(sessions, viewers.length), id));
    }
  }
  while (asked < chats) await sleep(20);
  await sleep(1_500);
  const seen = (): number =>
    viewers.reduce((total, viewer) => total + viewer.count("message_part"), 0);
  const own = server.child.pid ?? 0;
  const before = { cpu: treeCpuMs(own).own, postgres: treeCpuMs(process.pid).postgres };
  const [seenBefore, startedMs, beganMs] = [seen(), performance.now(), Date.now()];
  await sleep(seconds * 1_000);
  // The middle one of the half seconds: the worst is whatever else the machine did.
  const loopMs = quantile(lane.loopDelaysSince(beganMs + 500), 0.5);
  const tookS = (performance.now() - startedMs) / 1_000;
  const after = { cpu: treeCpuMs(own).own, postgres: treeCpuMs(process.pid).postgres };
  const arrived = (seen() - seenBefore) / VIEWERS_EACH / chats / tookS;
  for (const viewer of viewers) viewer[Symbol.dispose]();
  model.answer = () => null;
  model.heard = () => {};
  for (const id of ids) {
    await server.api("POST", `/api/v2/chats/${id}/interrupt`, { token });
  }
  await sleep(500);
  return {
    [`${chats} streams: server CPU ms/s`]: (after.cpu - before.cpu) / tookS,
    [`${chats} streams: Postgres CPU ms/s`]: (after.postgres - before.postgres) / tookS,
    [`${chats} streams: parts/s of a chat`]: arrived,
    [`${chats} streams: event loop p99`]: loopMs,
  };
}

/** The line through the measured points: what one more streaming chat costs, and how many fill a core. */
export function chatsPerCore(
  counts: readonly number[],
  figures: Readonly<Record<string, number>>,
): ChatFigures {
  const points = (name: string) =>
    counts.map((count) => [count, figures[`${count} streams: ${name} CPU ms/s`] ?? 0] as const);
  const own = slopeOf(points("server"));
  const postgres = slopeOf(points("Postgres"));
  const atMost = counts.at(-1) ?? 0;
  const most = figures[`${atMost} streams: server CPU ms/s`] ?? Number.NaN;
  return {
    "server CPU ms/s per streaming chat": own,
    "Postgres CPU ms/s per streaming chat": postgres,
    "chats per core": 1_000 / own,
    "chats per core, at the most that was measured": (1_000 * atMost) / most,
    "chats per core, Postgres on it too": 1_000 / (own + postgres),
    "event loop p99 at the most streams":
      figures[`${atMost} streams: event loop p99`] ?? Number.NaN,
  };
}

/**
 * Kilobytes of the server for each further viewer of a chat at rest: each has a chat of its own. The first
 * third pays for code and buffers that are there only once.
 */
export async function measureIdleViewers(
  lane: Pick<ChatLane, "startAnother" | "token" | "database">,
  viewers: number,
): Promise<ChatFigures> {
  const server = await lane.startAnother();
  const ids = await copiesAtRest(lane, server, viewers);
  const sessions = await sessionsFor(server, lane.token, viewers);
  const connect = async (id: string, socket: number): Promise<Disposable> =>
    watch(server, sessionOf(sessions, socket), id);
  const kb = await growth(server.child.pid ?? 0, ids, connect);
  await server.stop();
  return { "kB per watched idle stream": kb };
}

/** The same with a server of `ws` that does nothing: what sockets cost by themselves. */
export async function measureBareSockets(viewers: number): Promise<ChatFigures> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/bare-sockets.ts`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const ids = Array.from({ length: viewers }, (_, i) => String(i));
    const kb = await growth(child.pid ?? 0, ids, async (id) => {
      const socket = new WebSocket(`${line}/${id}`, { perMessageDeflate: false });
      await once(socket, "message");
      return { [Symbol.dispose]: () => socket.terminate() };
    });
    return { "kB per bare socket": kb };
  } finally {
    child.kill();
    await exited;
  }
}

async function growth(
  pid: number,
  ids: readonly string[],
  connect: (id: string, socket: number) => Promise<Disposable>,
): Promise<number> {
  const opened: Disposable[] = [];
  const points: (readonly [number, number])[] = [];
  const step = Math.ceil(ids.length / 6);
  try {
    for (let from = 0; from < ids.length; from += step) {
      for (let at = from; at < Math.min(from + step, ids.length); at += 8) {
        opened.push(
          ...(await Promise.all(
            ids
              .slice(at, Math.min(at + 8, from + step))
              .map((id, index) => connect(id, at + index)),
          )),
        );
      }
      await sleep(700);
      points.push([opened.length, treeMemoryKb(pid).own]);
    }
  } finally {
    for (const each of opened) each[Symbol.dispose]();
  }
  return slopeOf(points.slice(1));
}

async function copiesAtRest(
  { database, token }: Pick<ChatLane, "database" | "token">,
  server: Awaited<ReturnType<ChatLane["startAnother"]>>,
  count: number,
): Promise<readonly string[]> {
  const has = await sql<{ id: string }>`
    select id from chats where title = 'idle copy' limit ${count}`.execute(database.sql);
  if (has.rows.length === count) return has.rows.map(({ id }) => id);
  const { chatId, viewer } = await chatAtRest(server, token);
  viewer[Symbol.dispose]();
  const { rows } = await sql<{ id: string }>`
    insert into chats (id, organization_id, owner_id, title, status, last_model_config_id, created_at,
      updated_at, history_version, snapshot_version)
    select gen_random_uuid(), organization_id, owner_id, 'idle copy', 'waiting',
      last_model_config_id, created_at, updated_at, 2, 2
    from chats, generate_series(1, ${count}::integer) where id = ${chatId} returning id`.execute(
    database.sql,
  );
  return rows.map(({ id }) => id);
}

/**
 * From the end of a server until the model hears of its chats again, from the server that is left. Only
 * chats that the dying one drives count: which server takes a chat is nobody's choice.
 */
export async function measureTakeover(lane: ChatLane, chats: number): Promise<ChatFigures> {
  const { server, token, model } = lane;
  model.answer = () => says("some words of it ".repeat(2_000), { delayMs: PART_EVERY_MS });
  const heardMs = new Map<string, number[]>();
  model.heard = (request) => {
    const name = /chat number \d+\./.exec(Buffer.from(request.body).toString("utf8"))?.[0];
    if (!isTurn(request) || name === undefined) return;
    heardMs.set(name, [...(heardMs.get(name) ?? []), performance.now()]);
  };
  const ids = new Map<string, string>();
  const begin = async (on: ChatLane["server"]): Promise<string> => {
    const name = `chat number ${ids.size}.`;
    ids.set(name, await createChat(on, token, `Go on, ${name}`));
    await until(() => heardMs.has(name), 60_000, `the model hears of ${name}`);
    return name;
  };
  const survivor = await workerOf(lane, ids.get(await begin(server)) ?? "");
  const dying = await lane.startAnother();
  const lost: string[] = [];
  while (lost.length < chats) {
    const name = await begin(dying);
    if ((await workerOf(lane, ids.get(name) ?? "")) !== survivor) lost.push(name);
  }
  await sleep(1_000);
  const killedMs = performance.now();
  dying.child.kill("SIGKILL");
  const again = (name: string): number[] =>
    (heardMs.get(name) ?? []).filter((each) => each > killedMs);
  await until(() => lost.every((name) => again(name).length > 0), 60_000, "all are driven again");
  const taken = lost.map((name) => (again(name)[0] ?? Number.NaN) - killedMs);
  model.answer = () => null;
  model.heard = () => {};
  for (const id of ids.values()) {
    await server.api("POST", `/api/v2/chats/${id}/interrupt`, { token });
  }
  return {
    "takeover p50": quantile(taken, 0.5) / 1_000,
    "takeover p99": quantile(taken, 0.99) / 1_000,
  };
}

async function workerOf({ database }: ChatLane, chatId: string): Promise<string | null> {
  const { rows } = await sql<{ worker_id: string | null }>`
    select worker_id from chats where id = ${chatId}`.execute(database.sql);
  return rows[0]?.worker_id ?? null;
}

async function until(isSo: () => boolean, timeoutMs: number, what: string): Promise<void> {
  for (const untilMs = performance.now() + timeoutMs; !isSo(); await sleep(20)) {
    if (performance.now() > untilMs) throw new Error(`in ${timeoutMs} ms not: ${what}`);
  }
}
