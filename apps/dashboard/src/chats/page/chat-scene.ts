/** What all parts of a chat's page share. It never changes while the page shows one chat. */
import type { ChatLink, ChatLinkState } from "../stream/chat-link.ts";
import type { ChatOutbox } from "../composer/chat-outbox.ts";
import type { Outgoing } from "../composer/outbox.ts";
import type { SendInput, SentReference } from "../composer/send-input.ts";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { createContext, useContext, useState, useSyncExternalStore } from "react";

export type EditedMessage = { readonly id: number; readonly parts: readonly MessagePart[] };

/** What the composer lets others do with it. */
export type ComposerHandle = {
  readonly focus: (placeholder?: string) => void;
  /** Takes the message back, to be sent anew. */
  readonly edit: (message: EditedMessage) => void;
  /** Puts it into the composer, behind what is there. */
  readonly take: (input: Pick<SendInput, "text" | "files" | "references">) => void;
  readonly addReferences: (references: readonly SentReference[], text: string) => void;
  readonly openModels: () => void;
  readonly submit: () => void;
  readonly interrupt: () => void;
};

export type TranscriptHandle = {
  /** Shows a message, and loads what is before it. */
  readonly jumpTo: (messageId: number) => void;
  readonly toEnd: () => void;
};

export type ChatScene = {
  readonly chatId: string;
  readonly link: ChatLink;
  readonly outbox: ChatOutbox;
  /** May write. */
  readonly isOwn: boolean;
  /** What was opened or closed, by the row: rows that are scrolled away forget it themselves. */
  readonly opened: Map<string, boolean>;
  readonly composer: { current: ComposerHandle | null };
  readonly transcript: { current: TranscriptHandle | null };
  readonly openHelp: () => void;
};

export const ChatSceneContext = createContext<ChatScene | null>(null);

export function useChatScene(): ChatScene {
  const scene = useContext(ChatSceneContext);
  if (scene === null) throw new Error("parts of a chat stand on its page");
  return scene;
}

/** `select` picks what is the same object until it changes. */
export function useLinkState<Picked>(select: (state: ChatLinkState) => Picked): Picked {
  const { link } = useChatScene();
  return useSyncExternalStore(link.subscribe, () => select(link.state));
}

export function useOutgoing(): readonly Outgoing[] {
  const { outbox } = useChatScene();
  return useSyncExternalStore(outbox.subscribe, () => outbox.outgoing);
}

/** A message is on its way: another press would send a second one. */
export function useIsSending(): boolean {
  return useOutgoing().some(({ state }) => state.kind !== "failed");
}

/** Open or closed, remembered while the row is scrolled away. */
export function useOpened(key: string, isOpenFirst: boolean): [boolean, () => void] {
  const { opened } = useChatScene();
  const [isOpen, setIsOpen] = useState(() => opened.get(key) ?? isOpenFirst);
  const toggle = (): void => {
    opened.set(key, !isOpen);
    setIsOpen(!isOpen);
  };
  return [isOpen, toggle];
}
