/** What the workspace agent started: running and ended, with its output as it comes. */
import {
  listWorkspaceProcesses,
  signalWorkspaceProcess,
} from "@atelier/contract/http/workspace-processes";
import { useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ProcessOutput } from "./process-output.tsx";
import { processState, type ProcessView } from "./process-text.ts";
import type { ProcessesPanelProps } from "./panel-props.ts";

const LOOK_AGAIN_MS = 3_000;

export function ProcessesPanel({ agentId, group }: ProcessesPanelProps) {
  const query = useEndpoint(
    listWorkspaceProcesses,
    { params: { agent: agentId }, query: { group } },
    { everyMs: LOOK_AGAIN_MS },
  );
  const [openId, setOpenId] = useState<string | null>(null);
  return (
    <Loaded query={query} what="the processes">
      {({ processes }) =>
        processes.length === 0 ? (
          <EmptyState icon="terminal" title="No process yet">
            <p>
              Commands of chats and of <code>atelier exec</code> appear here, and stay with their
              output after they ended.
            </p>
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
            {processes.map((process) => (
              <li key={process.id}>
                <ProcessRow
                  agentId={agentId}
                  isOpen={openId === process.id}
                  onToggle={() => setOpenId(openId === process.id ? null : process.id)}
                  process={process}
                />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

type ProcessRowProps = {
  readonly agentId: string;
  readonly process: ProcessView;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
};

function ProcessRow({ agentId, process, isOpen, onToggle }: ProcessRowProps) {
  const { tone, words } = processState(process);
  const isRunning = process.state === "running";
  return (
    <>
      <div className="flex items-start gap-2 px-3 py-2">
        <button
          aria-expanded={isOpen}
          className="flex min-w-0 grow items-start gap-2 rounded text-left"
          onClick={onToggle}
          type="button"
        >
          <span className={`mt-0.5 text-muted ${isOpen ? "rotate-90" : ""}`}>
            <Icon name="chevron" size={16} />
          </span>
          <span className="min-w-0 grow">
            <code className="block truncate font-mono text-xs leading-5">{process.command}</code>
            <span className="flex flex-wrap items-center gap-x-2 text-xs text-muted">
              <Badge tone={tone}>{words}</Badge>
              <span>
                {isRunning ? "since " : "ended "}
                <RelativeTime time={process.ended_at ?? process.started_at} />
              </span>
              <span className="truncate">{process.working_directory}</span>
            </span>
          </span>
        </button>
        {isRunning && <StopButton agentId={agentId} process={process} />}
      </div>
      {isOpen && <ProcessOutput agentId={agentId} process={process} />}
    </>
  );
}

function StopButton({ agentId, process }: Pick<ProcessRowProps, "agentId" | "process">) {
  const [isAsked, setIsAsked] = useState(false);
  const send = useChange(signalWorkspaceProcess, [listWorkspaceProcesses]);
  const params = { agent: agentId, process: process.id };
  return (
    <>
      <Button aria-label={`Kill ${process.command}`} onClick={() => setIsAsked(true)}>
        Kill
      </Button>
      <Confirm
        about={
          <>
            <code className="line-clamp-3 font-mono text-xs break-all">{process.command}</code>
            <span className="mt-2 block">
              It ends at once, with everything that it started, and cannot tidy up after itself.
              What it wrote so far is kept.
            </span>
          </>
        }
        doing="Killing…"
        isOpen={isAsked}
        onClose={() => setIsAsked(false)}
        onConfirm={() => send({ params, body: { signal: "SIGKILL" } })}
        title="Kill this process?"
        verb="Kill it"
      />
    </>
  );
}
