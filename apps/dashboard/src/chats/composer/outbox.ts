/**
 * Messages on their way: shown before the server has answered, and kept when it does not. Each has a
 * key, with which sending it again is safe: the server does it once.
 */
import { PLAIN_SEND, type SendInput } from "./send-input.ts";

export type Outgoing = {
  readonly key: string;
  readonly input: SendInput;
  readonly state:
    | { readonly kind: "sending" }
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

/** Those that the stream has not told of. */
export function unseen(
  outbox: readonly Outgoing[],
  seen: { readonly messageIds: ReadonlySet<number>; readonly queuedIds: ReadonlySet<number> },
): readonly Outgoing[] {
  const left = outbox.filter(({ state }) => {
    if (state.kind !== "arrived") return true;
    const { messageId, queuedId } = state;
    if (messageId !== null) return !seen.messageIds.has(messageId);
    return queuedId !== null && !seen.queuedIds.has(queuedId);
  });
  return left.length === outbox.length ? outbox : left;
}

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
