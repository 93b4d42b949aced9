/** A viewer of a chat that comes back whenever its stream breaks, and remembers every part it was shown. */
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { ChatScreen } from "../journeys/chat-world.ts";

const AGAIN_MS = 100;
const HANDSHAKE_MS_MAX = 5_000;

/** Texts by their number, of one attempt at one step. */
export type SeenEpisode = ReadonlyMap<number, string>;

export class KillsViewer implements Disposable {
  /** Of the present connection. */
  screen = new ChatScreen();
  /** Over all connections. */
  readonly seen = new Map<string, Map<number, string>>();
  /** One number that meant two parts. */
  readonly contradictions: string[] = [];
  words = 0;
  readonly #url: () => string;
  readonly #token: string;
  #socket: WebSocket | null = null;
  #isOver = false;

  /** `url`: of the server to go to next. */
  constructor(chatId: string, token: string, url: () => string) {
    this.#url = () => `${url().replace(/^http/, "ws")}/api/v2/chats/${chatId}/stream`;
    this.#token = token;
    this.#keepWatching().catch((error: unknown) => this.contradictions.push(String(error)));
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  async #keepWatching(): Promise<void> {
    while (!this.#isOver) {
      const socket = new WebSocket(this.#url(), {
        headers: { "coder-session-token": this.#token },
        handshakeTimeout: HANDSHAKE_MS_MAX,
      });
      this.#socket = socket;
      const screen = new ChatScreen();
      socket.on("error", () => {}); // `close` follows.
      socket.on("open", () => {
        this.screen = screen;
      });
      socket.on("message", (data: Buffer) => {
        const events = JSON.parse(data.toString("utf8")) as ChatStreamEvent[];
        for (const event of events) this.#note(event);
        screen.apply(events);
      });
      await new Promise((resolve) => socket.once("close", resolve));
      await sleep(AGAIN_MS);
    }
  }

  #note(event: ChatStreamEvent): void {
    if (event.type !== "message_part") return;
    const { role, part, history_version, generation_attempt, seq } = event.message_part;
    if (role !== "assistant" || part.type !== "text") return;
    const key = `${history_version}/${generation_attempt}`;
    const episode = this.seen.get(key) ?? new Map<number, string>();
    this.seen.set(key, episode);
    const known = episode.get(seq);
    // A part holds several where they came close together; each word has this letter once.
    if (known === undefined) this.words += part.text.split("x").length - 1;
    else if (known !== part.text) {
      this.contradictions.push(`part ${key}/${seq} was ${known} and is ${part.text}`);
    }
    episode.set(seq, part.text);
  }
}

/** What stood there, in the order of the numbers. */
export function episodeText(episode: SeenEpisode): string {
  return [...episode]
    .toSorted(([one], [other]) => one - other)
    .map(([, text]) => text)
    .join("");
}
