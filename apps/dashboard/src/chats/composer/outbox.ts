/**
 * Messages on their way: shown before the server has answered, and kept when it does not. Each has a
 * key, with which sending it again is safe: the server does it once.
 */
import type { ChatView } from "@atelier/contract/chat/chat-view";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { inputOf, PLAIN_SEND, type SendInput } from "./send-input.ts";

/** What a page has been told of. */
export type Told = Pick<ChatView, "messages" | "queue">;

/** The newest of each; 0: none. */
export type Newest = { readonly messageId: number; readonly queuedId: number };

export type Outgoing = {
  readonly key: string;
  readonly input: SendInput;
  readonly state:
    | {
        readonly kind: "sending";
        /** When it was sent. */
        readonly since: Newest;
        /** Under which id the stream tells of it, though the server has not answered yet. */
        readonly toldAs: string | null;
      }
    | { readonly kind: "failed"; readonly reason: string }
    /** The server has it; the stream has not told of it yet. */
    | {
        readonly kind: "arrived";
        readonly messageId: number | null;
        readonly queuedId: number | null;
      };
};

export function withState(
  outbox: readonly Outgoing[],
  key: string,
  state: Outgoing["state"],
): readonly Outgoing[] {
  return outbox.map((each) => (each.key === key ? { ...each, state } : each));
}

export function without(outbox: readonly Outgoing[], key: string): readonly Outgoing[] {
  return outbox.filter((each) => each.key !== key);
}

export function newestOf({ messages, queue }: Told): Newest {
  return {
    messageId: messages.at(-1)?.id ?? 0,
    queuedId: Math.max(0, ...queue.map(({ id }) => id)),
  };
}

/**
 * Those that the stream has not told of. It may be quicker than the answer that names the message's id:
 * a newer one of the same words is taken for it then, once.
 */
export function unseen(outbox: readonly Outgoing[], told: Told): readonly Outgoing[] {
  const messageIds = new Set(told.messages.map(({ id }) => id));
  const queuedIds = new Set(told.queue.map(({ id }) => id));
  const left = outbox.filter(({ state }) => {
    if (state.kind !== "arrived") return true;
    const { messageId, queuedId } = state;
    if (messageId !== null) return !messageIds.has(messageId);
    return queuedId !== null && !queuedIds.has(queuedId);
  });
  const marked = withTold(left, told);
  return left.length === outbox.length && marked === left ? outbox : marked;
}

function withTold(outbox: readonly Outgoing[], told: Told): readonly Outgoing[] {
  const taken = new Set(outbox.flatMap(({ state }) => placesOf(state)));
  let next = outbox;
  for (const { key, input, state } of outbox) {
    if (state.kind !== "sending" || state.toldAs !== null) continue;
    const toldAs = newer(told, state.since).find(
      (each) => !taken.has(each.place) && each.text === input.text.trim(),
    )?.place;
    if (toldAs === undefined) continue;
    taken.add(toldAs);
    next = withState(next, key, { ...state, toldAs });
  }
  return next;
}

function placesOf(state: Outgoing["state"]): readonly string[] {
  if (state.kind === "sending") return state.toldAs === null ? [] : [state.toldAs];
  if (state.kind === "failed") return [];
  const { messageId, queuedId } = state;
  return [
    ...(messageId === null ? [] : [`message ${messageId}`]),
    ...(queuedId === null ? [] : [`queued ${queuedId}`]),
  ];
}

function newer(told: Told, since: Newest): readonly { place: string; text: string }[] {
  const messages = told.messages.filter(({ id, role }) => role === "user" && id > since.messageId);
  return [
    ...messages.map(({ id, content }) => ({ place: `message ${id}`, text: textOf(content) })),
    ...told.queue
      .filter(({ id }) => id > since.queuedId)
      .map(({ id, content }) => ({ place: `queued ${id}`, text: textOf(content) })),
  ];
}

const textOf = (content: readonly MessagePart[]): string => inputOf(content).text.trim();

/** What a page leaves for the next: what arrived need not be kept. */
export function outboxText(outbox: readonly Outgoing[]): string | null {
  const kept = outbox.filter(({ state }) => state.kind !== "arrived");
  return kept.length === 0 ? null : JSON.stringify(kept);
}

const LEFT = "The page was left before the server answered.";

/** Of an earlier page: nobody knows what became of what was on its way. */
export function outboxOf(text: string | null): readonly Outgoing[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    const list = Array.isArray(parsed) ? (parsed as readonly Outgoing[]) : [];
    return list
      .filter((each) => typeof each.key === "string" && Array.isArray(each.input?.files))
      .map((each) => ({
        ...each,
        // It may be of an older page, which knew of less.
        input: { ...PLAIN_SEND, ...each.input },
        state: each.state.kind === "failed" ? each.state : { kind: "failed", reason: LEFT },
      }));
  } catch {
    return []; // Whatever stands there, it is nothing of ours.
  }
}
