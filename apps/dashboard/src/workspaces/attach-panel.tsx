/** How a machine becomes this workspace: one command, and word of it as soon as it is there. */
import { createWorkspaceAgentToken } from "@atelier/contract/http/workspaces";
import type { ApiProblem, CallAnswer } from "@atelier/contract/client";
import { useState } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { useChange } from "../api/use-endpoint.ts";
import { Button } from "../ui/button.tsx";
import { CopyBlock } from "../ui/copy-text.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import type { WorkspaceView } from "./workspace-words.ts";

type Made = CallAnswer<typeof createWorkspaceAgentToken>;

export function AttachPanel({ workspace }: { readonly workspace: WorkspaceView }) {
  const makeToken = useChange(createWorkspaceAgentToken);
  const [made, setMade] = useState<Made | null>(null);
  const [isMaking, setIsMaking] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const wasAttached = workspace.status !== "connecting";
  const make = async (): Promise<void> => {
    setIsMaking(true);
    setProblem(null);
    const outcome = await makeToken({ params: { workspace: workspace.id } });
    setIsMaking(false);
    if (outcome.ok) setMade(outcome.value);
    else setProblem(outcome.failure);
  };
  return (
    <Panel
      about={
        wasAttached
          ? "When the token is lost, or another machine takes its place. The former token is void then."
          : "Any machine that reaches this server: it dials out, so nothing has to be opened for it."
      }
      title={wasAttached ? "Attach anew" : "Attach a machine"}
    >
      <div className="space-y-4">
        {problem !== null && <ProblemNotice problem={problem} />}
        {made === null ? (
          <Button
            busy={isMaking ? "Making…" : undefined}
            look={wasAttached ? "plain" : "main"}
            onClick={() => {
              make().catch((error: unknown) => {
                setIsMaking(false);
                setProblem(problemOf(error));
              });
            }}
          >
            {wasAttached ? "Make a new command" : "Show the command"}
          </Button>
        ) : (
          <>
            <CopyBlock
              text={made.command}
              title="On the machine, which needs Node 24 or later"
              what="the command"
            />
            {made.warning !== null && <p className="rounded-md bg-warn-soft p-3">{made.warning}</p>}
            <p className="text-muted">
              It holds a token that is shown this once. Who has it can be this workspace.
            </p>
            <WaitingLine isConnected={workspace.status === "connected"} />
          </>
        )}
      </div>
    </Panel>
  );
}

function WaitingLine({ isConnected }: { readonly isConnected: boolean }) {
  return (
    <p
      aria-live="polite"
      className={`flex items-center gap-2 rounded-md p-3 font-medium ${isConnected ? "bg-good-soft text-good" : "bg-sunken"}`}
    >
      <span
        aria-hidden="true"
        className={`size-2.5 rounded-full ${isConnected ? "bg-good" : "animate-pulse bg-accent"}`}
      />
      {isConnected ? "The machine is connected." : "Waiting for the machine to run the command…"}
    </p>
  );
}
