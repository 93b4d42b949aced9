/** A dialog over the page. Escape and a press beside it close it, and focus goes back to where it was. */
import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { IconButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

type ModalProps = {
  readonly title: string;
  readonly about?: ReactNode;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

export function Modal({ title, about, isOpen, onClose, children }: ModalProps) {
  return (
    <Dialog.Root
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      open={isOpen}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop z-40" />
        <Dialog.Popup className="fixed top-[8vh] left-1/2 z-40 flex max-h-[84vh] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 flex-col overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-xl">
          <div className="mb-3 flex items-start justify-between gap-3">
            <Dialog.Title className="text-base font-semibold">{title}</Dialog.Title>
            <Dialog.Close render={<IconButton label="Close" />}>
              <Icon name="close" />
            </Dialog.Close>
          </div>
          {about !== undefined && (
            <Dialog.Description className="mb-3 text-muted">{about}</Dialog.Description>
          )}
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
