/** A terminal of a workspace as it is drawn: the same one again wherever its id is known. */
import { systemClock } from "@atelier/base/system-clock";
import { requestPath } from "@atelier/contract/client";
import { openWorkspaceTerminal } from "@atelier/contract/http/workspace-sockets";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef } from "react";
import { openSocket } from "../browser/host.ts";
import { Badge } from "../ui/badge.tsx";
import { durationText } from "../ui/relative-time-text.ts";
import { TerminalLink, type TerminalSocket, type TerminalState } from "./terminal-link.ts";

const FONT_SIZE_PX = 13;
const SCROLLBACK_LINES = 10_000;

/** The same in light and dark: programs choose their colours for a dark ground. */
const THEME = { background: "#0f1216", foreground: "#e8ebf0", cursor: "#8c9bff" };

type TerminalScreenProps = {
  readonly agentId: string;
  readonly terminalId: string;
  readonly onState: (state: TerminalState) => void;
};

/** Fills what is around it. */
export function TerminalScreen({ agentId, terminalId, onState }: TerminalScreenProps) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (frame.current === null) return undefined;
    return showTerminal(frame.current, { agentId, terminalId, onState });
  }, [agentId, terminalId, onState]);
  return (
    <div
      className="h-full min-h-64 overflow-hidden rounded-lg border border-line bg-[#0f1216] p-2"
      ref={frame}
    />
  );
}

export function TerminalStateWords({ state }: { readonly state: TerminalState }) {
  return (
    <span aria-live="polite" className="self-center">
      {state.kind === "connected" && <Badge tone="good">connected</Badge>}
      {state.kind === "connecting" && <Badge tone="neutral">connecting…</Badge>}
      {state.kind === "ended" && <Badge tone="neutral">the program ended</Badge>}
      {state.kind === "waiting" && (
        <span className="inline-flex items-center gap-2">
          <Badge tone="warn">connection lost</Badge>
          <span className="text-muted">
            {state.reason} Trying again in {durationText(state.retryInMs)}.
          </span>
        </span>
      )}
    </span>
  );
}

type ShowOptions = {
  readonly agentId: string;
  readonly terminalId: string;
  readonly onState: (state: TerminalState) => void;
};

/** Draws the terminal into the element; what it returns takes it away again. */
function showTerminal(element: HTMLElement, options: ShowOptions): () => void {
  const { agentId, terminalId, onState } = options;
  const terminal = new Terminal({
    cursorBlink: true,
    fontFamily: getComputedStyle(element).getPropertyValue("--font-mono"),
    fontSize: FONT_SIZE_PX,
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: true,
    theme: THEME,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(element);
  fit.fit();
  const link = new TerminalLink(
    {
      clock: systemClock,
      open: (size) => openTerminalSocket(agentId, { reconnect: terminalId, ...size }),
      onBytes: (bytes) => terminal.write(bytes),
      onState,
      onFresh: () => terminal.reset(),
    },
    { width: terminal.cols, height: terminal.rows },
  );
  terminal.onData((data) => link.type(data));
  terminal.onResize(({ cols, rows }) => link.resize({ width: cols, height: rows }));
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(element);
  terminal.focus();
  return () => {
    observer.disconnect();
    link.close();
    terminal.dispose();
  };
}

function openTerminalSocket(
  agentId: string,
  query: { readonly reconnect: string; readonly width: number; readonly height: number },
): TerminalSocket {
  const path = requestPath(openWorkspaceTerminal.path, { agent: agentId }, query);
  if (path === null) throw new Error("an agent's id is no empty text");
  // Its handlers take more than ours do: that is all the types differ in.
  return openSocket(path) as TerminalSocket;
}
