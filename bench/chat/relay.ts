/** How much later than at the server that drives a chat a word is at a viewer of another server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RealServer } from "@atelier/testkit/real-server";
import { says } from "@atelier/testkit/scripted-model-reply";
import { WebSocket } from "ws";
import { createChat, quantile, type ChatLane, type ViewedEvent } from "./chat-lane.ts";
import type { ChatFigures } from "./latency.ts";

const PART_EVERY_MS = 50;

/** Each chat is watched on both servers; its driver's viewer is the one that mostly hears first. */
export async function measureRelay(
  lane: ChatLane,
  { chats, seconds }: { readonly chats: number; readonly seconds: number },
): Promise<ChatFigures> {
  const { server, token, model } = lane;
  const other = await lane.startAnother();
  const text = "some words of it ".repeat(Math.ceil(((seconds + 5) * 1_000) / PART_EVERY_MS));
  model.answer = () => says(text, { delayMs: PART_EVERY_MS });
  const watched: { readonly id: string; readonly views: readonly PartTimes[] }[] = [];
  try {
    for (let made = 0; made < chats; made += 1) {
      const id = await createChat(server, token, "Tell me much");
      watched.push({ id, views: [partTimes(server, token, id), partTimes(other, token, id)] });
    }
    // A line to the other server is there by then.
    await sleep(2_000);
    const fromMs = performance.now();
    await sleep(seconds * 1_000);
    const lags = watched.flatMap(({ views }) => lagsSince(fromMs, views));
    return {
      "another server's viewer, later p50": quantile(lags, 0.5),
      "another server's viewer, later p99": quantile(lags, 0.99),
    };
  } finally {
    for (const view of watched.flatMap(({ views }) => views)) view.socket.terminate();
    model.answer = () => null;
    for (const { id } of watched) {
      await server.api("POST", `/api/v2/chats/${id}/interrupt`, { token });
    }
    await other.stop();
  }
}

type PartTimes = { readonly socket: WebSocket; readonly at: Map<number, number> };

function partTimes(server: Pick<RealServer, "url">, token: string, chatId: string): PartTimes {
  const url = `${server.url.replace(/^http/, "ws")}/api/v2/chats/${chatId}/stream`;
  const headers = { "coder-session-token": token };
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const at = new Map<number, number>();
  socket.on("error", () => {}); // It ends with its server.
  socket.on("message", (data: Buffer) => {
    const nowMs = performance.now();
    const events = JSON.parse(data.toString()) as (ViewedEvent & {
      readonly message_part?: { readonly seq: number };
    })[];
    for (const { message_part: part } of events) if (part !== undefined) at.set(part.seq, nowMs);
  });
  return { socket, at };
}

/** The first attempt of each chat lasts longer than anybody looks, so a number names one part. */
function lagsSince(fromMs: number, [one, other]: readonly PartTimes[]): readonly number[] {
  const lags = [...(one?.at ?? [])].flatMap(([seq, atMs]) => {
    const otherMs = other?.at.get(seq);
    return otherMs === undefined || atMs < fromMs ? [] : [otherMs - atMs];
  });
  const isOneLater = lags.length > 0 && quantile(lags, 0.5) < 0;
  return isOneLater ? lags.map((lag) => -lag) : lags;
}
