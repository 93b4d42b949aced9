/**
 * What can be done to a chat from a list. Shown as done at once where nothing can be lost by that; when
 * the server refuses, the list is as it was and says why.
 */
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { interruptChat, listChats, updateChat, type Chat } from "@atelier/contract/http/chats";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { problemOf } from "../../api/api-problem-error.ts";
import { renewAnswers, useChange } from "../../api/use-endpoint.ts";
import { announce } from "../../ui/announcements.tsx";
import { dropChat, putChat } from "./use-inbox.ts";

export type ChatActions = {
  interrupt(chat: Chat): void;
  archive(chat: Chat, archived: boolean): void;
  askName(chat: Chat): void;
};

export type ChatActionState = {
  readonly actions: ChatActions;
  /** Of the last action; null: it went well. */
  readonly problem: ApiProblem | null;
  readonly forgetProblem: () => void;
  /** The chat whose name is asked for. */
  readonly named: Chat | null;
  readonly closeName: () => void;
  readonly rename: (chat: Chat, title: string) => Promise<Result<unknown, ApiProblem>>;
};

export function useChatActions(): ChatActionState {
  const queryClient = useQueryClient();
  const interrupt = useChange(interruptChat);
  const update = useChange(updateChat);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [named, setNamed] = useState<Chat | null>(null);
  const run = (change: () => Promise<Result<unknown, ApiProblem>>): void => {
    setProblem(null);
    const done = async (): Promise<void> => {
      const outcome = await change();
      if (!outcome.ok) setProblem(outcome.failure);
      await renewAnswers(queryClient, [listChats]);
    };
    done().catch((error: unknown) => setProblem(problemOf(error)));
  };
  return {
    problem,
    forgetProblem: () => setProblem(null),
    named,
    closeName: () => setNamed(null),
    actions: {
      interrupt: (chat) => {
        putChat(queryClient, { ...chat, status: "interrupting" }, { staysThere: false });
        const body = { turn_message_id: chat.turn_message_id };
        run(() => interrupt({ params: { chat: chat.id }, body }));
      },
      archive: (chat, archived) => {
        dropChat(queryClient, chat.id);
        run(async () => {
          const outcome = await update({ params: { chat: chat.id }, body: { archived } });
          if (outcome.ok) {
            announce(archived ? `Archived ${chat.title}.` : `${chat.title} is back.`);
          }
          return outcome;
        });
      },
      askName: setNamed,
    },
    rename: async (chat, title) => {
      const outcome = await update({ params: { chat: chat.id }, body: { title } });
      if (outcome.ok) await renewAnswers(queryClient, [listChats]);
      return outcome;
    },
  };
}
