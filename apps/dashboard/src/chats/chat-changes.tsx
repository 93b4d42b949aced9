/** What a chat changed in its workspace, in a few characters. Signs say what colours say. */
import type { ChatDiffStatus } from "@atelier/contract/http/chats";
import { changesText, branchText } from "./change-words.ts";

export function ChatChanges({ status }: { readonly status: ChatDiffStatus }) {
  const { additions, deletions, changed_files: files } = status;
  const words = changesText(status);
  if (files === 0) {
    return (
      <span className="text-muted" title={words}>
        no changes
      </span>
    );
  }
  return (
    <span className="whitespace-nowrap tabular-nums" title={words}>
      <span aria-hidden="true">
        <span className="text-good">+{countText(additions)}</span>{" "}
        <span className="text-bad">−{countText(deletions)}</span>{" "}
        <span className="text-muted">
          in {countText(files)} {files === 1 ? "file" : "files"}
          {status.is_cut && ", or more"}
        </span>
      </span>
      <span className="sr-only">{words}</span>
    </span>
  );
}

/** Null where git names none. */
export function ChatBranch({ status }: { readonly status: ChatDiffStatus }) {
  const { text, words } = branchText(status);
  if (text === "") return null;
  return (
    <span className="min-w-0 break-all" title={words}>
      <span aria-hidden="true" className="font-mono">
        {text}
      </span>
      <span className="sr-only">{words}</span>
    </span>
  );
}

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** In full as far as it is short. */
function countText(count: number): string {
  return count < 10_000 ? String(count) : COMPACT.format(count);
}
