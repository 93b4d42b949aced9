/** Stops the turn that is on the page. */
import type { Result } from "@atelier/base/result";
import { turnMessageId } from "@atelier/contract/chat/chat-view";
import type { ApiProblem } from "@atelier/contract/client";
import { getChat, interruptChat } from "@atelier/contract/http/chats";
import { useChange } from "../../api/use-endpoint.ts";
import { useChatScene } from "../page/chat-scene.ts";

/** A press that reaches the server late stops no other turn than the one that was seen. */
export function useStop(): () => Promise<Result<unknown, ApiProblem>> {
  const { chatId, link } = useChatScene();
  const stop = useChange(interruptChat, [getChat]);
  return async () => {
    const body = { turn_message_id: turnMessageId(link.state.view) };
    return stop({ params: { chat: chatId }, body });
  };
}
