/** A change of a file, line by line. Signs say what colours say. */
import { useMemo, useRef } from "react";
import { languageOfPath } from "../../code/code-language.ts";
import { codeLine, useCodeColours, type CodeSide } from "../../code/use-code-colours.ts";
import { useWordMarks, wordMark } from "../../code/use-word-marks.ts";
import { wordMarks, type MarkedSpan } from "../../code/word-marks.ts";
import { diffCount, type DiffLine } from "./unified-diff.ts";

const LOOKS: Readonly<Record<DiffLine["kind"], string>> = {
  added: "bg-good-soft",
  removed: "bg-bad-soft",
  same: "",
  hunk: "bg-sunken text-muted",
  note: "text-muted italic",
};
const SIGNS: Readonly<Record<DiffLine["kind"], string>> = {
  added: "+",
  removed: "−",
  same: " ",
  hunk: " ",
  note: " ",
};

const SIDES: Readonly<Partial<Record<DiffLine["kind"], CodeSide>>> = {
  ...{ added: "after", removed: "before", same: "both" },
};

type DiffViewProps = { readonly path: string; readonly lines: readonly DiffLine[] };

export function DiffView({ path, lines }: DiffViewProps) {
  const { added, removed } = diffCount(lines);
  const frame = useRef<HTMLElement>(null);
  const marks = useMemo(() => wordMarks(lines), [lines]);
  useCodeColours(frame, languageOfPath(path), lines);
  useWordMarks(frame, lines);
  return (
    <section aria-label={`Change of ${path}`} ref={frame}>
      <div className="flex justify-between gap-2 border-b border-line bg-sunken px-3 py-1 text-xs">
        <span className="truncate font-mono">{path}</span>
        <span className="whitespace-nowrap tabular-nums">
          <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
        </span>
      </div>
      <div
        className="max-h-96 overflow-auto font-mono text-xs leading-5"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={`Lines of ${path}`}
        role="group"
      >
        <div className="w-max min-w-full">
          {lines.map((line, index) => (
            // Lines of a diff never move.
            <DiffRow key={index} line={line} mark={marks.get(line)} />
          ))}
        </div>
      </div>
    </section>
  );
}

type DiffRowProps = { readonly line: DiffLine; readonly mark: MarkedSpan | undefined };

function DiffRow({ line: { kind, text, before, after }, mark }: DiffRowProps) {
  return (
    <div className={`flex whitespace-pre ${LOOKS[kind]}`}>
      <span aria-hidden="true" className="w-10 shrink-0 pr-2 text-right text-muted select-none">
        {after ?? before ?? ""}
      </span>
      <span className="w-4 shrink-0 text-center">{SIGNS[kind]}</span>
      <code className="pr-3" {...sideOf(kind)} {...wordMark(mark)}>
        {text === "" ? " " : text}
      </code>
    </div>
  );
}

function sideOf(kind: DiffLine["kind"]) {
  const side = SIDES[kind];
  return side === undefined ? {} : codeLine(side);
}
