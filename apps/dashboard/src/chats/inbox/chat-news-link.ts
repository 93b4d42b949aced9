/**
 * News of one's chats over their socket. When the connection breaks it is dialled again; who listens is
 * told when there is none, so that what is shown can be said to be old.
 */
import type { Clock } from "@atelier/base/clock";
import { CHAT_NEWS_KINDS, type ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import { Chat } from "@atelier/contract/http/chats";
import { z } from "zod";
import { Redial } from "../../browser/redial.ts";

export type ChatNews =
  /** Some may have been missed: ask for everything. */
  | { readonly kind: "ready" }
  | {
      readonly kind: "changed";
      readonly change: ChatNewsKind;
      readonly chat: Chat;
      /** It stands where it stood, and says something else: no search finds it now that did not. */
      readonly staysThere: boolean;
    }
  | { readonly kind: "deleted"; readonly chatId: string };

/** What of a browser's WebSocket is used. */
export type NewsSocket = Pick<WebSocket, "close"> & {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: (() => void) | null;
};

export type ChatNewsDeps = {
  readonly clock: Clock;
  readonly open: () => NewsSocket;
  /** Whether the server answers this person. Asked before a lost connection is dialled anew. */
  readonly isWelcome: () => Promise<boolean>;
  readonly onNews: (news: ChatNews) => void;
  readonly onConnected: (isConnected: boolean) => void;
};

export class ChatNewsLink {
  readonly #deps: ChatNewsDeps;
  readonly #redial: Redial;
  #socket: NewsSocket | null = null;

  constructor(deps: ChatNewsDeps) {
    this.#deps = deps;
    this.#redial = new Redial(deps.clock, () => this.#dialAgain());
    this.#dial();
  }

  close(): void {
    this.#redial.stop();
    this.#socket?.close();
  }

  /** Browsers complain aloud of a socket that is refused, as when the session is over. */
  #dialAgain(): void {
    this.#deps.isWelcome().then(
      (isWelcome) => {
        if (this.#redial.isStopped) return;
        if (isWelcome) this.#dial();
        else this.#redial.again();
      },
      () => this.#redial.again(),
    );
  }

  #dial(): void {
    const { open, onNews, onConnected } = this.#deps;
    const socket = open();
    socket.onmessage = ({ data }) => {
      const news = parseNews(String(data));
      if (news === null || this.#redial.isStopped) return;
      if (news.kind === "ready") {
        this.#redial.reached();
        onConnected(true);
      }
      onNews(news);
    };
    socket.onclose = () => {
      if (this.#redial.isStopped) return;
      onConnected(false);
      this.#redial.again();
    };
    this.#socket = socket;
  }
}

const Ready = z.object({ kind: z.literal("ready") });
const Deleted = z.object({ kind: z.literal("deleted"), chat: z.object({ id: z.uuid() }) });
const Changed = z.object({ kind: z.enum(CHAT_NEWS_KINDS), chat: Chat });

const STAYING: ReadonlySet<ChatNewsKind> = new Set(["action_change", "diff_status_change"]);

/** Null: of a newer server, which says more than we know. */
export function parseNews(text: string): ChatNews | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null; // Nothing of ours.
  }
  if (Ready.safeParse(json).success) return { kind: "ready" };
  const deleted = Deleted.safeParse(json);
  if (deleted.success) return { kind: "deleted", chatId: deleted.data.chat.id };
  const changed = Changed.safeParse(json);
  if (!changed.success) return null;
  const { kind, chat } = changed.data;
  return { kind: "changed", change: kind, chat, staysThere: STAYING.has(kind) };
}
