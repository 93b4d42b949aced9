/** What changed in a workspace's repositories since their last commit, as it changes, and comments on it. */
import { listWorkspaceRepositories } from "@atelier/contract/http/workspace-git";
import { useState } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { keep, kept } from "../../browser/host.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import type { DiffLook } from "./diff-file-view.tsx";
import type { ChangesPanelProps } from "./panel-props.ts";
import { RepositoryChanges } from "./repository-changes.tsx";
import { ReviewBar } from "./review-bar.tsx";
import { useReviewDraft } from "./use-review-draft.ts";
import { useSeenFiles } from "./use-seen-files.ts";

const LOOK_AGAIN_MS = 30_000;
/** Each that is open is watched. */
const OPEN_AT_FIRST = 3;
const LOOK_NAME = "diff-look";

export function ChangesPanel({ agentId, directory, onComments }: ChangesPanelProps) {
  const query = useEndpoint(
    listWorkspaceRepositories,
    { params: { agent: agentId }, query: { path: directory } },
    { everyMs: LOOK_AGAIN_MS },
  );
  const draft = useReviewDraft(agentId);
  const seen = useSeenFiles(agentId);
  const [look, setLook] = useState<DiffLook>(() =>
    kept("device", LOOK_NAME) === "split" ? "split" : "unified",
  );
  const choose = (next: DiffLook): void => {
    keep("device", LOOK_NAME, next);
    setLook(next);
  };
  return (
    <Loaded query={query} what="the repositories">
      {({ repositories, is_cut: isCut }) =>
        repositories.length === 0 ? (
          <EmptyState icon="sessions" title="No git repository here">
            <p>
              Changes of the workspace’s directory, and of the directories just below it, are shown
              here once they are in a repository.
            </p>
          </EmptyState>
        ) : (
          <>
            <LookChoice look={look} onChoose={choose} />
            {repositories.map(({ root }, index) => (
              <RepositoryChanges
                isOpenAtFirst={index < OPEN_AT_FIRST}
                key={root}
                {...{ agentId, root, draft, look, seen }}
              />
            ))}
            {isCut && <p className="text-muted">Not every directory was looked at.</p>}
            <ReviewBar draft={draft} onComments={onComments} />
          </>
        )
      }
    </Loaded>
  );
}

type LookChoiceProps = {
  readonly look: DiffLook;
  readonly onChoose: (look: DiffLook) => void;
};

function LookChoice({ look, onChoose }: LookChoiceProps) {
  return (
    <div aria-label="How changes are shown" className="mb-3 flex gap-1" role="group">
      {(
        [
          ["unified", "One column"],
          ["split", "Side by side"],
        ] as const
      ).map(([name, words]) => (
        <button
          aria-pressed={look === name}
          className={`min-h-8 rounded-md px-2 text-xs font-medium ${look === name ? "bg-accent-soft text-accent" : "text-muted hover:bg-hover"}`}
          key={name}
          onClick={() => onChoose(name)}
          type="button"
        >
          {words}
        </button>
      ))}
    </div>
  );
}
