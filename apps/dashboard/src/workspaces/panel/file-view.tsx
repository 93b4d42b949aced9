/** One file of a workspace: its text with line numbers, its picture, or a way to have it. */
import type { CallAnswer } from "@atelier/contract/client";
import { requestPath } from "@atelier/contract/client";
import {
  downloadWorkspaceFile,
  FILE_CONTENT_BYTES_MAX,
  FILE_TEXT_BYTES_MAX,
  readWorkspaceText,
  type listWorkspaceFiles,
} from "@atelier/contract/http/workspace-files";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { useRef } from "react";
import { languageOfPath } from "../../code/code-language.ts";
import { codeLine, useCodeColours } from "../../code/use-code-colours.ts";
import { apiUrl } from "../../browser/host.ts";
import { Loaded } from "../../ui/loaded.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { byteText } from "./byte-text.ts";
import { isPicture, lineBlocks } from "./file-text.ts";

type FileEntry = CallAnswer<typeof listWorkspaceFiles>["files"][number];

type FileViewProps = { readonly agentId: string; readonly file: FileEntry };

export function FileView({ agentId, file }: FileViewProps) {
  const path = requestPath(downloadWorkspaceFile.path, { agent: agentId }, { path: file.path });
  const url = apiUrl(path ?? "");
  return (
    <section aria-label={file.name} className="min-w-0 rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2">
        <div className="min-w-0 grow">
          <h2 className="font-mono text-xs font-medium break-all select-all">{file.path}</h2>
          <p className="text-xs text-muted">
            {byteText(file.size)}, changed <RelativeTime time={file.modified_at} />
          </p>
        </div>
        {file.size <= FILE_CONTENT_BYTES_MAX ? (
          <a
            className="inline-flex min-h-9 items-center rounded-md border border-line px-3 font-medium hover:bg-hover"
            download={file.name}
            href={url}
          >
            Download
          </a>
        ) : (
          <p className="text-xs text-muted">
            Larger than {byteText(FILE_CONTENT_BYTES_MAX)}: copy it with atelier cp.
          </p>
        )}
      </div>
      {isPicture(file.name) ? (
        <div className="p-3">
          <img alt={file.name} className="mx-auto max-h-[60vh] max-w-full" src={url} />
        </div>
      ) : (
        <TextView agentId={agentId} path={file.path} />
      )}
    </section>
  );
}

function TextView({ agentId, path }: { readonly agentId: string; readonly path: string }) {
  const query = useEndpoint(readWorkspaceText, { params: { agent: agentId }, query: { path } });
  return (
    <div className="min-w-0 p-3">
      <Loaded query={query} what="the file">
        {({ text, is_cut: isCut }) =>
          text === null ? (
            <p className="text-muted">This is no text. Download it to open it with a program.</p>
          ) : (
            <>
              {isCut && (
                <p className="mb-2 rounded-md bg-warn-soft p-2">
                  Only the first {byteText(FILE_TEXT_BYTES_MAX)} are shown.
                </p>
              )}
              {text === "" ? (
                <p className="text-muted">It is empty.</p>
              ) : (
                <Lines path={path} text={text} />
              )}
            </>
          )
        }
      </Loaded>
    </div>
  );
}

const LINE_HEIGHT_PX = 20;

/** In blocks that the browser draws when they come into sight. */
type LinesProps = { readonly text: string; readonly path: string };

function Lines({ text, path }: LinesProps) {
  const frame = useRef<HTMLElement>(null);
  useCodeColours(frame, languageOfPath(path), text);
  return (
    <section
      aria-label="Text of the file"
      className="max-h-[60vh] overflow-auto font-mono text-xs leading-5"
      ref={frame}
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      {lineBlocks(text).map(({ from, count, lines }) => (
        <div
          className="flex [content-visibility:auto]"
          key={from}
          style={{ containIntrinsicHeight: `auto ${count * LINE_HEIGHT_PX}px` }}
        >
          <pre
            aria-hidden="true"
            className="sticky left-0 min-w-12 shrink-0 border-r border-line bg-surface pr-2 text-right text-muted select-none"
          >
            {Array.from({ length: count }, (_, index) => from + index).join("\n")}
          </pre>
          <pre className="pl-3" {...codeLine("both")}>
            {lines}
          </pre>
        </div>
      ))}
    </section>
  );
}
