/** Code with its language, copied by one press. Long lines scroll. */
import { useRef, useState, type ButtonHTMLAttributes } from "react";
import { copyText } from "../../browser/host.ts";
import { useIsLasting } from "../../browser/ticks.ts";
import { languageOfFence } from "../../code/code-language.ts";
import { codeLine, useCodeColours } from "../../code/use-code-colours.ts";

const SAID_MS = 2_000;

export function CodeBlock({
  text,
  language,
  label,
}: {
  readonly text: string;
  readonly language: string;
  /** In place of the language. */
  readonly label?: string;
}) {
  return (
    <div className="chat-code overflow-hidden rounded-md border border-line">
      <div className="flex items-center justify-between gap-2 border-b border-line bg-sunken pr-1 pl-3 text-xs text-muted">
        <span className="truncate">{label ?? (language === "" ? "text" : language)}</span>
        <SmallCopyButton text={text} what="the code" />
      </div>
      <ScrolledText label={label ?? "Code"} language={languageOfFence(language)} text={text} />
    </div>
  );
}

export function SmallCopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [isCopied, setIsCopied] = useState(false);
  const isOld = useIsLasting(isCopied, SAID_MS);
  const isSaid = isCopied && !isOld;
  return (
    <SmallButton
      aria-label={isSaid ? undefined : `Copy ${what}`}
      onClick={() => {
        setIsCopied(false);
        copyText(text).then(setIsCopied, () => {}); // Refused: nothing was copied, and nothing is said.
      }}
    >
      <span aria-live="polite">{isSaid ? "Copied" : "Copy"}</span>
    </SmallButton>
  );
}

/** In the head of a block. */
export function SmallButton(props: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className">) {
  return (
    <button
      type="button"
      {...props}
      className="min-h-7 shrink-0 rounded px-2 text-xs text-muted hover:bg-hover hover:text-ink"
    />
  );
}

export function ScrolledText({
  text,
  label,
  tone = "",
  language = null,
}: {
  readonly text: string;
  readonly label: string;
  readonly tone?: string;
  /** Null: it has one colour. */
  readonly language?: string | null;
}) {
  const frame = useRef<HTMLPreElement>(null);
  useCodeColours(frame, language, text);
  return (
    <pre
      aria-label={label}
      className={`max-h-96 overflow-auto bg-surface px-3 py-2 font-mono text-xs leading-5 ${tone}`}
      ref={frame}
      // Not a landmark: there may be many of one name.
      role="group"
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <code {...codeLine("both")}>{text}</code>
    </pre>
  );
}
