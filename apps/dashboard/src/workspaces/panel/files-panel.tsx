/** The files of a workspace: its directories as they are opened, and one file at a time. */
import { listWorkspaceFiles } from "@atelier/contract/http/workspace-files";
import { useState, type ReactNode } from "react";
import { problemOf } from "../../api/api-problem-error.ts";
import { useEndpoint, usePages } from "../../api/use-endpoint.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { byteText } from "./byte-text.ts";
import { FileView } from "./file-view.tsx";
import type { WorkspacePanelProps } from "./panel-props.ts";
import type { CallAnswer } from "@atelier/contract/client";

type FileEntry = CallAnswer<typeof listWorkspaceFiles>["files"][number];

const PAGE_SIZE = 500;

export function FilesPanel({ agentId }: WorkspacePanelProps) {
  const root = useEndpoint(listWorkspaceFiles, {
    params: { agent: agentId },
    query: { limit: 1 },
  });
  const [chosen, setChosen] = useState<FileEntry | null>(null);
  return (
    <Loaded query={root} what="the files">
      {({ path }) => (
        <div className="@container">
          <div className="grid gap-3 @2xl:grid-cols-[minmax(12rem,18rem)_minmax(0,1fr)]">
            <nav
              aria-label="Files"
              className="max-h-[70vh] overflow-auto rounded-lg border border-line bg-surface p-2"
            >
              <p className="mb-1 truncate px-1 font-mono text-xs text-muted" title={path}>
                {path}
              </p>
              <Directory chosen={chosen} onChoose={setChosen} {...{ agentId, path }} />
            </nav>
            {chosen === null ? (
              <p className="py-6 text-center text-muted">Choose a file to look at it here.</p>
            ) : (
              <FileView agentId={agentId} file={chosen} key={chosen.path} />
            )}
          </div>
        </div>
      )}
    </Loaded>
  );
}

type DirectoryProps = {
  readonly agentId: string;
  readonly path: string;
  readonly chosen: FileEntry | null;
  readonly onChoose: (file: FileEntry) => void;
};

function Directory({ agentId, path, chosen, onChoose }: DirectoryProps) {
  const query = { path, limit: PAGE_SIZE };
  const pages = usePages(listWorkspaceFiles, { params: { agent: agentId }, query }, ({ next }) =>
    next === null ? null : { params: { agent: agentId }, query: { ...query, after: next } },
  );
  const { data, error, refetch, fetchNextPage } = pages;
  const again = (work: () => Promise<unknown>): void => {
    work().catch(() => {}); // The query tells of it.
  };
  if (data === undefined) {
    if (error === null) return <p className="px-1 text-xs text-muted">Loading…</p>;
    return (
      <ProblemNotice problem={problemOf(error)}>
        <Button onClick={() => again(refetch)}>Try again</Button>
      </ProblemNotice>
    );
  }
  const files = data.pages.flatMap((page) => page.files);
  if (files.length === 0) return <p className="px-1 text-xs text-muted">Nothing in it.</p>;
  return (
    <>
      <ul>
        {files.map((file) => (
          <li key={file.path}>
            {file.kind === "directory" ? (
              <Folder {...{ agentId, chosen, onChoose }} file={file} />
            ) : (
              <FileRow isChosen={chosen?.path === file.path} file={file} onChoose={onChoose} />
            )}
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button
          busy={pages.isFetchingNextPage ? "Loading…" : undefined}
          onClick={() => again(fetchNextPage)}
        >
          Show more
        </Button>
      )}
    </>
  );
}

const ROW =
  "flex w-full min-h-7 items-center gap-1 rounded px-1 text-left hover:bg-hover disabled:opacity-60";

type FolderProps = Omit<DirectoryProps, "path"> & { readonly file: FileEntry };

function Folder({ file, ...rest }: FolderProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button
        aria-expanded={isOpen}
        className={ROW}
        onClick={() => setIsOpen(!isOpen)}
        type="button"
      >
        <span className={`text-muted ${isOpen ? "rotate-90" : ""}`}>
          <Icon name="chevron" size={14} />
        </span>
        <span className="truncate">{file.name}</span>
      </button>
      {isOpen && (
        <div className="ml-2 border-l border-line pl-2">
          <Directory {...rest} path={file.path} />
        </div>
      )}
    </>
  );
}

type FileRowProps = {
  readonly file: FileEntry;
  readonly isChosen: boolean;
  readonly onChoose: (file: FileEntry) => void;
};

function FileRow({ file, isChosen, onChoose }: FileRowProps) {
  const isUnreadable = file.kind === "other" || (file.kind === "symlink" && file.target === null);
  return (
    <button
      aria-current={isChosen || undefined}
      className={`${ROW} pl-5 ${isChosen ? "bg-accent-soft font-medium text-accent" : ""}`}
      disabled={isUnreadable}
      onClick={() => onChoose(file)}
      type="button"
    >
      <span className="min-w-0 grow truncate">{file.name}</span>
      <span className="shrink-0 text-xs text-muted tabular-nums">{aside(file)}</span>
    </button>
  );
}

function aside({ kind, size }: FileEntry): ReactNode {
  if (kind === "symlink") return "link";
  return kind === "other" ? "no file" : byteText(size);
}
