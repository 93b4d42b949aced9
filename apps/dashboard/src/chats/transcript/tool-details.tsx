/** All that a call of a tool holds, as its kind of tool is best read. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { languageOfPath } from "../../code/code-language.ts";
import { CodeBlock, ScrolledText } from "./code-block.tsx";
import { DiffView } from "./diff-view.tsx";
import { fieldIn, listIn, numberIn, textIn } from "./json-fields.ts";
import { Markdown } from "./markdown.tsx";
import { OutputBlock } from "./output-block.tsx";
import { errorOf, jsonText, outputOf } from "./tool-words.ts";
import type { ToolRow } from "./transcript-rows.ts";
import { diffLines, replacementLines } from "./unified-diff.ts";

export function ToolDetails({ row }: { readonly row: ToolRow }) {
  const { call, result } = row;
  const error = result === null ? null : errorOf(result);
  return (
    <div className="space-y-2 p-2">
      <ToolBody row={row} />
      {error !== null && <ScrolledText label="Error" text={error} tone="text-bad" />}
      {result === null && call !== null && <p className="px-1 text-xs text-muted">No result.</p>}
    </div>
  );
}

function ToolBody({ row }: { readonly row: ToolRow }): ReactNode {
  const { call, result } = row;
  const args = call?.args;
  switch (call?.tool_name ?? result?.tool_name ?? "") {
    case "execute":
    case "process_output":
      return <CommandBody row={row} />;
    case "edit_files":
      return <EditBody row={row} />;
    case "write_file":
      return (
        <DiffView
          lines={replacementLines("", textIn(args, "content") ?? "")}
          path={textIn(args, "path") ?? "file"}
        />
      );
    case "read_file":
      return (
        <ScrolledText
          label={`Lines of ${textIn(args, "path") ?? "the file"}`}
          language={languageOfPath(textIn(args, "path") ?? "")}
          text={textIn(result?.result, "content") ?? ""}
        />
      );
    case "spawn_agent":
    case "wait_agent":
    case "message_agent":
    case "advisor":
      return <ProseBody row={row} />;
    default:
      return <AnyBody row={row} />;
  }
}

function CommandBody({ row: { call, result } }: { readonly row: ToolRow }) {
  const command = textIn(call?.args, "command") ?? call?.args_delta ?? "";
  const directory = textIn(call?.args, "workdir");
  const output = outputOf(result);
  const note = textIn(result?.result, "note");
  return (
    <>
      {command !== "" && (
        <CodeBlock
          label={directory === null ? "Command" : `Command in ${directory}`}
          language="sh"
          text={command}
        />
      )}
      {output !== null && output.trim() !== "" && (
        <OutputBlock
          fileName={`output-${(call ?? result)?.tool_call_id ?? "command"}.txt`}
          isLive={result?.result_delta !== undefined}
          startsAtEnd={(numberIn(result?.result, "exit_code") ?? 0) !== 0}
          text={output}
        />
      )}
      {note !== null && <p className="px-1 text-xs text-muted">{note}</p>}
    </>
  );
}

function EditBody({ row: { call, result } }: { readonly row: ToolRow }) {
  const made = listIn(result?.result, "files");
  if (made.length > 0) {
    return made.map((file) => {
      const path = textIn(file, "path") ?? "file";
      return <DiffView key={path} lines={diffLines(textIn(file, "diff") ?? "")} path={path} />;
    });
  }
  return listIn(call?.args, "edits").map((edit, index) => (
    <DiffView
      // Edits of a call never move.
      key={index}
      lines={replacementLines(textIn(edit, "old_text") ?? "", textIn(edit, "new_text") ?? "")}
      path={textIn(edit, "path") ?? "file"}
    />
  ));
}

/** What other agents were told and what they said. */
function ProseBody({ row: { call, result } }: { readonly row: ToolRow }) {
  const told = ["prompt", "message", "question"].map((key) => textIn(call?.args, key));
  const said =
    textIn(result?.result, "report") ??
    textIn(result?.result, "advice") ??
    (result?.result_delta === undefined ? null : result.result_delta);
  return (
    <div className="space-y-2 px-1">
      {told.map((text) => text !== null && <Markdown key={text} text={text} />)}
      {said !== null && (
        <div className="border-l-2 border-line pl-3">
          <Markdown text={said} />
        </div>
      )}
    </div>
  );
}

function AnyBody({ row: { call, result } }: { readonly row: ToolRow }) {
  const args = call?.args ?? null;
  const media = result?.is_media === true ? mediaUrl(result.result) : null;
  return (
    <>
      {args !== null && jsonText(args) !== "{}" && (
        <CodeBlock label="Input" language="json" text={jsonText(args)} />
      )}
      {media !== null && (
        <img alt="Shown by the tool" className="max-h-96 rounded-md" src={media} />
      )}
      {result !== null && media === null && errorOf(result) === null && (
        <CodeBlock label="Result" language="json" text={jsonText(result.result)} />
      )}
    </>
  );
}

function mediaUrl(result: unknown): string | null {
  const type = textIn(result, "media_type");
  const data = fieldIn(result, "data");
  if (type === null || typeof data !== "string" || !/^image\/(?:png|jpeg|gif|webp)$/.test(type)) {
    return null;
  }
  return `data:${type};base64,${data}`;
}

/** Null: it is not known yet; its place is kept. */
export function AgentLink({ chatId }: { readonly chatId: string | null }) {
  if (chatId === null) return <span className="w-26 shrink-0" />;
  return (
    <Link
      className="w-26 shrink-0 text-xs font-medium text-accent underline-offset-2 hover:underline"
      to={`/chats/${chatId}`}
    >
      Open the agent
    </Link>
  );
}
