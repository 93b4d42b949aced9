/** What a composer holds, and what can be done with it. */
import type { ApiProblem } from "@atelier/contract/client";
import { editChatMessage, listChatPrompts } from "@atelier/contract/http/chats";
import { useRef, useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { keep, kept } from "../../browser/host.ts";
import { useAttachments, type Attachments } from "../attachments/use-attachments.ts";
import type { ModelChoice } from "../model-choice/model-choice.ts";
import { useChatScene, type EditedMessage } from "../page/chat-scene.ts";
import { draftOf, draftText, joined, NO_DRAFT, type Draft } from "./draft-text.ts";
import { AT_DRAFT, promptTexts, step, type HistoryPlace } from "./prompt-history.ts";
import { contentOf, inputOf, type SentFile } from "./send-input.ts";
import { slashMeaning, slashOffers, type SlashCommand } from "./slash-commands.ts";
import { useSlashCommands } from "./use-slash-commands.ts";
import { useStop } from "./use-stop.ts";

const PLACEHOLDER = "Say what is to be done. / for commands";
const PROMPTS = 100;
const STILL_UPLOADING = "A file is still on its way. Send when it is there.";

export type ComposerState = {
  readonly draft: Draft;
  readonly attachments: Attachments;
  readonly editing: EditedMessage | null;
  readonly problem: ApiProblem | null;
  readonly notice: string | null;
  readonly placeholder: string;
  readonly maySend: boolean;
  /** Null: as the chat has it. */
  readonly choice: ModelChoice | null;
  /** Null: as the chat has them. */
  readonly servers: readonly string[] | null;
  readonly offers: readonly SlashCommand[];
  readonly offered: number;
  readonly isInHistory: boolean;
  readonly setText: (text: string) => void;
  readonly setPlaceholder: (text: string) => void;
  readonly setChoice: (choice: ModelChoice) => void;
  readonly setServers: (serverIds: readonly string[] | null) => void;
  readonly add: (more: Draft) => void;
  readonly removeReference: (index: number) => void;
  readonly removeFile: (id: string) => void;
  readonly startEdit: (message: EditedMessage) => void;
  readonly cancelEdit: () => void;
  readonly submit: (behavior: "queue" | "interrupt") => void;
  readonly interrupt: () => void;
  readonly dismiss: () => void;
  /** These say whether there was something to do. */
  readonly moveOffer: (by: 1 | -1) => boolean;
  readonly takeOffer: () => boolean;
  readonly closeOffers: () => boolean;
  readonly stepHistory: (direction: "older" | "newer") => boolean;
};

export function useComposer(): ComposerState {
  const { chatId } = useChatScene();
  const [draft, setDraft] = useDraft(chatId);
  const attachments = useAttachments(`chat.${chatId}`);
  const said = useSaid();
  const [choice, setChoice] = useState<ModelChoice | null>(null);
  const [servers, setServers] = useState<readonly string[] | null>(null);
  const editing = useEditing(draft, setDraft);
  const offers = useOffers(draft, setDraft);
  const history = useHistory(chatId);
  const files: readonly SentFile[] = [
    ...draft.files,
    ...attachments.items.flatMap(({ state, name, mediaType }) =>
      state.kind === "ready" ? [{ id: state.fileId, name, mediaType }] : [],
    ),
  ];
  const empty = (): void => {
    setDraft(NO_DRAFT);
    attachments.clear();
    history.leave();
    said.reset();
  };
  const maySend = !attachments.isUploading && contentOf({ ...draft, files }).length > 0;
  const send = useSend({ message: { ...draft, files }, choice, servers, editing, empty, said });
  const runSlash = useSlashCommands({
    ...{ setChoice, setNotice: said.setNotice, setProblem: said.setProblem },
    edit: editing.start,
  });
  return {
    ...{ draft, attachments, maySend, choice, setChoice, servers, setServers },
    ...{ problem: said.problem, notice: said.notice, placeholder: said.placeholder },
    ...{ setPlaceholder: said.setPlaceholder, dismiss: () => said.setProblem(null) },
    ...{ editing: editing.current, startEdit: editing.start, cancelEdit: editing.cancel },
    ...{ offers: offers.shown, offered: offers.place, isInHistory: history.isBack },
    ...{ moveOffer: offers.move, closeOffers: offers.close, takeOffer: offers.take },
    interrupt: useInterrupt(said.setProblem),
    setText: (text) => {
      setDraft({ ...draft, text });
      history.leave();
      offers.reset();
      said.setNotice(null);
    },
    add: (more) => setDraft(joined(draft, more)),
    removeReference: (index) =>
      setDraft({ ...draft, references: draft.references.toSpliced(index, 1) }),
    removeFile: (id) => setDraft({ ...draft, files: draft.files.filter((each) => each.id !== id) }),
    submit: (behavior) => {
      if (!maySend) {
        if (attachments.isUploading) said.setNotice(STILL_UPLOADING);
        return;
      }
      const meaning = slashMeaning(draft.text);
      if (meaning.kind === "message") send(meaning.text, behavior);
      else if (meaning.kind === "unknown") {
        said.setNotice(`There is no /${meaning.word}. Two slashes begin a message with one.`);
      } else {
        setDraft({ ...draft, text: "" });
        said.setProblem(null);
        runSlash(meaning.name, meaning.rest);
      }
    },
    stepHistory: (direction) => {
      const text = history.step(direction, draft.text);
      if (text === null) return false;
      setDraft({ ...draft, text });
      return true;
    },
  };
}

/** What the composer says below the field. */
function useSaid() {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const [placeholder, setPlaceholder] = useState(PLACEHOLDER);
  return {
    ...{ problem, setProblem, notice, setNotice, placeholder, setPlaceholder },
    reset: (): void => {
      setProblem(null);
      setNotice(null);
      setPlaceholder(PLACEHOLDER);
    },
  };
}

type Sending = {
  readonly message: Draft;
  readonly choice: ModelChoice | null;
  readonly servers: readonly string[] | null;
  readonly editing: ReturnType<typeof useEditing>;
  readonly empty: () => void;
  readonly said: ReturnType<typeof useSaid>;
};

/** A new message goes through the outbox; an edited one is awaited, because it drops others. */
function useSend({ message, choice, servers, editing, empty, said }: Sending) {
  const { chatId, outbox } = useChatScene();
  const edit = useChange(editChatMessage);
  const modelConfigId =
    choice === null || choice.modelConfigId === "" ? null : choice.modelConfigId;
  const effort = choice === null || choice.effort === "" ? null : choice.effort;
  return (text: string, busyBehavior: "queue" | "interrupt"): void => {
    const input = { ...message, text, modelConfigId, effort };
    if (editing.current === null) {
      outbox.send({ ...input, busyBehavior, planMode: null, serverIds: servers });
      empty();
      return;
    }
    const body = {
      content: contentOf(input),
      ...(modelConfigId === null ? {} : { model_config_id: modelConfigId }),
      ...(effort === null ? {} : { reasoning_effort: effort }),
      ...(servers === null ? {} : { mcp_server_ids: [...servers] }),
    };
    edit({ params: { chat: chatId, message: editing.current.id }, body }).then(
      (outcome) => {
        if (outcome.ok) {
          empty();
          editing.end();
        } else said.setProblem(outcome.failure);
      },
      () => {}, // Failures are values here.
    );
  };
}

function useInterrupt(tell: (problem: ApiProblem | null) => void): () => void {
  const stop = useStop();
  return () => {
    stop().then(
      (outcome) => tell(outcome.ok ? null : outcome.failure),
      () => {}, // Failures are values here.
    );
  };
}

/** Kept on the device with each change. */
function useDraft(chatId: string): [Draft, (draft: Draft) => void] {
  const name = `chat-draft.${chatId}`;
  const [draft, setDraft] = useState(() => draftOf(kept("device", name)));
  return [
    draft,
    (next) => {
      setDraft(next);
      keep("device", name, draftText(next));
    },
  ];
}

/** What was being written comes back when an edit is given up. */
function useEditing(draft: Draft, setDraft: (draft: Draft) => void) {
  const [current, setCurrent] = useState<EditedMessage | null>(null);
  const aside = useRef<Draft>(NO_DRAFT);
  return {
    current,
    start: (message: EditedMessage): void => {
      if (current === null) aside.current = draft;
      setCurrent(message);
      setDraft(inputOf(message.parts));
    },
    cancel: (): void => {
      setCurrent(null);
      setDraft(aside.current);
    },
    end: (): void => {
      setCurrent(null);
      setDraft(aside.current);
      aside.current = NO_DRAFT;
    },
  };
}

function useOffers(draft: Draft, setDraft: (draft: Draft) => void) {
  const [place, setPlace] = useState(0);
  const [isClosed, setIsClosed] = useState(false);
  const shown = isClosed ? [] : slashOffers(draft.text);
  const current = Math.min(place, Math.max(0, shown.length - 1));
  return {
    shown,
    place: current,
    move: (by: 1 | -1): boolean => {
      setPlace((current + by + shown.length) % shown.length);
      return true;
    },
    close: (): boolean => {
      setIsClosed(true);
      return true;
    },
    /** False: it stands there whole, and the key means what it says. */
    take: (): boolean => {
      const offer = shown[current];
      if (offer === undefined || draft.text === `/${offer.name}`) return false;
      setDraft({ ...draft, text: `/${offer.name}${offer.input === "" ? "" : " "}` });
      return true;
    },
    reset: (): void => {
      setPlace(0);
      setIsClosed(false);
    },
  };
}

function useHistory(chatId: string) {
  const { link } = useChatScene();
  const listed = useEndpoint(listChatPrompts, {
    params: { chat: chatId },
    query: { limit: PROMPTS },
  });
  const [place, setPlace] = useState<HistoryPlace>(AT_DRAFT);
  return {
    isBack: place.back !== null,
    leave: (): void => {
      if (place.back !== null) setPlace(AT_DRAFT);
    },
    step: (direction: "older" | "newer", text: string): string | null => {
      const prompts = promptTexts(link.state.view.messages, listed.data?.prompts ?? []);
      const next = step(place, direction, { prompts, text });
      if (next === null) return null;
      setPlace(next.place);
      return next.text;
    },
  };
}
