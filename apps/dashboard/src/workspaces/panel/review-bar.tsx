/** The comments of a review that is being written, and what becomes of them. */
import { useState } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-text.tsx";
import { Icon } from "../../ui/icon.tsx";
import type { ChangesPanelProps } from "./panel-props.ts";
import { reviewText } from "./review-draft.ts";
import type { ReviewDraft } from "./use-review-draft.ts";

type ReviewBarProps = {
  readonly draft: ReviewDraft;
  readonly onComments: ChangesPanelProps["onComments"] | undefined;
};

export function ReviewBar({ draft, onComments }: ReviewBarProps) {
  const [isListed, setIsListed] = useState(false);
  const { comments, remove, clear } = draft;
  if (comments.length === 0) return null;
  const text = reviewText(comments);
  const count = `${comments.length} ${comments.length === 1 ? "comment" : "comments"}`;
  return (
    <section
      aria-label="Review"
      className="sticky bottom-2 z-10 rounded-lg border border-line bg-raised p-3 shadow-lg"
    >
      <div className="flex flex-wrap items-center gap-2">
        <button
          aria-expanded={isListed}
          className="flex grow items-center gap-1.5 rounded text-left font-medium"
          onClick={() => setIsListed(!isListed)}
          type="button"
        >
          <span className={`text-muted ${isListed ? "rotate-90" : ""}`}>
            <Icon name="chevron" size={16} />
          </span>
          {count}
        </button>
        <Button look="quiet" onClick={clear}>
          Discard
        </Button>
        {onComments === undefined ? (
          <CopyButton text={text} what="the review" />
        ) : (
          <Button
            look="main"
            onClick={() => {
              onComments(text);
              clear();
            }}
          >
            Hand over the review
          </Button>
        )}
      </div>
      {isListed && (
        <ul className="mt-2 max-h-48 space-y-1 overflow-y-auto">
          {comments.map(({ id, path, line, text: said }) => (
            <li className="flex items-start gap-2" key={id}>
              <span className="min-w-0 grow">
                <span className="font-mono text-xs break-all text-muted">
                  {path}:{line}
                </span>{" "}
                {said}
              </span>
              <IconButton label={`Remove the comment on line ${line}`} onClick={() => remove(id)}>
                <Icon name="close" size={14} />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
