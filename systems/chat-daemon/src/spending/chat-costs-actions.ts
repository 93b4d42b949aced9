/** What chats cost, by person, model and chat. Nothing, where nobody records it. */
import type {
  ChatCost,
  ChatCosts,
  ChatCostSummary,
  CostSpan,
} from "@atelier/contract/rpc/chat-ports";
import { listTitles } from "./spending-store.ts";
import type { SpendingDeps } from "./spending-actions.ts";

export async function readPeoplesCosts(
  { costs }: SpendingDeps,
  span: CostSpan,
  page: { readonly limit: number; readonly offset: number },
): ReturnType<ChatCosts["byPerson"]> {
  return costs === null ? { people: [], count: 0 } : costs.byPerson(span, page);
}

export type TitledSummary = Omit<ChatCostSummary, "chats"> & {
  readonly chats: readonly (ChatCostSummary["chats"][number] & {
    readonly title: string | undefined;
  })[];
};

const NOT_RECORDED: ChatCost = { costMicros: null, requests: 0, unpricedRequests: 0 };

/** Titles say what a chat is about: only for whoever may read it. */
export async function readSummary(
  { costs, database }: SpendingDeps,
  who: { readonly userId: string; readonly mayReadChats: boolean },
  span: CostSpan,
  rowsMax: number,
): Promise<TitledSummary> {
  if (costs === null) return { total: NOT_RECORDED, models: [], chats: [] };
  const summary = await costs.summaryOf(who.userId, span, rowsMax);
  const ids = who.mayReadChats ? summary.chats.map(({ chatId }) => chatId) : [];
  const titles = await listTitles(database.sql, who.userId, ids);
  const chats = summary.chats.map((chat) => ({ ...chat, title: titles.get(chat.chatId) }));
  return { ...summary, chats };
}
