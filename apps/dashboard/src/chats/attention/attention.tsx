/**
 * Watches one's agents while any page is open: the lists are as the server has them, every page knows how
 * many wait, and who is elsewhere is called, where they want it. Draws nothing.
 */
import { systemClock } from "@atelier/base/system-clock";
import { useCallback, useEffect, useRef } from "react";
import { isAway, notify } from "../../browser/notifying.ts";
import { showWaiting } from "../../browser/tab-title.ts";
import { chatPath } from "../chat-words.ts";
import type { ChatNews } from "../inbox/chat-news-link.ts";
import { chatsOf } from "../inbox/inbox-list.tsx";
import { useChatList, useChatNews } from "../inbox/use-inbox.ts";
import { setAttention } from "./attention-store.ts";
import { chosenCalls } from "./call-choice.ts";
import { callOutOf } from "./call-outs.ts";

export function Attention({ onGo }: { readonly onGo: (path: string) => void }) {
  // Only lists of those that work are asked for more often without news.
  const pages = useChatList("needs_you", "", { isConnected: true });
  const ids = chatsOf(pages)
    .map(({ id }) => id)
    .join(" ");
  const { hasNextPage: hasMore } = pages;
  useEffect(() => {
    const waitingIds = ids === "" ? [] : ids.split(" ");
    setAttention({ waitingIds, hasMore });
    showWaiting(waitingIds.length);
  }, [ids, hasMore]);
  useEffect(
    () => () => {
      setAttention(null);
      showWaiting(0);
    },
    [],
  );
  useChatNews({ onNews: useCallOuts(onGo), onConnected });
  return null;
}

function onConnected(isLive: boolean): void {
  setAttention({ isLive });
}

/** Nobody is called twice for the same. */
function useCallOuts(onGo: (path: string) => void): (news: ChatNews) => void {
  const called = useRef(new Set<string>());
  return useCallback(
    (news) => {
      if (!isAway()) return;
      const callOut = callOutOf(news, chosenCalls(), systemClock.now());
      if (callOut === null || called.current.has(callOut.tag)) return;
      called.current.add(callOut.tag);
      notify({ ...callOut, onOpen: () => onGo(chatPath(callOut.chatId)) });
    },
    [onGo],
  );
}
