/**
 * One chat as its page holds it: a part of its history, and all that the stream tells. A stream that
 * breaks is dialled again and goes on behind what is held: no word is lost, and none counts twice.
 *
 * What comes within one frame is told at once, and a history that comes anew is not shown in halves.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import {
  cursorOf,
  EMPTY_CHAT_VIEW,
  withEvents,
  type ChatView,
} from "@atelier/contract/chat/chat-view";
import { ChatStreamEvent, STREAM_BATCH_MAX } from "@atelier/contract/chat/stream-event";
import { CLOSE_CHAT_GONE } from "@atelier/contract/http/chat-sockets";
import type { ChatMessage, ChatQueuedMessage } from "@atelier/contract/http/chats";

/** What of a browser's WebSocket is used. */
export type ChatSocket = Pick<WebSocket, "close"> & {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number }) => void) | null;
};

export type ChatConnection =
  | { readonly kind: "connected" | "gone" }
  /** `asOf`: until then all is known. `retryAt`: null while it is being dialled. */
  | { readonly kind: "away"; readonly asOf: Date; readonly retryAt: Date | null };

export type ChatLinkState = {
  readonly view: ChatView;
  readonly connection: ChatConnection;
  /** There are messages before the first one here. */
  readonly hasOlder: boolean;
};

export type ChatLinkDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly open: (cursor: ReturnType<typeof cursorOf>) => ChatSocket;
  /** Runs it soon, at most once for each frame that is drawn. */
  readonly soon: (run: () => void) => void;
};

/** Oldest first. */
export type FirstPage = {
  readonly messages: readonly ChatMessage[];
  readonly queue: readonly ChatQueuedMessage[];
  readonly hasOlder: boolean;
};

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 10_000;

export class ChatLink {
  readonly #deps: ChatLinkDeps;
  readonly #listeners = new Set<() => void>();
  #state: ChatLinkState;
  #waiting: ChatStreamEvent[] = [];
  #isTellingSoon = false;
  #socket: ChatSocket | null = null;
  #heardAt: Date;
  #failures = 0;
  #pause = new AbortController();
  #isStarted = false;

  constructor(deps: ChatLinkDeps, { messages, queue, hasOlder }: FirstPage) {
    this.#deps = deps;
    this.#heardAt = deps.clock.now();
    this.#state = {
      view: { ...EMPTY_CHAT_VIEW, messages, queue },
      connection: { kind: "away", asOf: this.#heardAt, retryAt: null },
      hasOlder,
    };
  }

  get state(): ChatLinkState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Until the function that it gives is called. */
  start(): () => void {
    this.#isStarted = true;
    this.#dial();
    return () => {
      this.#isStarted = false;
      this.#pause.abort(new Error("left"));
      this.#hangUp();
    };
  }

  /** The server has answered something else: it is there, and the stream most likely, too. */
  confirm(): void {
    if (this.#socket !== null) this.#heardAt = this.#deps.clock.now();
  }

  /** The server does not answer: a stream that says nothing may be dead. */
  doubt(): void {
    if (this.#state.connection.kind === "connected") this.#lost();
  }

  /** The chat is gone, or not this person's to read any more: nothing is dialled again. */
  endForGood(): void {
    this.#pause.abort(new Error("gone"));
    this.#hangUp();
    this.#apply();
    this.#tell({ connection: { kind: "gone" } });
  }

  /** The network may be there again: no more waiting. */
  wake(): void {
    const { connection } = this.#state;
    if (!this.#isStarted || connection.kind !== "away" || connection.retryAt === null) return;
    this.#failures = 0;
    this.#pause.abort(new Error("dialled sooner"));
    this.#dial();
  }

  /** A page of messages before `beforeId`, oldest first. Not taken where the history has changed since. */
  addOlder(beforeId: number, messages: readonly ChatMessage[], hasOlder: boolean): void {
    const { view } = this.#state;
    const [first] = view.messages;
    if (first?.id !== beforeId) return;
    const older = messages.filter(({ id }) => id < beforeId);
    this.#tell({ view: { ...view, messages: [...older, ...view.messages] }, hasOlder });
  }

  #dial(): void {
    this.#apply();
    this.#tell({ connection: { kind: "away", asOf: this.#heardAt, retryAt: null } });
    const socket = this.#deps.open(cursorOf(this.#state.view));
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#take(eventsIn(data));
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return;
      if (code === CLOSE_CHAT_GONE) this.endForGood();
      else this.#lost();
    };
  }

  #take(events: readonly ChatStreamEvent[]): void {
    this.#heardAt = this.#deps.clock.now();
    this.#failures = 0;
    this.#waiting.push(...events);
    // A full batch that ends with a message is one of several: what is there of it is no history yet.
    const isCut = events.length === STREAM_BATCH_MAX && events.at(-1)?.type === "message";
    if (isCut || this.#isTellingSoon) return;
    this.#isTellingSoon = true;
    this.#deps.soon(() => {
      this.#isTellingSoon = false;
      if (this.#isStarted) this.#apply();
    });
  }

  #apply(): void {
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    const { view, hasOlder, connection } = this.#state;
    // The whole history follows a reset.
    const isWhole = events.some(({ type }) => type === "history_reset");
    this.#tell({
      view: withEvents(view, events),
      hasOlder: hasOlder && !isWhole,
      connection: this.#socket === null ? connection : { kind: "connected" },
    });
  }

  #lost(): void {
    const { clock, random } = this.#deps;
    this.#hangUp();
    if (!this.#isStarted) return;
    const fullMs = Math.min(RETRY_MS_MIN * 2 ** Math.min(this.#failures, 10), RETRY_MS_MAX);
    // Spread out: many who lost the same server do not come back in the same moment.
    const share = Number.parseInt(random.uuid().slice(0, 4), 16) / 0xffff;
    const delayMs = Math.round(fullMs * (0.5 + share / 2));
    this.#failures += 1;
    const retryAt = new Date(clock.now().getTime() + delayMs);
    this.#apply();
    this.#tell({ connection: { kind: "away", asOf: this.#heardAt, retryAt } });
    this.#pause = new AbortController();
    clock.sleep(delayMs, this.#pause.signal).then(
      () => this.#dial(),
      () => {}, // Left, or dialled sooner.
    );
  }

  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #tell(change: Partial<ChatLinkState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** A newer server may tell of what we do not know: that is left out. */
function eventsIn(data: unknown): readonly ChatStreamEvent[] {
  let json: unknown;
  try {
    json = JSON.parse(String(data));
  } catch {
    return []; // Not of our server.
  }
  return (Array.isArray(json) ? (json as readonly unknown[]) : []).flatMap((each) => {
    const event = ChatStreamEvent.safeParse(each);
    return event.success ? [event.data] : [];
  });
}
