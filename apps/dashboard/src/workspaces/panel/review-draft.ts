/** Comments on lines of a diff, which are collected and handed over as one text. Pure. */
import { z } from "zod";

export const ReviewComment = z.object({
  id: z.string(),
  /** The repository's top directory. */
  root: z.string(),
  path: z.string(),
  /** A line of the file as it is now, or as it was. */
  side: z.enum(["after", "before"]),
  line: z.number().int(),
  /** What stood there when it was written about. */
  quoted: z.string(),
  text: z.string(),
});
export type ReviewComment = z.output<typeof ReviewComment>;

export type CommentPlace = Pick<ReviewComment, "root" | "path" | "side" | "line" | "quoted">;

/** Whether a comment is about this line, as it stands there now. */
export function isAbout(comment: ReviewComment, place: CommentPlace): boolean {
  const { root, path, side, line, quoted } = comment;
  return (
    root === place.root &&
    path === place.path &&
    side === place.side &&
    line === place.line &&
    quoted === place.quoted
  );
}

/** What was kept of a draft. What is not understood is forgotten. */
export function parseDraft(kept: string | null): readonly ReviewComment[] {
  if (kept === null) return [];
  try {
    return z.array(ReviewComment).parse(JSON.parse(kept));
  } catch {
    return [];
  }
}

const QUOTED_CHARACTERS_MAX = 200;

/** For whoever is to act on it: file by file, line by line, with what stands there. */
export function reviewText(comments: readonly ReviewComment[]): string {
  const roots = new Set(comments.map(({ root }) => root));
  const sorted = comments.toSorted(
    (a, b) => compare(a.root, b.root) || compare(a.path, b.path) || a.line - b.line,
  );
  const parts = sorted.map(({ root, path, side, line, quoted, text }) => {
    const file = roots.size > 1 ? `${root}/${path}` : path;
    const where = side === "before" ? `line ${line} before the change` : `line ${line}`;
    const cut = quoted.trim().slice(0, QUOTED_CHARACTERS_MAX);
    return [`${file}, ${where}:`, ...(cut === "" ? [] : [`> ${cut}`]), text.trim()].join("\n");
  });
  const [only] = roots;
  const about = roots.size === 1 ? ` in ${only}` : "";
  return [`Comments on the changes${about}:`, ...parts].join("\n\n");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
