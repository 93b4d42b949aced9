/** Small line drawings. They stand beside words or on buttons with a label, so they say nothing themselves. */
import { LineDrawing } from "./line-drawing.tsx";

const PATHS = {
  home: "M3 10.5 12 3l9 7.5V20a1 1 0 0 1-1 1h-5v-6H9v6H4a1 1 0 0 1-1-1z",
  workspace: "M4 5h16v11H4zM2 20h20M9 16v4M15 16v4",
  connect: "M9 7V3M15 7V3M7 7h10v4a5 5 0 0 1-10 0zM12 16v5",
  sessions: "M4 6h16M4 12h16M4 18h10",
  provider: "M12 3 3 8l9 5 9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
  model: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9",
  tool: "M14 7a4 4 0 0 1 5-3l-2.500 3 2 2L21.500 6.500a4 4 0 0 1-5.500 5L8 20l-3-3 8.500-8",
  agent: "M5 8h14v11H5zM12 8V4M9 13v1M15 13v1M2 13v2M22 13v2",
  chart: "M4 4v16h16M8 16v-4M12 16V8M16 16v-6",
  users:
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6 7-6s7 2 7 6M16 3.5a4 4 0 0 1 0 7.5M18 15.5c2.5.7 4 2.6 4 5.5",
  audit: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5",
  options: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  health: "M3 12h4l3-8 4 16 3-8h4",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
  appearance: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  security: "M12 3 4 6v6c0 4.5 3.3 7.9 8 9 4.7-1.1 8-4.5 8-9V6z",
  key: "M11.500 11.500 20 3M17 6l3 3M14 9l2 2M8 20a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  terminal: "M4 5h16v14H4zM7 9l3 3-3 3M12 15h5",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM20 20l-4.500-4.500",
  menu: "M4 6h16M4 12h16M4 18h16",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500 10 17 19 7",
  alert: "M12 4 2.500 20h19zM12 10v4M12 17v.5",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 7.500v.5",
  plus: "M12 5v14M5 12h14",
  chevron: "M9 6l6 6-6 6",
  chat: "M4 5h16v11h-9l-5 4v-4H4z",
  logout: "M14 4h5v16h-5M4 12h10M10 8l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return <LineDrawing path={PATHS[name]} size={size} />;
}
