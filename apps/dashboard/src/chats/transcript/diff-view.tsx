/** A change of a file, line by line. Signs say what colours say. */
import { useRef } from "react";
import { languageOfPath } from "../../code/code-language.ts";
import { codeLine, useCodeColours, type CodeSide } from "../../code/use-code-colours.ts";
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
  useCodeColours(frame, languageOfPath(path), lines);
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
          {lines.map(({ kind, text, before, after }, index) => (
            // Lines of a diff never move.
            <div className={`flex whitespace-pre ${LOOKS[kind]}`} key={index}>
              <span
                aria-hidden="true"
                className="w-10 shrink-0 pr-2 text-right text-muted select-none"
              >
                {after ?? before ?? ""}
              </span>
              <span className="w-4 shrink-0 text-center">{SIGNS[kind]}</span>
              <code className="pr-3" {...sideOf(kind)}>
                {text === "" ? " " : text}
              </code>
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function sideOf(kind: DiffLine["kind"]) {
  const side = SIDES[kind];
  return side === undefined ? {} : codeLine(side);
}
