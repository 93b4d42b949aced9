/** What chats cost: the port ChatCosts. */
import type { ChatCost, ChatCosts } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import {
  listPeoplesChats,
  sumChats,
  sumPersonsChats,
  sumPersonsChatsByChat,
  sumPersonsChatsByModel,
  type RequestSums,
} from "./chat-cost-store.ts";
import { knownCost } from "./usage.ts";

export function chatCosts({ sql }: Database): ChatCosts {
  return {
    ofChats: async (ownerId, chatIds) => {
      const sums = await sumChats(sql, ownerId, chatIds);
      return new Map(sums.map(({ sessionId, ...each }) => [sessionId, toCost(each)]));
    },
    ofPerson: async (userId, since) => toCost(await sumPersonsChats(sql, userId, { from: since })),
    byPerson: async (span, page) => {
      const { people, count } = await listPeoplesChats(sql, span, page);
      return { people: people.map(({ person, ...sums }) => ({ person, ...toCost(sums) })), count };
    },
    summaryOf: async (userId, span, rowsMax) => {
      const [total, models, chats] = await Promise.all([
        sumPersonsChats(sql, userId, span),
        sumPersonsChatsByModel(sql, userId, { ...span, rowsMax }),
        sumPersonsChatsByChat(sql, userId, { ...span, rowsMax }),
      ]);
      return {
        total: toCost(total),
        models: models.map(({ model, provider, ...sums }) => ({
          ...{ model, provider },
          ...toCost(sums),
        })),
        chats: chats.map(({ sessionId, ...sums }) => ({ chatId: sessionId, ...toCost(sums) })),
      };
    },
  };
}

function toCost(sums: RequestSums): ChatCost {
  const { requests, unpricedRequests } = sums;
  return { costMicros: knownCost(sums), requests, unpricedRequests };
}
