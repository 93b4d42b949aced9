/** What changed in a file, as a unified diff. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

const DIFF_MS_MAX = 500;
const CONTEXT_LINES = 3;

/** Empty: nothing changed. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: CONTEXT_LINES,
    timeout: DIFF_MS_MAX,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? `--- ${path}\n+++ ${path}\n\\ The change is too large to be shown.\n`;
}

/** Cuts diffs so that all of them together keep to a limit. Each that is cut says so. */
export function cutDiffs<File extends { readonly diff: string }>(
  files: readonly File[],
  bytesMax: number,
): File[] {
  let left = bytesMax;
  return files.map((file) => {
    const bytes = Buffer.byteLength(file.diff);
    if (bytes <= left) {
      left -= bytes;
      return file;
    }
    const kept = Buffer.from(file.diff).subarray(0, left).toString("utf8");
    left = 0;
    const lines = kept.slice(0, kept.lastIndexOf("\n") + 1);
    return { ...file, diff: `${lines}\\ The rest of the diff is not shown.\n` };
  });
}
