/** Terminals of a workspace, each in a tab: those that run, wherever they were opened, and new ones. */
import {
  closeWorkspaceTerminal,
  listWorkspaceTerminals,
} from "@atelier/contract/http/workspace-processes";
import { useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { anotherTerminalId, keepTerminalId, terminalIdOf } from "../terminal-id.ts";
import type { TerminalState } from "../terminal-link.ts";
import { TerminalScreen, TerminalStateWords } from "../terminal-screen.tsx";
import type { WorkspacePanelProps } from "./panel-props.ts";
import { terminalTabs } from "./terminal-tabs.ts";

const LOOK_AGAIN_MS = 5_000;

export function TerminalPanel({ agentId }: WorkspacePanelProps) {
  const query = useEndpoint(
    listWorkspaceTerminals,
    { params: { agent: agentId } },
    { everyMs: LOOK_AGAIN_MS },
  );
  const [shownId, setShownId] = useState(() => terminalIdOf(agentId));
  const [state, setState] = useState<TerminalState>({ kind: "connecting" });
  const show = (id: string): void => {
    keepTerminalId(agentId, id);
    setShownId(id);
  };
  return (
    <Loaded query={query} what="the terminals">
      {({ terminals }) => {
        const tabs = terminalTabs(terminals, shownId);
        return (
          <div className="flex flex-col gap-2">
            <div className="flex flex-wrap items-center gap-1">
              {tabs.map(({ id, title }) => (
                <Tab
                  isShown={id === shownId}
                  key={id}
                  onClosed={() => {
                    const other = tabs.find((each) => each.id !== id);
                    if (id === shownId) show(other?.id ?? anotherTerminalId(agentId));
                  }}
                  onShow={() => show(id)}
                  {...{ agentId, id, title }}
                />
              ))}
              <Button onClick={() => show(anotherTerminalId(agentId))}>
                <Icon name="plus" size={16} />
                New terminal
              </Button>
              <TerminalStateWords state={state} />
            </div>
            <div className="h-[60vh] min-h-64">
              <TerminalScreen agentId={agentId} onState={setState} terminalId={shownId} />
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}

type TabProps = {
  readonly agentId: string;
  readonly id: string;
  readonly title: string;
  readonly isShown: boolean;
  readonly onShow: () => void;
  readonly onClosed: () => void;
};

function Tab({ agentId, id, title, isShown, onShow, onClosed }: TabProps) {
  const [isAsked, setIsAsked] = useState(false);
  const end = useChange(closeWorkspaceTerminal, [listWorkspaceTerminals]);
  return (
    <span
      className={`inline-flex items-center rounded-md border ${isShown ? "border-line bg-surface" : "border-transparent"}`}
    >
      <button
        aria-pressed={isShown}
        className={`min-h-9 max-w-48 truncate rounded-md pl-3 ${isShown ? "font-medium" : "text-muted"}`}
        onClick={onShow}
        type="button"
      >
        {title}
      </button>
      <IconButton label={`End ${title}`} onClick={() => setIsAsked(true)}>
        <Icon name="close" size={14} />
      </IconButton>
      <Confirm
        about="Everything that runs in it is killed. Terminals that are only left go on."
        doing="Ending…"
        isOpen={isAsked}
        onClose={() => setIsAsked(false)}
        onConfirm={async () => {
          const outcome = await end({ params: { agent: agentId, terminal: id } });
          // One that ended by itself meanwhile is not there any more.
          const isOver = outcome.ok || outcome.failure.code === "resource.not_found";
          if (isOver) onClosed();
          return isOver ? { ok: true, value: null } : outcome;
        }}
        title={`End ${title}?`}
        verb="End it"
      />
    </span>
  );
}
