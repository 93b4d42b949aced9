/** Which changed files somebody has seen, as they were then: one that changes again is to be seen anew. Pure. */
import { z } from "zod";
import type { DiffFile } from "./diff-files.ts";

/** By repository and path: what was seen of it. The latest are kept. */
export type SeenFiles = ReadonlyMap<string, string>;

const KEPT_MAX = 500;
const Kept = z.array(z.tuple([z.string(), z.string()]));

export function parseSeen(kept: string | null): SeenFiles {
  try {
    return new Map(Kept.parse(JSON.parse(kept ?? "[]")));
  } catch {
    return new Map(); // Whatever stands there: nothing was seen.
  }
}

export function seenText(seen: SeenFiles): string | null {
  return seen.size === 0 ? null : JSON.stringify([...seen].slice(-KEPT_MAX));
}

export function seenKey(root: string, { path }: Pick<DiffFile, "path">): string {
  return `${root}\n${path}`;
}

export type SeenState = "seen" | "changed_since" | "unseen";

export function seenState(seen: SeenFiles, root: string, file: DiffFile): SeenState {
  const known = seen.get(seenKey(root, file));
  if (known === undefined) return "unseen";
  return known === fingerprint(file) ? "seen" : "changed_since";
}

export function withSeen(
  seen: SeenFiles,
  { root, file, isSeen }: { readonly root: string; readonly file: DiffFile; readonly isSeen: boolean }, // prettier-ignore
): SeenFiles {
  const next = new Map(seen);
  const key = seenKey(root, file);
  // It becomes the latest one.
  next.delete(key);
  if (isSeen) next.set(key, fingerprint(file));
  return next;
}

/** Of what is changed, wherever in the file it stands. */
export function fingerprint({ change, from, isBinary, hunks }: DiffFile): string {
  const lines = hunks.flatMap((hunk) =>
    hunk.lines.filter(({ kind }) => kind !== "context").map(({ kind, text }) => kind + text),
  );
  return hashText([change, from ?? "", String(isBinary), ...lines].join("\n"));
}

/** Two different texts of one file have the same one time in 2⁵³. */
function hashText(text: string): string {
  let [low, high] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 2_654_435_761);
    high = Math.imul(high ^ code, 1_597_334_677);
  }
  low =
    Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  high =
    Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  return `${(high >>> 0).toString(36)}.${(low >>> 0).toString(36)}`;
}
