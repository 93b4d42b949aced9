/**
 * The conversation. Only what is seen is drawn, however long it is; it follows what is written while
 * one reads its end, and stays where it is while one reads elsewhere.
 */
import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import {
  memo,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type RefObject,
} from "react";
import { Button } from "../../ui/button.tsx";
import { ChatIcon } from "../chat-icon.tsx";
import { useChatScene, useLinkState, useOutgoing } from "../page/chat-scene.ts";
import { RowView } from "./row-view.tsx";
import {
  openRequestKey,
  rowsOfMessages,
  withPreview,
  withTail,
  type ShownRow,
} from "./transcript-rows.ts";
import { estimateHeight } from "./row-height.ts";
import { useOlder } from "./use-older.ts";

/** So near to the end one reads along. */
const END_PX = 80;
/** So near to the beginning older messages are fetched. */
const OLDER_ROWS = 8;
const OVERSCAN_ROWS = 6;

type Rows = Virtualizer<HTMLDivElement, HTMLDivElement>;

export const Transcript = memo(function Transcript() {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useRows();
  const [isAtEnd, setIsAtEnd] = useState(true);
  // Its answers change without its own being another: nothing here is kept by it.
  // oxlint-disable-next-line react/incompatible-library
  const virtual: Rows = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: (index) => estimateHeight(rows[index]),
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: END_PX,
    overscan: OVERSCAN_ROWS,
    onChange: (instance) => setIsAtEnd(instance.isAtEnd(END_PX)),
  });
  useLayoutEffect(() => virtual.scrollToEnd(), [virtual]);
  useEndKept(frame, virtual);
  const sent = useOutgoing().length;
  // Whoever sends wants to see what comes.
  useLayoutEffect(() => {
    if (sent > 0) virtual.scrollToEnd();
  }, [sent, virtual]);
  const older = useOlder();
  const isNearStart = (virtual.getVirtualItems()[0]?.index ?? 0) < OLDER_ROWS;
  useEffect(() => {
    if (isNearStart) older.loadPage();
  }, [isNearStart, older, rows.length]);
  const marked = useHandle(virtual, rows, older.loadUntil);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        aria-label="Conversation"
        // The status line tells of what happens: words as they are written would drown it.
        aria-live="off"
        className="chat-scroll absolute inset-0 overflow-y-auto"
        ref={frame}
        role="log"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <OlderNotice older={older} />
        <ShownRows marked={marked} rows={rows} virtual={virtual} />
      </div>
      {!isAtEnd && (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
          <div className="pointer-events-auto rounded-md shadow-lg">
            <Button onClick={() => virtual.scrollToEnd()}>
              <ChatIcon name="down" />
              Jump to newest
            </Button>
          </div>
        </div>
      )}
    </div>
  );
});

/** Whoever reads the end still does when there is less room, as when the composer grows. */
function useEndKept(frame: RefObject<HTMLDivElement | null>, virtual: Rows): void {
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    let heightPx = element.clientHeight;
    const observer = new ResizeObserver(() => {
      const lostPx = Math.max(0, heightPx - element.clientHeight);
      heightPx = element.clientHeight;
      if (virtual.isAtEnd(END_PX + lostPx)) virtual.scrollToEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame, virtual]);
}

type ShownRowsProps = {
  readonly virtual: Rows;
  readonly rows: readonly ShownRow[];
  /** The message that was jumped to. */
  readonly marked: number | null;
};

function ShownRows({ virtual, rows, marked }: ShownRowsProps) {
  const openKey = useMemo(() => openRequestKey(rows), [rows]);
  return (
    <div className="relative w-full" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map(({ index, key, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        const look = isMarked(row, marked) ? "rounded-lg bg-warn-soft" : "";
        return (
          <div
            className="absolute inset-x-0 top-0"
            data-index={index}
            key={key}
            ref={virtual.measureElement}
            style={{ transform: `translateY(${start}px)` }}
          >
            <div className={`mx-auto max-w-3xl px-3 py-1 md:px-6 ${look}`}>
              <RowView isOpenRequest={row.key === openKey} row={row} />
            </div>
          </div>
        );
      })}
    </div>
  );
}

function isMarked(row: ShownRow, marked: number | null): boolean {
  return row.kind === "prompt" && row.id === marked;
}

function useRows(): readonly ShownRow[] {
  const messages = useLinkState(({ view }) => view.messages);
  const preview = useLinkState(({ view }) => view.preview);
  const error = useLinkState(({ view }) => (view.status === "error" ? view.error : null));
  const outgoing = useOutgoing();
  const committed = useMemo(() => rowsOfMessages(messages), [messages]);
  return useMemo(
    () => withTail(withPreview(committed, preview), { outgoing, error }),
    [committed, preview, outgoing, error],
  );
}

/** What others make the transcript do. Gives the message that was jumped to; it is fetched first. */
function useHandle(
  virtual: Rows,
  rows: readonly ShownRow[],
  loadUntil: (id: number) => Promise<void>,
): number | null {
  const { transcript } = useChatScene();
  const [wanted, setWanted] = useState<number | null>(null);
  const reached = useRef<number | null>(null);
  const place = wanted === null ? -1 : rows.findIndex((row) => isMarked(row, wanted));
  useEffect(() => {
    // Once: later it is the person who scrolls.
    if (place < 0 || reached.current === wanted) return;
    reached.current = wanted;
    virtual.scrollToIndex(place, { align: "start" });
  }, [place, virtual, wanted]);
  useImperativeHandle(
    transcript,
    () => ({
      jumpTo: (id) => {
        reached.current = null;
        setWanted(id);
        loadUntil(id).catch(() => {}); // Failures are values here, and told above the rows.
      },
      toEnd: () => virtual.scrollToEnd(),
    }),
    [loadUntil, virtual],
  );
  return wanted;
}

function OlderNotice({ older }: { readonly older: ReturnType<typeof useOlder> }) {
  const hasOlder = useLinkState((state) => state.hasOlder);
  if (!hasOlder) return <div className="h-4" />;
  return (
    <div className="flex h-12 items-center justify-center gap-3 text-xs text-muted">
      {older.problem === null ? (
        "Older messages are on their way…"
      ) : (
        <>
          {older.problem}
          <Button onClick={() => older.loadPage(true)}>Try again</Button>
        </>
      )}
    </div>
  );
}
