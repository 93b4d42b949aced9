/** Marks within an element what of its changed lines is changed. */
import { useEffect, type RefObject } from "react";
import { paintWords, type MarkedWords } from "../browser/word-paint.ts";
import "./code.css";
import type { MarkedSpan } from "./word-marks.ts";

/** For the element of a line, which holds its text and nothing else: `{...wordMark(span)}`. */
export function wordMark(span: MarkedSpan | undefined): { readonly "data-words"?: string } {
  return span === undefined ? {} : { "data-words": `${span.from} ${span.to}` };
}

/** `shown` is what changes when what is shown changes. */
export function useWordMarks(frame: RefObject<HTMLElement | null>, shown: unknown): void {
  useEffect(() => {
    const lines = frame.current?.querySelectorAll<HTMLElement>("[data-words]") ?? [];
    return paintWords([...lines].flatMap(wordsOf));
  }, [frame, shown]);
}

function wordsOf(line: HTMLElement): readonly MarkedWords[] {
  const { firstChild: node, dataset } = line;
  const [from = 0, to = 0] = (dataset["words"] ?? "").split(" ").map(Number);
  if (!(node instanceof Text) || to > node.data.length) return [];
  return [{ node, from, to, side: dataset["code"] === "before" ? "removed" : "added" }];
}
