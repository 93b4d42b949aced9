/** The navigation over the page, where there is no room beside it. */
import { Dialog } from "@base-ui/react/dialog";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { NavigationLinks } from "./navigation-bar.tsx";
import type { PageEntry } from "./page-entry.ts";

type NavigationDrawerProps = {
  readonly pages: readonly PageEntry[];
  readonly isOpen: boolean;
  readonly onClose: () => void;
};

export function NavigationDrawer({ pages, isOpen, onClose }: NavigationDrawerProps) {
  return (
    <Dialog.Root
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      open={isOpen}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop z-40" />
        <Dialog.Popup className="fixed inset-y-0 left-0 z-40 flex w-72 max-w-[85vw] flex-col overflow-y-auto border-r border-line bg-raised px-3 py-2">
          <div className="flex items-center justify-between">
            <Dialog.Title className="px-2 font-semibold">Atelier</Dialog.Title>
            <Dialog.Close render={<IconButton label="Close" />}>
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <NavigationLinks onGo={onClose} pages={pages} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
