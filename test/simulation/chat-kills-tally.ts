/**
 * A tool server that counts how often each call of it took effect, and can be held before and after that, and
 * before it tells its tools.
 */
import { addingTool, startRemote } from "@atelier/chat-daemon/mcp/mcp-testkit";
import { createHash } from "node:crypto";

export type TallyCall =
  | { readonly kind: "list" }
  | { readonly kind: "call"; readonly number: number; readonly isDone: boolean };

export type Tally = AsyncDisposable & {
  readonly url: string;
  /** How often the call with this number took effect. */
  count(number: number): number;
};

/** As models see its tool, where the server is named so. */
export const TALLY = { slug: "tally", tool: "tally__add" } as const;

/** A tool that takes numbers only tells by this one which chat it is for. */
export function tallyNumber(key: string): number {
  return Number.parseInt(createHash("sha256").update(key).digest("hex").slice(0, 10), 16);
}

export async function startTally(
  hold: (call: TallyCall) => Promise<unknown> | null,
): Promise<Tally> {
  const counts = new Map<number, number>();
  const remote = await startRemote(async ({ bodyText }) => {
    if (bodyText.includes('"tools/list"')) await hold({ kind: "list" });
    const number = calledWith(bodyText);
    if (number !== null) {
      await hold({ kind: "call", number, isDone: false });
      counts.set(number, (counts.get(number) ?? 0) + 1);
      await hold({ kind: "call", number, isDone: true });
    }
    return false;
  }, addingTool);
  return {
    url: remote.url,
    count: (number) => counts.get(number) ?? 0,
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  };
}

/** Null: it is no call. */
function calledWith(bodyText: string): number | null {
  if (!bodyText.includes('"tools/call"')) return null;
  const { params } = JSON.parse(bodyText) as { params: { arguments: { a: number } } };
  return params.arguments.a;
}
