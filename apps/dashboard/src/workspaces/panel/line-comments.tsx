/** What was written about one line of a diff, and where more of it is written. */
import { useId, useState } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { isAbout, type CommentPlace } from "./review-draft.ts";
import type { ReviewDraft } from "./use-review-draft.ts";

type LineCommentsProps = {
  readonly draft: ReviewDraft;
  readonly place: CommentPlace;
  /** Where a comment is being written. Null: nowhere. */
  readonly editing: CommentPlace | null;
  readonly onDone: () => void;
};

export function LineComments({ draft, place, editing, onDone }: LineCommentsProps) {
  const own = draft.comments.filter((comment) => isAbout(comment, place));
  const isEdited =
    editing !== null &&
    editing.side === place.side &&
    editing.line === place.line &&
    editing.path === place.path;
  if (own.length === 0 && !isEdited) return null;
  return (
    <div className="space-y-2 border-y border-line bg-raised p-2">
      {own.map(({ id, text }) => (
        <div className="flex items-start gap-2" key={id}>
          <p className="min-w-0 grow rounded-md bg-accent-soft px-2 py-1 break-words whitespace-pre-wrap">
            {text}
          </p>
          <IconButton label="Remove this comment" onClick={() => draft.remove(id)}>
            <Icon name="close" size={14} />
          </IconButton>
        </div>
      ))}
      {isEdited && (
        <CommentEditor
          onCancel={onDone}
          onSave={(text) => {
            draft.add(place, text);
            onDone();
          }}
          place={place}
        />
      )}
    </div>
  );
}

type CommentEditorProps = {
  readonly place: CommentPlace;
  readonly onSave: (text: string) => void;
  readonly onCancel: () => void;
};

function CommentEditor({ place, onSave, onCancel }: CommentEditorProps) {
  const id = useId();
  const [text, setText] = useState("");
  const isEmpty = text.trim() === "";
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isEmpty) onSave(text.trim());
      }}
    >
      <label className="text-xs text-muted" htmlFor={id}>
        Comment on line {place.line} of {place.path}
      </label>
      <textarea
        // It was opened to be written into.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        className="block w-full rounded-md border border-strong-line bg-surface px-2 py-1.5"
        id={id}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel();
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || isEmpty) return;
          event.preventDefault();
          onSave(text.trim());
        }}
        rows={3}
        value={text}
      />
      <div className="flex gap-2">
        <Button disabled={isEmpty} look="main" type="submit">
          Add to the review
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
