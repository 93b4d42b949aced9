/** One repository of a workspace: its branch, and each file that changed. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  getWorkspaceGitDiff,
  GIT_DIFF_BYTES_MAX,
  WorkspaceGitState,
} from "@atelier/contract/http/workspace-git";
import { watchWorkspaceGit } from "@atelier/contract/http/workspace-live";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { z } from "zod";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { Badge } from "../../ui/badge.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { byteText } from "./byte-text.ts";
import { DiffFileView, LineCounts, type DiffLook } from "./diff-file-view.tsx";
import { parseDiff } from "./diff-files.ts";
import { LiveNotice } from "./live-notice.tsx";
import { useLive } from "./use-live.ts";
import type { ReviewDraft } from "./use-review-draft.ts";
import type { SeenMarks } from "./use-seen-files.ts";

type GitState = z.output<typeof WorkspaceGitState>;

type RepositoryProps = {
  readonly agentId: string;
  readonly root: string;
  readonly draft: ReviewDraft;
  readonly look: DiffLook;
  readonly seen: SeenMarks;
};

export function RepositoryChanges({
  isOpenAtFirst,
  ...rest
}: RepositoryProps & { readonly isOpenAtFirst: boolean }) {
  const [isOpen, setIsOpen] = useState(isOpenAtFirst);
  const name = rest.root.slice(rest.root.lastIndexOf("/") + 1);
  return (
    <section aria-label={`Repository ${name}`} className="mb-5">
      <h2>
        <button
          aria-expanded={isOpen}
          className="flex min-h-8 w-full items-center gap-1.5 rounded text-left font-semibold hover:bg-hover"
          onClick={() => setIsOpen(!isOpen)}
          title={rest.root}
          type="button"
        >
          <span className={`text-muted ${isOpen ? "rotate-90" : ""}`}>
            <Icon name="chevron" size={16} />
          </span>
          <span className="truncate">{name}</span>
        </button>
      </h2>
      {isOpen && <OpenRepository {...rest} />}
    </section>
  );
}

function OpenRepository({ agentId, ...shown }: RepositoryProps) {
  const { root } = shown;
  const parts = { params: { agent: agentId }, query: { path: root } };
  const { data: git, state } = useLive(watchWorkspaceGit, parts, WorkspaceGitState);
  const query = useEndpoint(getWorkspaceGitDiff, {
    ...parts,
    query: { path: root, bytes_max: GIT_DIFF_BYTES_MAX },
  });
  useRenewed(query, git);
  return (
    <>
      {git !== null && <Summary git={git} />}
      <LiveNotice state={state} what="the repository" />
      <Loaded query={query} what="the changes">
        {(answer) => <Files {...shown} answer={answer} files={git?.files ?? []} />}
      </Loaded>
    </>
  );
}

/** Another state, another diff. One at a time: states may come faster than a long diff is read. */
function useRenewed(
  { refetch, isFetching }: Pick<UseQueryResult, "refetch" | "isFetching">,
  git: GitState | null,
): void {
  const renewedFor = useRef<GitState | null>(null);
  useEffect(() => {
    if (isFetching || git === null || renewedFor.current === git) return;
    renewedFor.current = git;
    refetch().catch(() => {}); // The query tells of it.
  }, [git, isFetching, refetch]);
}

function Summary({ git }: { readonly git: GitState }) {
  const { branch, commit, ahead, behind, upstream, files, is_cut: isCut } = git;
  const sum = (of: "added" | "removed"): number => files.reduce((all, each) => all + each[of], 0);
  const count = `${files.length}${isCut ? " or more" : ""} ${files.length === 1 ? "file" : "files"}`;
  return (
    <p className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
      <Badge>{branch ?? (commit === null ? "no commit yet" : commit.slice(0, 8))}</Badge>
      {upstream !== null && ahead + behind > 0 && (
        <span>
          {ahead} ahead, {behind} behind {upstream}
        </span>
      )}
      <span>{files.length === 0 ? "nothing changed" : count}</span>
      {files.length > 0 && <LineCounts added={sum("added")} removed={sum("removed")} />}
    </p>
  );
}

/** Files after these are folded at first: a look at the whole is quick however much changed. */
const OPEN_FILES = 20;

type FilesProps = Omit<RepositoryProps, "agentId"> & {
  readonly answer: CallAnswer<typeof getWorkspaceGitDiff>;
  readonly files: GitState["files"];
};

function Files({ answer, root, draft, look, seen, files }: FilesProps) {
  const { diff, is_cut: isCut } = answer;
  const parsed = useMemo(() => parseDiff(diff), [diff]);
  const shown = new Set(parsed.map(({ path }) => path));
  const missing = files.filter(({ path }) => !shown.has(path));
  const seenCount = parsed.filter((file) => seen.stateOf(root, file) === "seen").length;
  return (
    <>
      {seenCount > 0 && (
        <p className="mb-2 text-xs text-muted">
          {seenCount} of {parsed.length} seen
        </p>
      )}
      {parsed.map((file, index) => (
        <DiffFileView
          isOpenAtFirst={index < OPEN_FILES}
          key={file.path}
          {...{ file, root, draft, look, seen }}
        />
      ))}
      {isCut && (
        <div className="rounded-md bg-warn-soft p-3">
          <p>
            Only the first {byteText(GIT_DIFF_BYTES_MAX)} of the changes are shown
            {missing.length > 0 && `; not shown: ${missing.length} files`}.
          </p>
          {missing.length > 0 && (
            <ul className="mt-2 max-h-40 overflow-y-auto font-mono text-xs">
              {missing.map(({ path, added, removed }) => (
                <li className="flex gap-2" key={path}>
                  <span className="break-all">{path}</span>
                  <LineCounts added={added} removed={removed} />
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </>
  );
}
