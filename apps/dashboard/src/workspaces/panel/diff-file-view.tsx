/** One changed file: its lines in one column or side by side, each of which can be written about. */
import { useMemo, useRef, useState, type ReactNode } from "react";
import { languageOfPath } from "../../code/code-language.ts";
import { codeLine, useCodeColours, type CodeSide } from "../../code/use-code-colours.ts";
import { useWordMarks, wordMark } from "../../code/use-word-marks.ts";
import { wordMarks, type MarkedSpan } from "../../code/word-marks.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { sideBySide, type DiffFile, type DiffHunk, type DiffLine } from "./diff-files.ts";
import { LineComments } from "./line-comments.tsx";
import type { CommentPlace } from "./review-draft.ts";
import type { ReviewDraft } from "./use-review-draft.ts";
import type { SeenMarks } from "./use-seen-files.ts";

export type DiffLook = "unified" | "split";

/** Longer ones are shown piece by piece: the page stays quick. */
const LINES_AT_FIRST = 400;
const LINES_MORE = 2_000;
/** Files that are mostly generated are folded at first. */
const OPEN_LINES_MAX = 1_000;

type DiffFileProps = {
  readonly file: DiffFile;
  readonly root: string;
  readonly draft: ReviewDraft;
  readonly look: DiffLook;
  readonly seen: SeenMarks;
  readonly isOpenAtFirst: boolean;
};

export function DiffFileView({ file, seen, isOpenAtFirst, ...rest }: DiffFileProps) {
  const isLong = file.added + file.removed > OPEN_LINES_MAX;
  const seenAs = seen.stateOf(rest.root, file);
  const [isOpen, setIsOpen] = useState(isOpenAtFirst && !isLong && seenAs !== "seen");
  return (
    <section
      aria-label={file.path}
      className="mb-2 overflow-hidden rounded-lg border border-line bg-surface"
    >
      <div className="flex items-stretch bg-sunken">
        <h3 className="min-w-0 flex-1">
          <button
            aria-expanded={isOpen}
            className="flex min-h-9 w-full flex-wrap items-center gap-2 px-2 py-1 text-left hover:bg-hover"
            onClick={() => setIsOpen(!isOpen)}
            type="button"
          >
            <span className={`text-muted ${isOpen ? "rotate-90" : ""}`}>
              <Icon name="chevron" size={14} />
            </span>
            <span className="min-w-0 grow font-mono text-xs break-all">
              {file.from !== null && <span className="text-muted">{file.from} → </span>}
              {file.path}
            </span>
            {file.change !== "changed" && <Badge tone={TONES[file.change]}>{file.change}</Badge>}
            {seenAs === "changed_since" && <Badge tone="warn">changed since you saw it</Badge>}
            <LineCounts added={file.added} removed={file.removed} />
          </button>
        </h3>
        <label className="flex min-h-9 items-center gap-1.5 px-2 text-xs text-muted hover:bg-hover hover:text-ink">
          <input
            aria-label={`Seen: ${file.path}`}
            checked={seenAs === "seen"}
            onChange={({ currentTarget: { checked } }) => {
              seen.mark(rest.root, file, checked);
              setIsOpen(!checked);
            }}
            type="checkbox"
          />
          Seen
        </label>
      </div>
      {isOpen && <Hunks file={file} {...rest} />}
    </section>
  );
}

const TONES = { added: "good", deleted: "bad", renamed: "neutral" } as const;

export function LineCounts({ added, removed }: Pick<DiffFile, "added" | "removed">) {
  return (
    <span className="font-mono text-xs whitespace-nowrap">
      <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
    </span>
  );
}

type HunksProps = Omit<DiffFileProps, "isOpenAtFirst" | "seen">;

function Hunks({ file, root, draft, look }: HunksProps) {
  const [linesMax, setLinesMax] = useState(LINES_AT_FIRST);
  const [editing, setEditing] = useState<CommentPlace | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => [file, look, linesMax], [file, look, linesMax]);
  useCodeColours(frame, languageOfPath(file.path), shown);
  useWordMarks(frame, shown);
  const marks = useMemo(
    () => new Map(file.hunks.flatMap(({ lines }) => [...wordMarks(lines)])),
    [file],
  );
  if (file.isBinary) return <p className="p-3 text-muted">A binary file.</p>;
  if (file.hunks.length === 0) return <p className="p-3 text-muted">No line changed.</p>;
  const all = file.hunks.reduce((count, { lines }) => count + lines.length, 0);
  const about: AboutLine = (line) => {
    const [side, number] =
      line.after === null ? (["before", line.before] as const) : (["after", line.after] as const);
    return { root, path: file.path, side, line: number ?? 0, quoted: line.text };
  };
  const below = (line: DiffLine): ReactNode => (
    <LineComments
      draft={draft}
      editing={editing}
      onDone={() => setEditing(null)}
      place={about(line)}
    />
  );
  const rows = { about, below, marks, onWrite: setEditing };
  return (
    <div className="overflow-x-auto border-t border-line" ref={frame}>
      {cutHunks(file.hunks, linesMax).map((hunk) => (
        <div key={hunk.head}>
          <p className="bg-accent-soft px-3 py-0.5 font-mono text-xs break-all text-muted">
            {hunk.head}
          </p>
          {look === "unified" ? <Unified {...rows} hunk={hunk} /> : <Split {...rows} hunk={hunk} />}
        </div>
      ))}
      {all > linesMax && (
        <div className="flex items-center justify-between gap-3 border-t border-line p-2 text-muted">
          <span>
            Showing {linesMax} of {all} lines
          </span>
          <Button onClick={() => setLinesMax(linesMax + LINES_MORE)}>Show more</Button>
        </div>
      )}
    </div>
  );
}

function cutHunks(hunks: readonly DiffHunk[], linesMax: number): readonly DiffHunk[] {
  let left = linesMax;
  const shown: DiffHunk[] = [];
  for (const { head, lines } of hunks) {
    if (left <= 0) break;
    shown.push({ head, lines: lines.slice(0, left) });
    left -= lines.length;
  }
  return shown;
}

const SIDES = { added: "after", removed: "before", context: "both" } as const;

type AboutLine = (line: DiffLine) => CommentPlace;

type RowsProps = {
  readonly hunk: DiffHunk;
  readonly about: AboutLine;
  readonly marks: ReadonlyMap<DiffLine, MarkedSpan>;
  /** What was written about a line, and what is being written. */
  readonly below: (line: DiffLine) => ReactNode;
  readonly onWrite: (place: CommentPlace) => void;
};

const LOOKS = {
  added: { row: "bg-good-soft", sign: "+" },
  removed: { row: "bg-bad-soft", sign: "−" },
  context: { row: "", sign: " " },
} as const;

function Unified({ hunk, about, below, marks, onWrite }: RowsProps) {
  return hunk.lines.map((line) => (
    <div key={`${line.before} ${line.after}`}>
      <div
        className={`grid grid-cols-[3rem_3rem_1fr] font-mono text-xs leading-6 ${LOOKS[line.kind].row}`}
      >
        <LineNumber line={line} number={line.before} onWrite={() => onWrite(about(line))} />
        <LineNumber
          isSilent={line.before !== null}
          line={line}
          number={line.after}
          onWrite={() => onWrite(about(line))}
        />
        <LineText line={line} mark={marks.get(line)} side={SIDES[line.kind]} />
      </div>
      {below(line)}
    </div>
  ));
}

function Split({ hunk, about, below, marks, onWrite }: RowsProps) {
  return sideBySide(hunk.lines).map(({ before, after }) => (
    <div key={`${before?.before} ${after?.after}`}>
      <div className="grid grid-cols-2 font-mono text-xs leading-6">
        {[before, after].map((line, index) =>
          line === null ? (
            <div className="bg-sunken" key={index === 0 ? "before" : "after"} />
          ) : (
            <div
              className={`grid min-w-0 grid-cols-[3rem_1fr] ${LOOKS[line.kind].row} ${index === 1 ? "border-l border-line" : ""}`}
              key={index === 0 ? "before" : "after"}
            >
              <LineNumber
                isSilent={index === 0 && line.kind === "context"}
                line={line}
                number={index === 0 ? line.before : line.after}
                onWrite={() => onWrite(about(line))}
              />
              <LineText
                line={line}
                mark={marks.get(line)}
                side={index === 0 ? "before" : "after"}
              />
            </div>
          ),
        )}
      </div>
      {before !== null && before.kind === "removed" && below(before)}
      {after !== null && below(after)}
    </div>
  ));
}

type LineNumberProps = {
  readonly line: DiffLine;
  readonly number: number | null;
  /** The same line has a button already. */
  readonly isSilent?: boolean;
  readonly onWrite: () => void;
};

function LineNumber({ line, number, isSilent = false, onWrite }: LineNumberProps) {
  if (number === null) return <span />;
  if (isSilent) return <span className="pr-2 text-right text-muted select-none">{number}</span>;
  const where = line.kind === "removed" ? `removed line ${number}` : `line ${number}`;
  return (
    <button
      aria-label={`Comment on ${where}`}
      className="flex items-start justify-end pr-2 text-muted select-none hover:bg-accent-fill hover:text-white"
      onClick={onWrite}
      title="Comment on this line"
      type="button"
    >
      {number}
    </button>
  );
}

type LineTextProps = {
  readonly line: DiffLine;
  readonly side: CodeSide;
  readonly mark: MarkedSpan | undefined;
};

function LineText({ line, side, mark }: LineTextProps) {
  return (
    <code className="min-w-0 pr-2 break-words whitespace-pre-wrap">
      <span className="inline-block w-4 select-none">{LOOKS[line.kind].sign}</span>
      <span {...codeLine(side)} {...wordMark(mark)}>
        {line.text}
      </span>
    </code>
  );
}
