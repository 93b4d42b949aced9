/** What a chat cost, with its children, whose requests count as its own (spec agents 5.13). */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Chat } from "@atelier/contract/http/chats";
import type { ChatCost } from "@atelier/contract/rpc/chat-ports";
import type { ChatDeps } from "./chat-deps.ts";
import { findShownChat } from "./chat-list-store.ts";
import { countSteps } from "./chat-message-store.ts";
import type { ShownChat } from "./shown-chat.ts";

type WireCost = NonNullable<Chat["cost"]>;

export type ShownCost = WireCost & {
  readonly chat_id: string;
  readonly month: WireCost & { readonly from: string };
};

const NOTHING: ChatCost = { costMicros: 0, requests: 0, unpricedRequests: 0 };
const NOT_RECORDED: ChatCost = { costMicros: null, requests: 0, unpricedRequests: 0 };

export async function showCost(
  { database, costs, clock }: ChatDeps,
  chatId: string,
): Promise<Result<ShownCost, Failure<"resource.not_found">>> {
  const chat = await findShownChat(database.sql, chatId);
  if (chat === undefined) return fail({ code: "resource.not_found" });
  const rootId = chat.rootChatId ?? chat.id;
  const now = clock.now();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  const from = month.toISOString().slice(0, 10);
  if (costs === null) {
    const steps = await countSteps(database.sql, rootId);
    const unknown = toWireCost({ costMicros: null, requests: steps, unpricedRequests: steps });
    return ok({ chat_id: rootId, ...unknown, month: { from, ...toWireCost(NOT_RECORDED) } });
  }
  const [found, ofMonth] = await Promise.all([
    costs.ofChats(chat.ownerId, [rootId]),
    costs.ofPerson(chat.ownerId, month),
  ]);
  return ok({
    chat_id: rootId,
    ...toWireCost(found.get(rootId) ?? NOTHING),
    month: { from, ...toWireCost(ofMonth) },
  });
}

/** Beside what else is shown of chats of one person: those of no cost yet are not in it. */
export async function costsOf(
  { costs }: Pick<ChatDeps, "costs">,
  chats: readonly ShownChat[],
): Promise<ReadonlyMap<string, WireCost>> {
  const [first] = chats;
  if (costs === null || first === undefined) return new Map();
  const found = await costs.ofChats(
    first.ownerId,
    chats.map(({ id }) => id),
  );
  return new Map([...found].map(([id, cost]) => [id, toWireCost(cost)]));
}

function toWireCost({ costMicros, requests, unpricedRequests }: ChatCost): WireCost {
  return {
    total_cost_micros: costMicros,
    request_count: requests,
    unpriced_request_count: unpricedRequests,
  };
}
