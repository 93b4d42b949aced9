/** Where the history was summed up, or the context cleared. */
import { memo } from "react";
import { Disclosure } from "./disclosure.tsx";
import { numberIn, textIn } from "./json-fields.ts";
import { Markdown } from "./markdown.tsx";
import { CLEAR_TOOL, type ToolRow } from "./transcript-rows.ts";
import { tokenText } from "../composer/usage-words.ts";

export const MarkRow = memo(function MarkRow({ tool }: { readonly tool: ToolRow }) {
  const { call, result, key } = tool;
  if ((call?.tool_name ?? result?.tool_name) === CLEAR_TOOL) {
    return <Line words="The context is empty from here on" />;
  }
  if (result === null) return <Line words="Summing up the history…" />;
  const summary = textIn(result.result, "summary");
  const tokens = numberIn(result.result, "context_tokens");
  const isManual = textIn(result.result, "source") === "manual";
  const size = tokens === null ? "" : `, which took ${tokenText(tokens)} tokens`;
  const words = `The history so far is summed up${size}${isManual ? ", as you asked" : ""}`;
  return summary === null ? (
    <Line words={words} />
  ) : (
    <Disclosure line={<span>{words}</span>} rowKey={key}>
      {() => (
        <div className="p-3">
          <Markdown text={summary} />
        </div>
      )}
    </Disclosure>
  );
});

function Line({ words }: { readonly words: string }) {
  return (
    <div className="flex items-center gap-3 py-2 text-xs text-muted">
      <span className="h-px flex-1 bg-line" />
      {words}
      <span className="h-px flex-1 bg-line" />
    </div>
  );
}
