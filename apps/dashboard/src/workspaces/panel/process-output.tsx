/** What a process wrote: the end of it, and what comes after, as it comes. */
import { followWorkspaceProcess } from "@atelier/contract/http/workspace-live";
import { ProcessOutputPiece } from "@atelier/contract/http/workspace-processes";
import { useEffect, useRef, useState } from "react";
import { LiveNotice } from "./live-notice.tsx";
import {
  plainText,
  SHOWN_CHARACTERS_MAX,
  withMore,
  type Output,
  type ProcessView,
} from "./process-text.ts";
import { pathOf, useLiveEvents } from "./use-live.ts";

type ProcessOutputProps = { readonly agentId: string; readonly process: ProcessView };

type StreamName = "stdout" | "stderr";

export function ProcessOutput({ agentId, process }: ProcessOutputProps) {
  const [stream, setStream] = useState<StreamName>("stdout");
  const { stdout, stderr } = process.output_bytes;
  return (
    <div className="border-t border-line bg-sunken p-3">
      {stderr > 0 && (
        <div className="mb-2 flex gap-2">
          {(["stdout", "stderr"] as const).map((name) => (
            <button
              aria-pressed={stream === name}
              className={`rounded px-2 py-0.5 text-xs ${stream === name ? "bg-accent-soft text-accent" : "text-muted hover:bg-hover"}`}
              key={name}
              onClick={() => setStream(name)}
              type="button"
            >
              {name === "stdout" ? "Output" : "Errors"}
            </button>
          ))}
        </div>
      )}
      <StreamText
        agentId={agentId}
        key={stream}
        process={process}
        stream={stream}
        written={stream === "stdout" ? stdout : stderr}
      />
    </div>
  );
}

type StreamTextProps = ProcessOutputProps & {
  readonly stream: StreamName;
  /** Bytes when this was opened: all of a long one is not fetched to show its end. */
  readonly written: number;
};

function StreamText({ agentId, process, stream, written }: StreamTextProps) {
  const [start] = useState(() => Math.max(0, written - SHOWN_CHARACTERS_MAX));
  const [output, setOutput] = useState<Output>({ text: "", isCut: start > 0 });
  const next = useRef(start);
  const pathFrom = (offset: number): string =>
    pathOf(followWorkspaceProcess, {
      params: { agent: agentId, process: process.id },
      query: { stream, offset },
    });
  const state = useLiveEvents(pathFrom(start), {
    pathAgain: () => pathFrom(next.current),
    onData: (told) => {
      const piece = ProcessOutputPiece.safeParse(told);
      if (!piece.success) return; // Of a newer server.
      const { from, to, text } = piece.data;
      const isGap = from > next.current;
      next.current = to;
      setOutput((before) => withMore(isGap ? { text: "", isCut: true } : before, text));
    },
  });
  const isOver = state.kind === "ended";
  return (
    <>
      <LiveNotice state={state} what="its output" />
      {output.isCut && <p className="mb-2 text-xs text-muted">The beginning is not shown.</p>}
      {output.text === "" && isOver ? (
        <p className="text-muted">It wrote nothing here.</p>
      ) : (
        <OutputText text={output.text} />
      )}
    </>
  );
}

/** Stays at its end, unless one scrolled up to read. */
function OutputText({ text }: { readonly text: string }) {
  const frame = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = frame.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <pre
      aria-label="Output"
      className="max-h-80 overflow-auto rounded border border-line bg-surface p-2 font-mono text-xs leading-5 break-words whitespace-pre-wrap"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
      ref={frame}
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      {plainText(text)}
    </pre>
  );
}
