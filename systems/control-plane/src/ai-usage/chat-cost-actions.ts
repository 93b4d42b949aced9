/** What chats cost: the port ChatCosts. */
import type { ChatCost, ChatCosts } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import { sumChats, sumPersonsChats } from "./chat-cost-store.ts";
import { knownCost, type CostSums } from "./usage.ts";

export function chatCosts({ sql }: Database): ChatCosts {
  return {
    ofChats: async (ownerId, chatIds) => {
      const sums = await sumChats(sql, ownerId, chatIds);
      return new Map(sums.map(({ sessionId, ...each }) => [sessionId, toCost(each)]));
    },
    ofPerson: async (userId, since) => toCost(await sumPersonsChats(sql, userId, since)),
  };
}

function toCost(sums: CostSums & { readonly requests: number }): ChatCost {
  const { requests, unpricedRequests } = sums;
  return { costMicros: knownCost(sums), requests, unpricedRequests };
}
