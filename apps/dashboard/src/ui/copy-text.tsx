/** Text that people take elsewhere: shown as it is, and copied by one press. */
import { useState } from "react";
import { copyText } from "../browser/host.ts";
import { useIsLasting } from "../browser/ticks.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";

const SAID_MS = 3_000;

type CopyButtonProps = {
  readonly text: string;
  /** What is copied, for those who cannot see what stands beside it. */
  readonly what: string;
};

export function CopyButton({ text, what }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  const isOld = useIsLasting(outcome !== null, SAID_MS);
  const shown = isOld ? null : outcome;
  return (
    <Button
      aria-label={shown === null ? `Copy ${what}` : undefined}
      onClick={() => {
        setOutcome(null);
        copyText(text).then(
          (isCopied) => setOutcome(isCopied ? "copied" : "refused"),
          () => setOutcome("refused"),
        );
      }}
    >
      <Icon name={shown === "copied" ? "check" : "copy"} size={16} />
      <span aria-live="polite">
        {shown === "copied" ? "Copied" : shown === "refused" ? "Select and copy it" : "Copy"}
      </span>
    </Button>
  );
}

type CopyBlockProps = CopyButtonProps & {
  /** Above it: a file's name, or where it is typed. */
  readonly title?: string;
};

export function CopyBlock({ text, what, title }: CopyBlockProps) {
  return (
    <div className="overflow-hidden rounded-md border border-line">
      <div className="flex items-center justify-between gap-2 border-b border-line bg-sunken py-1 pr-1 pl-3">
        <span className="text-xs text-muted">{title ?? what}</span>
        <CopyButton text={text} what={what} />
      </div>
      <pre
        aria-label={what}
        className="overflow-x-auto bg-surface p-3 font-mono text-xs leading-5 select-all"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {text}
      </pre>
    </div>
  );
}
