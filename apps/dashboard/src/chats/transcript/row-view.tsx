/** One row of the transcript, by its kind. */
import { memo } from "react";
import { PromptBubble, PromptRow } from "./prompt-row.tsx";
import { partsOf } from "../composer/send-input.ts";
import { usageText } from "../composer/usage-words.ts";
import { ErrorCard } from "./error-card.tsx";
import { FileView } from "./file-view.tsx";
import { MarkRow } from "./mark-row.tsx";
import { Markdown } from "./markdown.tsx";
import { safeHref } from "./markdown-tokens.ts";
import { PlanCard } from "./plan-card.tsx";
import { QuestionCard } from "./question-card.tsx";
import { ReasoningRow } from "./reasoning-row.tsx";
import { ToolCard } from "./tool-card.tsx";
import { PLAN_TOOL, type ShownRow, type ToolRow } from "./transcript-rows.ts";

type RowViewProps = {
  readonly row: ShownRow;
  /** A question or plan that waits for the person. */
  readonly isOpenRequest: boolean;
};

export const RowView = memo(function RowView({ row, isOpenRequest }: RowViewProps) {
  switch (row.kind) {
    case "prompt":
      return <PromptRow id={row.id} parts={row.parts} sentAt={row.sentAt} />;
    case "text":
      return <Markdown text={row.text} />;
    case "reasoning":
      return <ReasoningRow part={row.part} rowKey={row.key} />;
    case "tool":
      return <ToolRowView isOpenRequest={isOpenRequest} row={row} />;
    case "mark":
      return <MarkRow tool={row.tool} />;
    case "file":
      return <FileView file={row.file} />;
    case "sources":
      return <Sources row={row} />;
    case "context":
      return <p className="truncate px-2 text-xs text-muted">{row.text}</p>;
    case "usage":
      return <p className="px-2 text-xs text-muted tabular-nums">{usageText(row.usage)}</p>;
    case "failure":
      return <ErrorCard error={row.error} />;
    case "outgoing":
      return <PromptBubble parts={partsOf(row.outgoing.input)} under="Sending…" />;
  }
});

type ToolRowViewProps = { readonly row: ToolRow; readonly isOpenRequest: boolean };

function ToolRowView({ row, isOpenRequest }: ToolRowViewProps) {
  const name = row.call?.tool_name;
  const isGiven = row.result !== null && row.result.is_error !== true;
  if (name === "ask_user_question" && isGiven) {
    return <QuestionCard isOpen={isOpenRequest} row={row} />;
  }
  if (name === PLAN_TOOL && isGiven) return <PlanCard isOpen={isOpenRequest} row={row} />;
  return <ToolCard row={row} />;
}

function Sources({ row }: { readonly row: Extract<ShownRow, { kind: "sources" }> }) {
  return (
    <p className="flex flex-wrap gap-x-3 gap-y-1 px-2 text-xs text-muted">
      Sources:
      {row.sources.map(({ url, title }) => {
        const href = safeHref(url);
        return (
          href !== null && (
            <a
              className="max-w-64 truncate text-accent hover:underline"
              href={href}
              key={url}
              rel="noreferrer noopener"
              target="_blank"
            >
              {title ?? url}
            </a>
          )
        );
      })}
    </p>
  );
}
