/** Messages that wait until the agent is free: edited, moved, taken out, or sent now. */
import {
  deleteQueuedChatMessage,
  promoteQueuedChatMessage,
  updateQueuedChatMessage,
} from "@atelier/contract/http/chat-queue";
import { type ChatQueuedMessage } from "@atelier/contract/http/chats";
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { memo, useState } from "react";
import { useChange } from "../../api/use-endpoint.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { contentOf, inputOf } from "../composer/send-input.ts";
import { useChatScene, useLinkState } from "../page/chat-scene.ts";
import { ChatIcon } from "../chat-icon.tsx";
import { promptText } from "../transcript/transcript-rows.ts";

export const QueueDrawer = memo(function QueueDrawer() {
  const queue = useLinkState(({ view }) => view.queue);
  const { isOwn } = useChatScene();
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [edited, setEdited] = useState<number | null>(null);
  if (queue.length === 0) return null;
  const did = (outcome: Result<unknown, ApiProblem>): void => {
    setProblem(outcome.ok ? null : outcome.failure);
  };
  return (
    <section
      aria-label="Queue"
      className="rounded-t-lg border border-b-0 border-line bg-sunken px-3 py-2"
    >
      <h2 className="text-xs font-medium text-muted">
        {queue.length} queued, sent when the agent is free
      </h2>
      {problem !== null && (
        <ProblemNotice problem={problem}>
          <Button onClick={() => setProblem(null)}>Dismiss</Button>
        </ProblemNotice>
      )}
      <ol className="max-h-[30vh] overflow-y-auto">
        {queue.map((message, index) =>
          message.id === edited ? (
            <QueuedEditor
              key={message.id}
              message={message}
              onDone={(outcome) => {
                if (outcome !== null) did(outcome);
                if (outcome === null || outcome.ok) setEdited(null);
              }}
            />
          ) : (
            <QueuedRow
              count={queue.length}
              index={index}
              isOwn={isOwn}
              key={message.id}
              message={message}
              onDid={did}
              onEdit={() => setEdited(message.id)}
            />
          ),
        )}
      </ol>
    </section>
  );
});

type QueuedRowProps = {
  readonly message: ChatQueuedMessage;
  readonly index: number;
  readonly count: number;
  readonly isOwn: boolean;
  readonly onEdit: () => void;
  readonly onDid: (outcome: Result<unknown, ApiProblem>) => void;
};

function QueuedRow({ message, index, count, isOwn, onEdit, onDid }: QueuedRowProps) {
  const { chatId } = useChatScene();
  const update = useChange(updateQueuedChatMessage);
  const remove = useChange(deleteQueuedChatMessage);
  const promote = useChange(promoteQueuedChatMessage);
  const [isBusy, setIsBusy] = useState(false);
  const params = { chat: chatId, queued: message.id };
  const run = (change: () => Promise<Result<unknown, ApiProblem>>): void => {
    setIsBusy(true);
    change().then(
      (outcome) => {
        setIsBusy(false);
        onDid(outcome);
      },
      () => setIsBusy(false), // Failures are values here.
    );
  };
  const text = promptText(message.content);
  const name = text === "" ? "the message" : `“${text.slice(0, 40)}”`;
  return (
    <li className="flex items-center gap-1">
      <span className="w-5 shrink-0 text-xs text-muted tabular-nums">{index + 1}.</span>
      <span className="min-w-0 flex-1 truncate" title={text}>
        {text}
        <FileCount content={message.content} />
      </span>
      {isOwn && (
        <span className="flex shrink-0">
          {(["up", "down"] as const).map((way) => {
            const place = way === "up" ? index - 1 : index + 1;
            return (
              place >= 0 &&
              place < count && (
                <IconButton
                  disabled={isBusy}
                  key={way}
                  label={`Move ${name} ${way}`}
                  onClick={() => run(async () => update({ params, body: { index: place } }))}
                >
                  <ChatIcon name={way} />
                </IconButton>
              )
            );
          })}
          <IconButton
            disabled={isBusy}
            label={`Send ${name} now; stops the agent`}
            onClick={() => run(async () => promote({ params }))}
          >
            <ChatIcon name="bolt" />
          </IconButton>
          <IconButton disabled={isBusy} label={`Edit ${name}`} onClick={onEdit}>
            <ChatIcon name="edit" />
          </IconButton>
          <IconButton
            disabled={isBusy}
            label={`Take ${name} out of the queue`}
            onClick={() => run(async () => remove({ params }))}
          >
            <Icon name="close" size={16} />
          </IconButton>
        </span>
      )}
    </li>
  );
}

function FileCount({ content }: Pick<ChatQueuedMessage, "content">) {
  const count = content.filter(({ type }) => type === "file").length;
  if (count === 0) return null;
  return (
    <span className="ml-2 text-xs text-muted">{count === 1 ? "1 file" : `${count} files`}</span>
  );
}

type QueuedEditorProps = {
  readonly message: ChatQueuedMessage;
  /** Null: it stays as it is. */
  readonly onDone: (outcome: Result<unknown, ApiProblem> | null) => void;
};

function QueuedEditor({ message, onDone }: QueuedEditorProps) {
  const { chatId } = useChatScene();
  const update = useChange(updateQueuedChatMessage);
  const input = inputOf(message.content);
  const [text, setText] = useState(input.text);
  const content = contentOf({ ...input, text });
  const save = (): void => {
    update({ params: { chat: chatId, queued: message.id }, body: { content } }).then(
      onDone,
      () => onDone(null), // Failures are values here.
    );
  };
  return (
    <li className="space-y-2 py-1">
      <textarea
        aria-label="The queued message"
        // It was opened to be typed into.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        className="block max-h-40 w-full rounded-md border border-strong-line bg-surface px-3 py-2 [field-sizing:content]"
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onDone(null);
          }
          if (event.key === "Enter" && !event.shiftKey && content.length > 0) {
            event.preventDefault();
            save();
          }
        }}
        value={text}
      />
      <div className="flex gap-2">
        <Button disabled={content.length === 0} look="main" onClick={save}>
          Save
        </Button>
        <Button onClick={() => onDone(null)}>Cancel</Button>
      </div>
    </li>
  );
}
