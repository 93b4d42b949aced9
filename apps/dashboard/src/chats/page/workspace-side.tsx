/** What the panel beside a chat shows: its workspace, and what was recorded of its model calls. */
import { listChatDebugRuns } from "@atelier/contract/http/chat-debug";
import { lazy, Suspense, useState } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
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
  const chat = useChat();
  const workspace = useChatWorkspace();
  const hasDebug = useHasDebug();
  const [agent] = workspace?.agents ?? [];
  const close = (
    <IconButton label="Close the workspace's panel" onClick={onClose}>
      <Icon name="close" size={16} />
    </IconButton>
  );
  const more = hasDebug ? [DEBUG_TAB] : [];
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
        <Tabs
          agent={{ agentId: agent.id, workspaceId: workspace.id }}
          tabs={[...WORKSPACE_PANELS, ...more]}
        />
      </>
    );
  }
  // A workspace that is only not known yet has tabs of its own in a moment.
  if (hasDebug && chat.workspace_id === undefined) {
    return (
      <>
        <div className="flex items-center gap-2 px-3 pt-2">
          <span className="flex-1 text-muted">No workspace</span>
          {close}
        </div>
        <Tabs agent={null} tabs={[WITHOUT_TAB, ...more]} />
      </>
    );
  }
  return (
    <div className="space-y-4 p-4">
      <div className="flex justify-end">{close}</div>
      <WithoutWorkspace />
    </div>
  );
}

const DEBUG_TAB = { id: "debug", title: "Debug" } as const;
const WITHOUT_TAB = { id: "workspace", title: "Workspace" } as const;
const DEBUG_LOOK_AGAIN_MS = 10_000;

type TabId = WorkspacePanelId | typeof DEBUG_TAB.id | typeof WITHOUT_TAB.id;

const DebugPanel = lazy(async () => ({
  default: (await import("../debug/debug-panel.tsx")).DebugPanel,
}));

/** Its model calls are recorded, or were. */
function useHasDebug(): boolean {
  const { chatId } = useChatScene();
  const input = { params: { chat: chatId } };
  const { data } = useEndpoint(listChatDebugRuns, input, { everyMs: DEBUG_LOOK_AGAIN_MS });
  return data !== undefined && (data.is_recorded || data.runs.length > 0);
}

function WithoutWorkspace() {
  const { isOwn } = useChatScene();
  if (useChat().workspace_id !== undefined) return null;
  return (
    <>
      <EmptyState icon="workspace" title="No workspace yet">
        <p>Attach one, and the agent can run commands and change files there.</p>
      </EmptyState>
      {isOwn && <WorkspaceChoice />}
    </>
  );
}

type TabsProps = {
  readonly tabs: readonly { readonly id: TabId; readonly title: string }[];
  /** Null: there is no workspace. */
  readonly agent: { readonly workspaceId: string; readonly agentId: string } | null;
};

function Tabs({ tabs, agent }: TabsProps) {
  const [chosen, setChosen] = useState(() => kept("device", KEPT));
  const panel = (tabs.find(({ id }) => id === chosen) ?? tabs[0])?.id;
  const show = (id: TabId): void => {
    setChosen(id);
    keep("device", KEPT, id);
  };
  const step = (key: string): void => {
    const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const place = tabs.findIndex(({ id }) => id === panel) + by;
    const next = tabs.at(place % tabs.length);
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
        {tabs.map(({ id, title }) => (
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
        {panel !== undefined && <Shown agent={agent} panel={panel} />}
      </div>
    </>
  );
}

function Shown({ panel, agent }: { readonly panel: TabId; readonly agent: TabsProps["agent"] }) {
  const { composer } = useChatScene();
  if (panel === "debug") {
    return (
      <Suspense fallback={<p className="min-h-40 py-6 text-muted">Loading…</p>}>
        <DebugPanel />
      </Suspense>
    );
  }
  if (panel === "workspace" || agent === null) {
    return (
      <div className="space-y-4">
        <WithoutWorkspace />
      </div>
    );
  }
  return (
    <WorkspacePanel
      {...agent}
      onComments={(text) => composer.current?.take({ text, files: [], references: [] })}
      panel={panel}
    />
  );
}
