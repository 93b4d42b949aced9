/** The comments that somebody is writing on the changes of a workspace: kept with the tab until they are handed over. */
import { systemRandom } from "@atelier/base/system-random";
import { useState } from "react";
import { keep, kept } from "../../browser/host.ts";
import { parseDraft, type CommentPlace, type ReviewComment } from "./review-draft.ts";

export type ReviewDraft = {
  readonly comments: readonly ReviewComment[];
  readonly add: (place: CommentPlace, text: string) => void;
  readonly remove: (id: string) => void;
  readonly clear: () => void;
};

export function useReviewDraft(agentId: string): ReviewDraft {
  const name = `review.${agentId}`;
  const [comments, setComments] = useState(() => parseDraft(kept("tab", name)));
  const change = (next: readonly ReviewComment[]): void => {
    keep("tab", name, next.length === 0 ? null : JSON.stringify(next));
    setComments(next);
  };
  return {
    comments,
    add: (place, text) => change([...comments, { ...place, id: systemRandom.uuid(), text }]),
    remove: (id) => change(comments.filter((each) => each.id !== id)),
    clear: () => change([]),
  };
}
