/** One chat: what was said, what goes on, and what is said next. */
import { getChat, listChatMessages } from "@atelier/contract/http/chats";
import { useParams } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useSignedIn } from "../app/signed-in.ts";
import { ChatView } from "../chats/page/chat-view.tsx";
import "../chats/page/chat.css";
import { useReading } from "../chats/page/use-reading.ts";
import { Loaded } from "../ui/loaded.tsx";

/** A screen's worth and more; the rest comes when one scrolls there. */
const FIRST_MESSAGES = 60;

export function Page() {
  const { chat: chatId = "" } = useParams({ strict: false }) as { readonly chat?: string };
  const me = useSignedIn();
  const chat = useEndpoint(getChat, { params: { chat: chatId } });
  const page = useReading(
    listChatMessages,
    { params: { chat: chatId }, query: { limit: FIRST_MESSAGES } },
    {},
  );
  return (
    <Loaded query={chat} what="the chat">
      {({ owner_id: ownerId }) => (
        <Loaded query={page} what="its messages">
          {({ messages, queued_messages: queue, has_more: hasOlder }) => (
            <ChatView
              chatId={chatId}
              first={{ messages: messages.toReversed(), queue, hasOlder }}
              isOwn={ownerId === me.id}
              key={chatId}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}
