/** Line drawings of chats. They stand beside words or on buttons with a label, so they say nothing themselves. */
import { LineDrawing } from "../ui/line-drawing.tsx";

const PATHS = {
  send: "M12 20V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  clip: "M19 11l-7.500 7.500a4.500 4.500 0 0 1-6.400-6.400L13 4.200a3 3 0 0 1 4.300 4.300l-7.900 7.900a1.500 1.500 0 0 1-2.100-2.100L14.500 7",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.5M4 12h.5M4 18h.5",
  panel: "M4 5h16v14H4zM14 5v14",
  more: "M5 12h.5M12 12h.5M19 12h.5",
  file: "M6 3h8l4 4v14H6zM13 3v5h5",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
} as const;

export function ChatIcon({
  name,
  size = 16,
}: {
  readonly name: keyof typeof PATHS;
  readonly size?: number;
}) {
  return <LineDrawing path={PATHS[name]} size={size} />;
}
