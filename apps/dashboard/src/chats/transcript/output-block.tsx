/**
 * What a command wrote: its end is followed while it runs, and it can be searched, kept as a file and
 * copied. One that failed is shown from its end, where the reason stands.
 */
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from "react";
import { showFound } from "../../browser/found-mark.ts";
import { saveText } from "../../browser/save-text.ts";
import "../../code/code.css";
import { SmallButton, SmallCopyButton } from "./code-block.tsx";
import { findAll, foundText, lineCount } from "./text-finding.ts";

/** Shorter ones are taken in at a glance. */
const SEARCHED_LINES_MIN = 12;
/** So near to the end is at it. */
const END_PX = 8;

type OutputBlockProps = {
  readonly text: string;
  /** More is being written. */
  readonly isLive: boolean;
  readonly startsAtEnd: boolean;
  /** Of the file that it is kept as. */
  readonly fileName: string;
};

export function OutputBlock({ text, isLive, startsAtEnd, fileName }: OutputBlockProps) {
  const frame = useRef<HTMLPreElement>(null);
  const [isSearched, setIsSearched] = useState(false);
  const lines = useMemo(() => lineCount(text), [text]);
  const onScroll = useFollowedEnd(frame, text, { isLive, startsAtEnd });
  return (
    <div className="overflow-hidden rounded-md border border-line">
      <div className="flex items-center border-b border-line bg-sunken pr-1 pl-3 text-xs text-muted">
        <span className="flex-1 truncate tabular-nums">
          Output{lines > 1 && `, ${lines.toLocaleString("en")} lines`}
        </span>
        {lines >= SEARCHED_LINES_MIN && (
          <SmallButton
            aria-expanded={isSearched}
            aria-label="Find in the output"
            onClick={() => setIsSearched(!isSearched)}
          >
            Find
          </SmallButton>
        )}
        <SmallButton aria-label="Download the output" onClick={() => saveText(fileName, text)}>
          Download
        </SmallButton>
        <SmallCopyButton text={text} what="the output" />
      </div>
      {isSearched && <FindLine frame={frame} onClose={() => setIsSearched(false)} text={text} />}
      <pre
        aria-label="Output"
        className="max-h-96 overflow-auto bg-surface px-3 py-2 font-mono text-xs leading-5"
        onScroll={onScroll}
        ref={frame}
        // Not a landmark: there may be many of one name.
        role="group"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <code>{text}</code>
      </pre>
    </div>
  );
}

/** Who has scrolled away from the end stays where they are. */
function useFollowedEnd(
  frame: RefObject<HTMLElement | null>,
  text: string,
  { isLive, startsAtEnd }: Pick<OutputBlockProps, "isLive" | "startsAtEnd">,
): () => void {
  const isAtEnd = useRef(isLive || startsAtEnd);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element !== null && isAtEnd.current) element.scrollTo({ top: element.scrollHeight });
  }, [frame, text]);
  return () => {
    const element = frame.current;
    if (element === null) return;
    const { scrollHeight, scrollTop, clientHeight } = element;
    isAtEnd.current = isLive && scrollHeight - scrollTop - clientHeight < END_PX;
  };
}

type FindLineProps = {
  readonly text: string;
  readonly frame: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
};

function FindLine({ text, frame, onClose }: FindLineProps) {
  const [wanted, setWanted] = useState("");
  const [place, setPlace] = useState(0);
  const found = useMemo(() => findAll(text, wanted), [text, wanted]);
  const at = found[place];
  useEffect(() => {
    if (at === undefined || frame.current === null) return undefined;
    return showFound(frame.current, at, wanted.length);
  }, [at, wanted.length, frame]);
  const step = (by: number): void => {
    if (found.length > 0) setPlace((place + by + found.length) % found.length);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    // An escape stops no agent here.
    event.stopPropagation();
  };
  return (
    <div className="flex items-center gap-1 border-b border-line bg-surface px-2 py-1 text-xs">
      <input
        aria-label="Words to find"
        // Somebody has just asked for it.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        className="min-h-7 min-w-0 flex-1 rounded border border-strong-line bg-surface px-2"
        onChange={(event) => {
          setWanted(event.currentTarget.value);
          setPlace(0);
        }}
        onKeyDown={onKeyDown}
        placeholder="Enter: next, Shift Enter: the one before"
        value={wanted}
      />
      <span aria-live="polite" className="min-w-16 text-center text-muted tabular-nums">
        {wanted === "" ? "" : foundText(found, place)}
      </span>
      <SmallButton aria-label="The one before" onClick={() => step(-1)}>
        ↑
      </SmallButton>
      <SmallButton aria-label="The next one" onClick={() => step(1)}>
        ↓
      </SmallButton>
    </div>
  );
}
