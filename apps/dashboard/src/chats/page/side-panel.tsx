/** The workspace beside the chat: as wide as one likes, and over the page on a phone. */
import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { keep, kept } from "../../browser/host.ts";
import { fittingWidthPx, PANEL_STEP_PX, panelStateOf, panelStateText } from "./panel-size.ts";

const KEPT = "chat-panel";

export function usePanelState() {
  const [state, setState] = useState(() => panelStateOf(kept("device", KEPT)));
  const change = (next: typeof state): void => {
    setState(next);
    keep("device", KEPT, panelStateText(next));
  };
  return {
    ...state,
    toggle: () => change({ ...state, isOpen: !state.isOpen }),
    setWidthPx: (widthPx: number) => change({ ...state, widthPx }),
  };
}

type SidePanelProps = {
  readonly widthPx: number;
  readonly onWidth: (widthPx: number) => void;
  readonly children: ReactNode;
};

export function SidePanel({ widthPx, onWidth, children }: SidePanelProps) {
  const panel = useRef<HTMLElement>(null);
  const pagePx = (): number => panel.current?.parentElement?.clientWidth ?? widthPx;
  const resize = (wantedPx: number): void => onWidth(fittingWidthPx(wantedPx, pagePx()));
  return (
    <aside
      aria-label="Workspace"
      className="relative flex min-h-0 flex-col border-line bg-canvas max-md:absolute max-md:inset-x-0 max-md:top-12 max-md:bottom-0 max-md:z-20 md:w-(--panel-width) md:shrink-0 md:border-l"
      ref={panel}
      style={{ "--panel-width": `${widthPx}px` } as Record<string, string>}
    >
      <div
        aria-label="Width of the workspace"
        aria-orientation="vertical"
        aria-valuemax={2_000}
        aria-valuemin={280}
        aria-valuenow={Math.round(widthPx)}
        className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize touch-none hover:bg-accent-soft max-md:hidden"
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key === "ArrowLeft") resize(widthPx + PANEL_STEP_PX);
          else if (event.key === "ArrowRight") resize(widthPx - PANEL_STEP_PX);
          else return;
          event.preventDefault();
        }}
        onPointerDown={({ currentTarget, pointerId }: PointerEvent) =>
          currentTarget.setPointerCapture(pointerId)
        }
        onPointerMove={({ currentTarget, pointerId, clientX }: PointerEvent) => {
          if (!currentTarget.hasPointerCapture(pointerId)) return;
          const right = panel.current?.getBoundingClientRect().right ?? clientX;
          resize(right - clientX);
        }}
        role="separator"
        tabIndex={0}
      />
      {children}
    </aside>
  );
}
