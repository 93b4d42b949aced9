/** Where messages are written. It always says when what is sent lands, and keeps what is not sent yet. */
import { isBusy } from "@atelier/contract/chat/chat-view";
import { memo, useImperativeHandle, useRef, type KeyboardEvent, type RefObject } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { AttachmentStrip, DropArea, PickFilesButton } from "../attachments/attachment-strip.tsx";
import { ChatIcon } from "../chat-icon.tsx";
import { useChatScene, useLinkState } from "../page/chat-scene.ts";
import { ComposerModel } from "./composer-model.tsx";
import { ComposerServers } from "./composer-servers.tsx";
import { droppedText, landingOf } from "./landing.ts";
import { SlashMenu } from "./slash-menu.tsx";
import { useComposer, type ComposerState } from "./use-composer.ts";

export const Composer = memo(function Composer() {
  const field = useRef<HTMLTextAreaElement>(null);
  const models = useRef<HTMLSelectElement>(null);
  const state = useComposer();
  useHandle(state, field, models);
  return (
    <DropArea attachments={state.attachments}>
      <div className="space-y-2 rounded-lg border border-strong-line bg-surface p-2 focus-within:border-accent">
        {state.editing !== null && (
          <EditNotice edited={state.editing.id} onCancel={state.cancelEdit} />
        )}
        <References state={state} />
        <AttachmentStrip attachments={state.attachments} />
        <div className="relative">
          <SlashMenu state={state} />
          <textarea
            aria-activedescendant={
              state.offers.length === 0 ? undefined : `slash-${state.offers[state.offered]?.name}`
            }
            aria-autocomplete="list"
            aria-controls={state.offers.length === 0 ? undefined : "slash-commands"}
            aria-describedby="composer-landing"
            aria-label="Message"
            className="block max-h-[40vh] min-h-11 w-full resize-none bg-transparent px-2 py-1.5 text-base outline-none placeholder:text-muted md:text-sm [field-sizing:content]"
            onChange={(event) => state.setText(event.currentTarget.value)}
            onKeyDown={(event) => onKey(event, state)}
            onPaste={state.attachments.onPaste}
            placeholder={state.placeholder}
            ref={field}
            rows={1}
            value={state.draft.text}
          />
        </div>
        {state.problem !== null && (
          <ProblemNotice problem={state.problem}>
            <Button onClick={state.dismiss}>Dismiss</Button>
          </ProblemNotice>
        )}
        {state.notice !== null && (
          <p className="px-2 text-muted" role="status">
            {state.notice}
          </p>
        )}
        <ComposerFoot
          attachments={state.attachments}
          choice={state.choice}
          isEditing={state.editing !== null}
          maySend={state.maySend}
          models={models}
          servers={state.servers}
          setChoice={state.setChoice}
          setServers={state.setServers}
        />
      </div>
    </DropArea>
  );
});

/** What other parts of the page do with it. */
function useHandle(
  state: ComposerState,
  field: RefObject<HTMLTextAreaElement | null>,
  models: RefObject<HTMLSelectElement | null>,
): void {
  const scene = useChatScene();
  useImperativeHandle(scene.composer, () => ({
    focus: (placeholder) => {
      if (placeholder !== undefined) state.setPlaceholder(placeholder);
      field.current?.focus();
    },
    edit: (message) => {
      state.startEdit(message);
      field.current?.focus();
    },
    take: (input) => {
      state.add(input);
      field.current?.focus();
    },
    addReferences: (references, text) => {
      state.add({ text, references, files: [] });
      field.current?.focus();
    },
    openModels: () => models.current?.focus(),
    submit: () => state.submit("queue"),
    interrupt: state.interrupt,
  }));
}

type FootProps = Pick<
  ComposerState,
  "attachments" | "choice" | "maySend" | "servers" | "setChoice" | "setServers"
> & {
  readonly isEditing: boolean;
  readonly models: { current: HTMLSelectElement | null };
};

/** Drawn when something of it changes, and not with each letter that is typed. */
const ComposerFoot = memo(function ComposerFoot(props: FootProps) {
  const { attachments, choice, isEditing, maySend, models, servers, setChoice, setServers } = props;
  const { composer } = useChatScene();
  const status = useLinkState(({ view }) => view.status);
  const queued = useLinkState(({ view }) => view.queue.length);
  const landing = landingOf({ status, queued, isEditing });
  const mayStop = status === "running" || status === "requires_action";
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <PickFilesButton attachments={attachments} />
      <ComposerModel choice={choice} selectRef={models} setChoice={setChoice} />
      <ComposerServers servers={servers} setServers={setServers} />
      <p className="order-last w-full px-2 text-xs text-muted" id="composer-landing">
        {landing.enter}{" "}
        {landing.now !== null && <span className="max-md:hidden">{landing.now}</span>}
      </p>
      <span className="ml-auto" />
      {mayStop && (
        <Button
          aria-label="Stop the agent"
          onClick={() => composer.current?.interrupt()}
          title="Esc"
        >
          <ChatIcon name="stop" />
          <span className="max-sm:sr-only">Stop</span>
        </Button>
      )}
      <Button disabled={!maySend} look="main" onClick={() => composer.current?.submit()}>
        <ChatIcon name="send" />
        <span className="min-w-12 text-left">{landing.verb}</span>
      </Button>
    </div>
  );
});

type EditNoticeProps = { readonly edited: number; readonly onCancel: () => void };

function EditNotice({ edited, onCancel }: EditNoticeProps) {
  const queued = useLinkState(({ view }) => view.queue.length);
  const prompts = useLinkState(
    ({ view }) => view.messages.filter(({ id, role }) => role === "user" && id > edited).length,
  );
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-md bg-warn-soft py-1 pr-1 pl-3">
      <p className="min-w-56 flex-1">
        <span className="font-medium">You edit a message that was sent.</span>{" "}
        {droppedText({ prompts, queued })}
      </p>
      <Button onClick={onCancel}>Keep it as it was</Button>
    </div>
  );
}

function References({ state }: { readonly state: ComposerState }) {
  const { files, references } = state.draft;
  if (files.length === 0 && references.length === 0) return null;
  return (
    <ul aria-label="Goes with the message" className="flex flex-wrap gap-2 text-xs">
      {references.map((each, index) => (
        <li className="flex items-center rounded-md border border-line pl-2" key={index}>
          {each.file_name}:{each.start_line}
          <IconButton
            label={`Take ${each.file_name}:${each.start_line} out`}
            onClick={() => state.removeReference(index)}
          >
            <Icon name="close" size={14} />
          </IconButton>
        </li>
      ))}
      {files.map(({ id, name }) => (
        <li className="flex items-center rounded-md border border-line pl-2" key={id}>
          {name}
          <IconButton label={`Take ${name} out`} onClick={() => state.removeFile(id)}>
            <Icon name="close" size={14} />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

function onKey(event: KeyboardEvent<HTMLTextAreaElement>, state: ComposerState): void {
  // While an input method is open, its keys are its own.
  if (event.nativeEvent.isComposing) return;
  const { key, shiftKey, ctrlKey, metaKey, currentTarget } = event;
  const did = (isDone: boolean): void => {
    if (!isDone) return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (state.offers.length > 0) {
    if (key === "ArrowDown") return did(state.moveOffer(1));
    if (key === "ArrowUp") return did(state.moveOffer(-1));
    // A command that stands there whole is not completed, but done.
    const isTaken = (key === "Tab" || (key === "Enter" && !shiftKey)) && state.takeOffer();
    if (isTaken) return did(true);
    if (key === "Escape") return did(state.closeOffers());
  }
  if (key === "Enter" && !shiftKey) {
    state.submit(ctrlKey || metaKey ? "interrupt" : "queue");
    return did(true);
  }
  const { selectionStart: from, selectionEnd: to, value } = currentTarget;
  const isPlain = !shiftKey && !ctrlKey && !metaKey && from === to;
  if (key === "ArrowUp" && isPlain && (from === 0 || state.isInHistory)) {
    return did(state.stepHistory("older"));
  }
  if (key === "ArrowDown" && isPlain && from === value.length) {
    return did(state.stepHistory("newer"));
  }
  if (key === "Escape" && state.editing !== null) {
    state.cancelEdit();
    return did(true);
  }
  return undefined;
}

/** Escape, anywhere beside the workspace's panel, stops the agent. */
export function useEscape(): (event: KeyboardEvent) => void {
  const { link, composer, isOwn } = useChatScene();
  return (event) => {
    const { status } = link.state.view;
    if (event.key !== "Escape" || event.defaultPrevented || !isOwn) return;
    if (status === null || !isBusy(status)) return;
    event.preventDefault();
    composer.current?.interrupt();
  };
}
