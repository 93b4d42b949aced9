/** Recorded model calls of a chat, as its API tells of them. */
import type { RealServer } from "@atelier/testkit/real-server";
import type { ChatDebugRun, ChatDebugStep } from "@atelier/contract/http/chat-debug";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChatPerson } from "./chat-world.ts";

export type FullRun = ChatDebugRun & { readonly steps: readonly ChatDebugStep[] };

/** A moment after a call has ended it is recorded. */
export async function recordedRuns(
  server: RealServer,
  person: ChatPerson,
  chatId: string,
  isThere: (runs: readonly ChatDebugRun[]) => boolean,
): Promise<readonly ChatDebugRun[]> {
  for (const late = AbortSignal.timeout(20_000); ; await sleep(50)) {
    const answer = await person.call(server, "GET", `/api/v2/chats/${chatId}/debug/runs`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const runs = answer.body.runs as readonly ChatDebugRun[];
    if (isThere(runs)) return runs;
    assert(!late.aborted, JSON.stringify(runs));
  }
}

/** The newest turn, once it is over. */
export async function recordedTurn(
  server: RealServer,
  person: ChatPerson,
  chatId: string,
): Promise<FullRun> {
  const isOver = ({ kind, status }: ChatDebugRun): boolean =>
    kind === "chat_turn" && status !== "in_progress";
  const runs = await recordedRuns(server, person, chatId, (all) => all.some(isOver));
  const { id } = runs.find(isOver) ?? { id: "" };
  const run = await person.call(server, "GET", `/api/v2/chats/${chatId}/debug/runs/${id}`);
  assert.equal(run.status, 200, JSON.stringify(run.body));
  return run.body as FullRun;
}
