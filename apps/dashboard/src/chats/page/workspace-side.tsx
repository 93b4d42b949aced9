/** What the panel beside a chat shows of its workspace. */
import { useState } from "react";
import { Badge } from "../../ui/badge.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { IconButton, ButtonLink } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import {
  WORKSPACE_PANELS,
  WorkspacePanel,
  type WorkspacePanelId,
} from "../../workspaces/panel/workspace-panels.tsx";
import { STATUS_WORDS, workspacePath } from "../../workspaces/workspace-words.ts";
import { keep, kept } from "../../browser/host.ts";
import { useChatScene } from "./chat-scene.ts";
import { useChat, useChatWorkspace } from "./use-chat.ts";
import { WorkspaceChoice } from "./workspace-choice.tsx";

const KEPT = "chat-panel-tab";

type WorkspaceSideProps = { readonly onClose: () => void };

export function WorkspaceSide({ onClose }: WorkspaceSideProps) {
  const { isOwn } = useChatScene();
  const chat = useChat();
  const workspace = useChatWorkspace();
  const [agent] = workspace?.agents ?? [];
  const close = (
    <IconButton label="Close the workspace's panel" onClick={onClose}>
      <Icon name="close" size={16} />
    </IconButton>
  );
  if (workspace !== undefined && agent !== undefined) {
    const { tone, words } = STATUS_WORDS[workspace.status];
    return (
      <>
        <div className="flex items-center gap-2 px-3 pt-2">
          <span className="min-w-0 flex-1 truncate font-medium">{workspace.name}</span>
          <Badge tone={tone}>{words}</Badge>
          <ButtonLink look="quiet" to={workspacePath(workspace)}>
            Its page
          </ButtonLink>
          {close}
        </div>
        <Tabs agentId={agent.id} workspaceId={workspace.id} />
      </>
    );
  }
  return (
    <div className="space-y-4 p-4">
      <div className="flex justify-end">{close}</div>
      {chat.workspace_id === undefined && (
        <EmptyState icon="workspace" title="No workspace yet">
          <p>Attach one, and the agent can run commands and change files there.</p>
        </EmptyState>
      )}
      {isOwn && chat.workspace_id === undefined && <WorkspaceChoice />}
    </div>
  );
}

type TabsProps = { readonly workspaceId: string; readonly agentId: string };

function Tabs({ workspaceId, agentId }: TabsProps) {
  const { composer } = useChatScene();
  const [panel, setPanel] = useState<WorkspacePanelId>(
    () => WORKSPACE_PANELS.find(({ id }) => id === kept("device", KEPT))?.id ?? "changes",
  );
  const show = (id: WorkspacePanelId): void => {
    setPanel(id);
    keep("device", KEPT, id);
  };
  const step = (key: string): void => {
    const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const place = WORKSPACE_PANELS.findIndex(({ id }) => id === panel) + by;
    const next = WORKSPACE_PANELS.at(place % WORKSPACE_PANELS.length);
    if (by === 0 || next === undefined) return;
    show(next.id);
    document.getElementById(`workspace-tab-${next.id}`)?.focus();
  };
  return (
    <>
      <div
        aria-label="Of the workspace"
        className="flex shrink-0 overflow-x-auto border-b border-line px-2"
        role="tablist"
      >
        {WORKSPACE_PANELS.map(({ id, title }) => (
          <button
            aria-controls="workspace-panel"
            aria-selected={id === panel}
            className={`min-h-9 border-b-2 px-2.5 whitespace-nowrap ${id === panel ? "border-accent font-medium" : "border-transparent text-muted hover:text-ink"}`}
            id={`workspace-tab-${id}`}
            key={id}
            onClick={() => show(id)}
            onKeyDown={({ key }) => step(key)}
            role="tab"
            tabIndex={id === panel ? 0 : -1}
            type="button"
          >
            {title}
          </button>
        ))}
      </div>
      <div
        aria-labelledby={`workspace-tab-${panel}`}
        className="min-h-0 flex-1 overflow-y-auto p-3"
        id="workspace-panel"
        role="tabpanel"
        // What scrolls must be reachable by keyboard.
        tabIndex={0}
      >
        <WorkspacePanel
          agentId={agentId}
          onComments={(text) => composer.current?.take({ text, files: [], references: [] })}
          panel={panel}
          workspaceId={workspaceId}
        />
      </div>
    </>
  );
}
