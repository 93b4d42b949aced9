/** What opens over every page: the palette, the keyboard's help, and on a phone the navigation. */
import { KeyboardHelp } from "./keyboard-help.tsx";
import { NavigationDrawer } from "./navigation-drawer.tsx";
import { Palette, type PaletteAction } from "./palette.tsx";
import type { PageEntry } from "./page-entry.ts";

export type ShellDialog = "palette" | "help" | "navigation";

type ShellDialogsProps = {
  readonly open: ShellDialog | null;
  readonly pages: readonly PageEntry[];
  readonly actions: readonly PaletteAction[];
  readonly onGo: (path: string) => void;
  readonly onClose: () => void;
};

export function ShellDialogs({ open, pages, actions, onGo, onClose }: ShellDialogsProps) {
  return (
    <>
      <NavigationDrawer isOpen={open === "navigation"} onClose={onClose} pages={pages} />
      <Palette
        actions={actions}
        isOpen={open === "palette"}
        onClose={onClose}
        onGo={onGo}
        pages={pages}
      />
      <KeyboardHelp isOpen={open === "help"} onClose={onClose} pages={pages} />
    </>
  );
}
