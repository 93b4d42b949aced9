/** What a person wrote: text as it was typed, with what is attached. */
import { memo, type ReactNode } from "react";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { IconButton } from "../../ui/button.tsx";
import { ChatIcon } from "../chat-icon.tsx";
import { useChatScene } from "../page/chat-scene.ts";
import { CodeBlock } from "./code-block.tsx";
import { FileView } from "./file-view.tsx";
import { promptText } from "./transcript-rows.ts";

type PromptRowProps = {
  readonly id: number;
  readonly sentAt: string;
  readonly parts: readonly MessagePart[];
};

export const PromptRow = memo(function PromptRow({ id, sentAt, parts }: PromptRowProps) {
  const { isOwn, composer } = useChatScene();
  return (
    <PromptBubble
      parts={parts}
      under={
        <>
          <RelativeTime time={sentAt} />
          {isOwn && (
            <IconButton
              label="Edit this message"
              onClick={() => composer.current?.edit({ id, parts })}
            >
              <ChatIcon name="edit" size={14} />
            </IconButton>
          )}
        </>
      }
    />
  );
});

type PromptBubbleProps = { readonly parts: readonly MessagePart[]; readonly under: ReactNode };

export function PromptBubble({ parts, under }: PromptBubbleProps) {
  const text = promptText(parts);
  return (
    <article aria-label="Message" className="flex flex-col items-end pt-3">
      <div className="max-w-[92%] min-w-0 space-y-2 rounded-2xl rounded-br-sm bg-accent-soft px-4 py-2 md:max-w-[80%]">
        {parts.map((part, index) =>
          part.type === "file-reference" ? (
            <CodeBlock
              // Parts of a message never move.
              key={index}
              label={`${part.file_name}:${part.start_line}–${part.end_line}`}
              language=""
              text={part.content}
            />
          ) : null,
        )}
        {text !== "" && <p className="break-words whitespace-pre-wrap">{text}</p>}
        {parts.map((part) =>
          part.type === "file" ? <FileView file={part} key={part.file_id ?? part.name} /> : null,
        )}
      </div>
      <div className="flex min-h-9 items-center gap-1 text-xs text-muted">{under}</div>
    </article>
  );
}
