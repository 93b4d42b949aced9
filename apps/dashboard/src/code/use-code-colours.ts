/**
 * Colours the code within an element once it has come to rest: while it is being written it has one
 * colour, and nothing waits for it.
 */
import { systemClock } from "@atelier/base/system-clock";
import { useEffect, type RefObject } from "react";
import {
  askForSpans,
  canColour,
  knownSpans,
  paint,
  type PaintedPart,
} from "../browser/code-colours.ts";
import type { CodeSpan } from "./code-kinds.ts";
import "./code.css";
import { joinedLines, lineSpans } from "./line-spans.ts";

const REST_MS = 120;
/** Longer ones have one colour: it would be thousands of places, and nobody reads them by colour. */
const TEXT_MAX = 60_000;

/**
 * Of lines of code: in which of the two states of a change it stands. Elements with it hold their text
 * and nothing else; those of one state are read as one code.
 */
export type CodeSide = "both" | "before" | "after";

/** For the element: `{...codeLine("both")}`. */
export function codeLine(side: CodeSide): { readonly "data-code": CodeSide } {
  return { "data-code": side };
}

/** `shown` is what changes when what is shown changes. */
export function useCodeColours(
  frame: RefObject<HTMLElement | null>,
  language: string | null,
  shown: unknown,
): void {
  useEffect(() => {
    const element = frame.current;
    if (element === null || language === null || !canColour()) return undefined;
    const ends: (() => void)[] = [];
    for (const { nodes, isPainted } of statesOf(element)) {
      const lines = nodes.map(({ data }) => data);
      const text = joinedLines(lines);
      if (text.length > TEXT_MAX) continue;
      const show = (spans: readonly CodeSpan[]): void => {
        ends.push(paint(partsOf(nodes, lines, spans).filter(({ node }) => isPainted(node))));
      };
      const spans = knownSpans(text, language);
      if (spans !== null) show(spans);
      else ends.push(askAtRest(text, language, show));
    }
    return () => {
      for (const end of ends) end();
    };
  }, [frame, language, shown]);
}

function askAtRest(
  text: string,
  language: string,
  show: (spans: readonly CodeSpan[]) => void,
): () => void {
  const stop = new AbortController();
  systemClock.sleep(REST_MS, stop.signal).then(
    () => stop.signal.addEventListener("abort", askForSpans(text, language, show)),
    () => {}, // It changes still, or is gone.
  );
  return () => stop.abort(new Error("it is not shown any more"));
}

type CodeState = {
  readonly nodes: readonly Text[];
  /** What both states have is coloured once. */
  readonly isPainted: (node: Text) => boolean;
};

function statesOf(element: HTMLElement): readonly CodeState[] {
  const found = [...element.querySelectorAll<HTMLElement>("[data-code]")].flatMap((line) => {
    const { firstChild } = line;
    return firstChild instanceof Text ? [{ node: firstChild, side: line.dataset["code"] }] : [];
  });
  const before = found.filter(({ side }) => side === "before").map(({ node }) => node);
  const after = found.filter(({ side }) => side !== "before").map(({ node }) => node);
  const olds = new Set(before);
  return [
    { nodes: after, isPainted: () => true },
    ...(before.length === 0
      ? []
      : [
          {
            nodes: found.filter(({ side }) => side !== "after").map(({ node }) => node),
            isPainted: (node: Text) => olds.has(node),
          },
        ]),
  ];
}

function partsOf(
  nodes: readonly Text[],
  lines: readonly string[],
  spans: readonly CodeSpan[],
): readonly PaintedPart[] {
  return lineSpans(lines, spans).flatMap(({ line, from, to, kind }) => {
    const node = nodes[line];
    return node === undefined ? [] : [{ node, from, to, kind }];
  });
}
