/** One chat: its head, the conversation, what waits, the composer, and the workspace beside it. */
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { ok, type Result } from "@atelier/base/result";
import { requestPath, type ApiProblem } from "@atelier/contract/client";
import { promoteQueuedChatMessage } from "@atelier/contract/http/chat-queue";
import { sendChatMessage } from "@atelier/contract/http/chats";
import { streamChat } from "@atelier/contract/http/chat-sockets";
import { useEffect, useLayoutEffect, useMemo, useState, type ReactNode } from "react";
import { useChange } from "../../api/use-endpoint.ts";
import { onAwake, onNextFrame } from "../../browser/awake.ts";
import { keep, kept, openSocket } from "../../browser/host.ts";
import { ChatOutbox, type Delivered } from "../composer/chat-outbox.ts";
import { Composer, useEscape } from "../composer/composer.tsx";
import { FailedSends } from "../composer/failed-sends.tsx";
import { sendBody, type SendInput } from "../composer/send-input.ts";
import { QueueDrawer } from "../queue/queue-drawer.tsx";
import { ChatLink, type ChatSocket, type FirstPage } from "../stream/chat-link.ts";
import { Transcript } from "../transcript/transcript.tsx";
import { ChatHeader } from "./chat-header.tsx";
import { ChatHelp } from "./chat-help.tsx";
import { ChatSceneContext, useChatScene, useLinkState, type ChatScene } from "./chat-scene.ts";
import { SidePanel, usePanelState } from "./side-panel.tsx";
import { StatusLine } from "./status-line.tsx";
import { useChat, useKeptCurrent } from "./use-chat.ts";
import { WorkspaceSide } from "./workspace-side.tsx";

type ChatViewProps = {
  readonly chatId: string;
  readonly isOwn: boolean;
  readonly first: FirstPage;
};

/** `first` counts when the chat is opened; all that comes later comes by the stream. */
export function ChatView({ chatId, isOwn, first }: ChatViewProps) {
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const deliver = useDelivery(chatId);
  const [scene] = useState((): ChatScene => {
    const link = linkOf(chatId, first);
    return {
      ...{ chatId, isOwn, link },
      outbox: new ChatOutbox({
        ...{ clock: systemClock, random: systemRandom },
        deliver: async (input, key) => deliver(input, key, link.state.view.queue.length > 0),
        store: {
          read: () => kept("device", `chat-outbox.${chatId}`),
          write: (text) => keep("device", `chat-outbox.${chatId}`, text),
        },
      }),
      opened: new Map(),
      composer: { current: null },
      transcript: { current: null },
      openHelp: () => setIsHelpOpen(true),
    };
  });
  useEffect(() => scene.link.start(), [scene]);
  useEffect(() => onAwake(() => scene.link.wake()), [scene]);
  return (
    <ChatSceneContext value={scene}>
      <Layout />
      <ChatHelp isOpen={isHelpOpen} onClose={() => setIsHelpOpen(false)} />
    </ChatSceneContext>
  );
}

/**
 * What interrupts goes before what is queued: it is queued itself and then sent for, because an
 * interrupted chat goes on with the first of its queue.
 */
function useDelivery(chatId: string) {
  const send = useChange(sendChatMessage);
  const promote = useChange(promoteQueuedChatMessage);
  return async (
    input: SendInput,
    key: string,
    hasQueue: boolean,
  ): Promise<Result<Delivered, ApiProblem>> => {
    const overtakes = hasQueue && input.busyBehavior === "interrupt";
    const body = sendBody(overtakes ? { ...input, busyBehavior: "queue" } : input, key);
    const sent = await send({ params: { chat: chatId }, body });
    if (!sent.ok) return sent;
    const { message, queued_message: queued } = sent.value;
    if (overtakes && queued !== undefined) {
      const promoted = await promote({ params: { chat: chatId, queued: queued.id } });
      if (!promoted.ok) return promoted;
    }
    return ok({ messageId: message?.id ?? null, queuedId: queued?.id ?? null });
  };
}

function linkOf(chatId: string, first: FirstPage): ChatLink {
  return new ChatLink(
    {
      ...{ clock: systemClock, random: systemRandom, soon: onNextFrame },
      open: (cursor) => {
        const path = requestPath(streamChat.path, { chat: chatId }, cursor);
        if (path === null) throw new Error("a chat's id is no empty text");
        // Its handlers take more than ours do: that is all the types differ in.
        return openSocket(path) as ChatSocket;
      },
    },
    first,
  );
}

function Layout() {
  const panel = usePanelState();
  useFullPage();
  const conversation = useMemo(() => <Conversation />, []);
  return (
    <div className="full-page flex">
      <div className="flex min-w-0 flex-1 flex-col">
        <ChatHeader isPanelOpen={panel.isOpen} onPanel={panel.toggle} />
        {conversation}
      </div>
      {panel.isOpen && (
        <SidePanel onWidth={panel.setWidthPx} widthPx={panel.widthPx}>
          <WorkspaceSide onClose={panel.toggle} />
        </SidePanel>
      )}
    </div>
  );
}

/** Before anything is painted. */
function useFullPage(): void {
  useLayoutEffect(() => {
    const { dataset } = document.documentElement;
    dataset["fullPage"] = "";
    return () => {
      delete dataset["fullPage"];
    };
  }, []);
}

function Conversation() {
  useKeptCurrent();
  useSeen();
  const onEscape = useEscape();
  return (
    <div
      className="flex min-h-0 flex-1 flex-col"
      // Keys of all that is in it; itself it is nothing to press.
      onKeyDown={onEscape}
      role="presentation"
    >
      <Transcript />
      <div className="mx-auto w-full max-w-3xl px-3 pb-3 md:px-6">
        <StatusLine />
        <Foot />
      </div>
    </div>
  );
}

/** What the stream tells of is not on its way any more. */
function useSeen(): void {
  const { link, outbox } = useChatScene();
  useEffect(() => {
    const look = (): void => outbox.look(link.state.view);
    look();
    const ends = [link.subscribe(look), outbox.subscribe(look)];
    return () => {
      for (const end of ends) end();
    };
  }, [link, outbox]);
}

function Foot(): ReactNode {
  const { isOwn } = useChatScene();
  const { owner_username: owner, archived } = useChat();
  const isGone = useLinkState(({ connection }) => connection.kind === "gone");
  if (isGone) return null;
  if (!isOwn) {
    return (
      <p className="rounded-lg border border-line bg-surface p-3 text-muted">
        Only {owner ?? "its owner"} writes here. You read along.
      </p>
    );
  }
  return (
    <>
      <FailedSends />
      {archived && (
        <p className="mb-2 rounded-lg border border-line bg-surface p-3 text-muted">
          This chat is put away and takes no messages. /archive takes it out again.
        </p>
      )}
      <QueueDrawer />
      <Composer />
    </>
  );
}
