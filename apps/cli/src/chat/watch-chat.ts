/**
 * Watches a chat through cut connections and servers that come and go: what the view holds is what the
 * server has told, each event once.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { requestPath } from "@atelier/contract/client";
import {
  cursorOf,
  EMPTY_CHAT_VIEW,
  withEvent,
  type ChatView,
} from "@atelier/contract/chat/chat-view";
import { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import { CLOSE_CHAT_GONE, streamChat } from "@atelier/contract/http/chat-sockets";
import type { OpenSocketFailure } from "@atelier/tunnel/open-socket";
import {
  cancelledFailure,
  EXIT_CODES,
  notFoundFailure,
  plainFailure,
  type CliFailure,
} from "../cli-failure.ts";
import type { Api, Cli } from "../cli.ts";
import { failureOfDial } from "../workspace-link.ts";

export type Watching = {
  /** Each event, with the view before and after it. */
  event(before: ChatView, view: ChatView, event: ChatStreamEvent): void;
  /** After events that came together. True: that is all; the watch ends. */
  settled(view: ChatView): boolean;
  /** The connection was lost, or is there again. */
  connected(isConnected: boolean): void;
};

export type WatchedChat = {
  readonly chatId: string;
  /** Messages up to this one are not told. */
  readonly afterId: number;
  readonly signal: AbortSignal;
};

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 10_000;
/** A server that is away this long does not come back by itself. */
const AWAY_MS_MAX = 15 * 60_000;

/** The view at the end. Fails with `cancelled` when the signal aborts. */
export async function watchChat(
  cli: Cli,
  api: Api,
  { chatId, afterId, signal }: WatchedChat,
  watching: Watching,
): Promise<Result<ChatView, CliFailure>> {
  let view = EMPTY_CHAT_VIEW;
  let failures = 0;
  let awaySinceMs: number | null = null;
  for (;;) {
    const cursor = cursorOf(view);
    const query = { ...cursor, after_id: Math.max(cursor.after_id, afterId) };
    const path = requestPath(streamChat.path, { chat: chatId }, query) ?? "";
    const opened = await cli.openEvents({ url: api.url, token: api.token, path, signal });
    if (signal.aborted) {
      if (opened.ok) opened.value.close();
      return fail(cancelledFailure());
    }
    if (opened.ok) {
      watching.connected(true);
      const socket = opened.value;
      for await (const message of socket.messages) {
        failures = 0;
        awaySinceMs = null;
        for (const event of eventsIn(message)) {
          const before = view;
          view = withEvent(view, event);
          watching.event(before, view, event);
        }
        if (watching.settled(view)) {
          socket.close();
          return ok(view);
        }
      }
      if (signal.aborted) return fail(cancelledFailure());
      if (socket.closeCode() === CLOSE_CHAT_GONE) return fail(notFoundFailure("The chat is gone."));
    } else if (!isPassing(opened.failure)) {
      return fail(failureOfDial(opened.failure));
    }
    const nowMs = cli.clock.monotonicMs();
    awaySinceMs ??= nowMs;
    if (nowMs - awaySinceMs > AWAY_MS_MAX) return fail(lostFailure(chatId));
    watching.connected(false);
    try {
      await cli.clock.sleep(backoffMs(cli, failures), signal);
    } catch {
      return fail(cancelledFailure());
    }
    failures += 1;
  }
}

/** A server that stops, or is not there yet, may be there in a moment; one that says no, says it again. */
function isPassing(failure: OpenSocketFailure): boolean {
  return failure.kind === "unreachable" || failure.status >= 500 || failure.status === 429;
}

/** Spread out: many who lost the same server do not come back in the same moment. */
function backoffMs({ random }: Cli, failures: number): number {
  const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 10));
  const share = Number.parseInt(random.uuid().slice(0, 4), 16) / 0xffff;
  return Math.round(fullMs * (0.5 + share / 2));
}

/** A newer server may tell of what we do not know: that is left out. */
function eventsIn(message: string): readonly ChatStreamEvent[] {
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return []; // Not of our server.
  }
  return (Array.isArray(json) ? (json as readonly unknown[]) : []).flatMap((each) => {
    const event = ChatStreamEvent.safeParse(each);
    return event.success ? [event.data] : [];
  });
}

function lostFailure(chatId: string): CliFailure {
  const remedy = `The chat works on. Go back to it: atelier chat attach ${chatId}`;
  return {
    ...plainFailure("The server cannot be reached any more.", remedy),
    exitCode: EXIT_CODES.unreachable,
  };
}
