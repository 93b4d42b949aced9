/** The chat's own facts: its title, model, workspace. What happens in it comes by its stream. */
import type { CallAnswer } from "@atelier/contract/client";
import { getChat, getChatCost, listChatPrompts } from "@atelier/contract/http/chats";
import { getWorkspace } from "@atelier/contract/http/workspaces";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { problemOf } from "../../api/api-problem-error.ts";
import { renewAnswers, useEndpoint } from "../../api/use-endpoint.ts";
import { useChatScene, useLinkState } from "./chat-scene.ts";
import { useReading } from "./use-reading.ts";

export type ChatFacts = CallAnswer<typeof getChat>;

const LOOK_AGAIN_MS = 10_000;
/** While it is not known why nothing happens. */
const LOOK_SOON_MS = 2_000;

/** The page shows nothing before it has this. */
export function useChat(): ChatFacts {
  const { chatId } = useChatScene();
  const query = useEndpoint(getChat, { params: { chat: chatId } });
  if (query.data === undefined) throw new Error("a chat's page begins with its facts");
  return query.data;
}

export function useChatCost() {
  const { chatId } = useChatScene();
  return useEndpoint(getChatCost, { params: { chat: chatId } });
}

/** Undefined: it has none, or it is not known yet. */
export function useChatWorkspace(): CallAnswer<typeof getWorkspace> | undefined {
  const { workspace_id: id } = useChat();
  const input = { params: { workspace: id ?? "none" } };
  const isWanted = id !== undefined;
  const query = useReading(getWorkspace, input, { isWanted, everyMs: LOOK_AGAIN_MS });
  return isWanted ? query.data : undefined;
}

/** What may be otherwise when a turn begins or ends is read again; and the stream hears how the server is. */
export function useKeptCurrent(): void {
  const { chatId, link } = useChatScene();
  const queryClient = useQueryClient();
  const status = useLinkState(({ view }) => view.status);
  useEffect(() => {
    if (status === null) return;
    renewAnswers(queryClient, [getChat, getChatCost, listChatPrompts]).catch(() => {}); // They tell themselves.
  }, [status, queryClient]);
  const isSilent = useLinkState(
    ({ view }) => view.status === "running" && view.preview === null && view.retry === null,
  );
  const isLost = useLinkState(
    ({ connection }) => connection.kind === "away" && connection.retryAt !== null,
  );
  useEffect(() => {
    // Why is not told to those who are shut out: the chat itself says whether it is still theirs to read.
    if (isLost) renewAnswers(queryClient, [getChat]).catch(() => {}); // It tells itself.
  }, [isLost, queryClient]);
  const { dataUpdatedAt, failureCount, error } = useEndpoint(
    getChat,
    { params: { chat: chatId } },
    { everyMs: isSilent ? LOOK_SOON_MS : LOOK_AGAIN_MS },
  );
  useEffect(() => link.confirm(), [link, dataUpdatedAt]);
  useEffect(() => {
    if (failureCount > 0) link.doubt();
  }, [link, failureCount]);
  const isGone = error !== null && problemOf(error).code === "resource.not_found";
  useEffect(() => {
    if (isGone) link.endForGood();
  }, [link, isGone]);
}
