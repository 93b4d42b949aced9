/** Fetches what was written before the messages that are here, a page at a time. */
import { listChatMessages } from "@atelier/contract/http/chats";
import { useCallback, useMemo, useRef, useState } from "react";
import { useChange } from "../../api/use-endpoint.ts";
import { useChatScene } from "../page/chat-scene.ts";

const PAGE_MESSAGES = 100;
/** On the way to a message far back. */
const LONG_PAGE_MESSAGES = 200;

export type Older = {
  /** Why the last page did not come. Then none is fetched until `isRetry`. */
  readonly problem: string | null;
  readonly loadPage: (isRetry?: boolean) => void;
  /** Resolves when the message is here, or there is none before. */
  readonly loadUntil: (id: number) => Promise<void>;
};

export function useOlder(): Older {
  const { chatId, link } = useChatScene();
  const read = useChange(listChatMessages);
  const [problem, setProblem] = useState<string | null>(null);
  const loading = useRef<Promise<boolean> | null>(null);

  /** False: there was no page. */
  const load = useCallback(
    async (limit: number): Promise<boolean> => {
      const { view, hasOlder } = link.state;
      const [first] = view.messages;
      if (!hasOlder || first === undefined) return false;
      const page = await read({ params: { chat: chatId }, query: { before_id: first.id, limit } });
      if (!page.ok) {
        setProblem(page.failure.message);
        return false;
      }
      setProblem(null);
      link.addOlder(first.id, page.value.messages.toReversed(), page.value.has_more);
      return true;
    },
    [chatId, link, read],
  );
  /** One at a time: each page begins where the one before it ended. */
  const next = useCallback(
    async (limit: number): Promise<boolean> => {
      loading.current ??= load(limit).finally(() => {
        loading.current = null;
      });
      return loading.current;
    },
    [load],
  );
  return useMemo(
    () => ({
      problem,
      loadPage: (isRetry = false) => {
        if (problem !== null && !isRetry) return;
        next(PAGE_MESSAGES).catch(() => {}); // Failures are values here.
      },
      loadUntil: async (id) => {
        for (;;) {
          const [first] = link.state.view.messages;
          if (first === undefined || first.id <= id) return;
          if (!(await next(LONG_PAGE_MESSAGES))) return;
        }
      },
    }),
    [problem, next, link],
  );
}
