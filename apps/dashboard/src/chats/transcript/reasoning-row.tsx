/** What the model thought: one line with how long, opened by a press. */
import { memo } from "react";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { durationText } from "../../ui/relative-time-text.ts";
import { Disclosure } from "./disclosure.tsx";
import { Markdown } from "./markdown.tsx";

type ReasoningRowProps = {
  readonly rowKey: string;
  readonly part: Extract<MessagePart, { type: "reasoning" }>;
};

export const ReasoningRow = memo(function ReasoningRow({ rowKey, part }: ReasoningRowProps) {
  const { created_at: begun, completed_at: ended, text } = part;
  const tookMs =
    begun === undefined || ended === undefined ? null : Date.parse(ended) - Date.parse(begun);
  const words =
    tookMs !== null
      ? `Thought for ${durationText(Math.max(0, tookMs))}`
      : begun === undefined
        ? "Thought"
        : "Thinking…";
  return (
    <Disclosure line={<span className="text-muted">{words}</span>} rowKey={rowKey} tone="plain">
      {() => (
        <div className="ml-3.5 border-l-2 border-line py-1 pl-4 text-muted">
          <Markdown text={text} />
        </div>
      )}
    </Disclosure>
  );
});
