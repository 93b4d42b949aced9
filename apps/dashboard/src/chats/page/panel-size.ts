/** How wide the panel beside a chat is, as it was left. */

export type PanelState = { readonly isOpen: boolean; readonly widthPx: number };

const WIDTH_PX_MIN = 280;
const WIDTH_PX_USUAL = 460;
/** The conversation keeps at least so much. */
const CHAT_PX_MIN = 380;
export const PANEL_STEP_PX = 32;

export function panelStateOf(text: string | null): PanelState {
  const [open, width] = (text ?? "").split(" ");
  const widthPx = Number(width);
  return {
    isOpen: open === "open",
    widthPx: Number.isFinite(widthPx) && widthPx >= WIDTH_PX_MIN ? widthPx : WIDTH_PX_USUAL,
  };
}

export function panelStateText({ isOpen, widthPx }: PanelState): string {
  return `${isOpen ? "open" : "closed"} ${Math.round(widthPx)}`;
}

/** As wide as it may be beside a page of this width. */
export function fittingWidthPx(wantedPx: number, pagePx: number): number {
  return Math.max(WIDTH_PX_MIN, Math.min(wantedPx, pagePx - CHAT_PX_MIN));
}
