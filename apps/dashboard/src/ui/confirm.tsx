/** Asks before something that cannot be undone, says what it does, and stays when it fails. */
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { AlertDialog } from "@base-ui/react/alert-dialog";
import { useState, type ReactNode } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { Button } from "./button.tsx";
import { ProblemNotice } from "./problem-notice.tsx";

type ConfirmProps = {
  readonly title: string;
  /** What happens, and what does not come back. */
  readonly about: ReactNode;
  /** Of the button that does it, and what that says meanwhile. */
  readonly verb: string;
  readonly doing: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => Promise<Result<unknown, ApiProblem>>;
};

export function Confirm(props: ConfirmProps) {
  const { title, about, verb, doing, isOpen, onClose, onConfirm } = props;
  const [isDoing, setIsDoing] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const close = (): void => {
    setProblem(null);
    onClose();
  };
  const run = async (): Promise<void> => {
    setIsDoing(true);
    setProblem(null);
    const outcome = await onConfirm();
    setIsDoing(false);
    if (outcome.ok) close();
    else setProblem(outcome.failure);
  };
  return (
    <AlertDialog.Root
      onOpenChange={(open) => {
        if (!open && !isDoing) close();
      }}
      open={isOpen}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="dialog-backdrop z-40" />
        <AlertDialog.Popup className="fixed top-[16vh] left-1/2 z-40 w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 space-y-4 rounded-lg border border-line bg-raised p-5 shadow-xl">
          <AlertDialog.Title className="text-base font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-muted">{about}</AlertDialog.Description>
          {problem !== null && <ProblemNotice problem={problem} />}
          <div className="flex justify-end gap-2">
            <Button onClick={close}>Keep it</Button>
            <Button
              busy={isDoing ? doing : undefined}
              look="danger"
              onClick={() => {
                run().catch((error: unknown) => {
                  setIsDoing(false);
                  setProblem(problemOf(error));
                });
              }}
            >
              {verb}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
