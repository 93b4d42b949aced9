/** A terminal in a workspace. The tab finds the same one again after a reload. */
import { getWorkspaceByName } from "@atelier/contract/http/workspaces";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useEndpoint } from "../api/use-endpoint.ts";
import { Button, ButtonLink } from "../ui/button.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { anotherTerminalId, terminalIdOf } from "../workspaces/terminal-id.ts";
import type { TerminalState } from "../workspaces/terminal-link.ts";
import { TerminalScreen, TerminalStateWords } from "../workspaces/terminal-screen.tsx";

export function Page() {
  const { owner = "", name = "" } = useParams({ strict: false }) as {
    readonly owner?: string;
    readonly name?: string;
  };
  const query = useEndpoint(getWorkspaceByName, { params: { user: owner, name } });
  return (
    <Loaded query={query} what={`the workspace ${owner}/${name}`}>
      {({ agents: [agent], id }) =>
        agent !== undefined && (
          <TerminalView agentId={agent.id} key={id} title={name} to={`/${owner}/${name}`} />
        )
      }
    </Loaded>
  );
}

type TerminalViewProps = {
  readonly agentId: string;
  readonly title: string;
  /** The workspace's page. */
  readonly to: string;
};

function TerminalView({ agentId, title, to }: TerminalViewProps) {
  const [terminalId, setTerminalId] = useState(() => terminalIdOf(agentId));
  const [state, setState] = useState<TerminalState>({ kind: "connecting" });
  return (
    <>
      <PageHead title={`Terminal of ${title}`}>
        <TerminalStateWords state={state} />
        <Button onClick={() => setTerminalId(anotherTerminalId(agentId))}>Another terminal</Button>
        <ButtonLink to={to}>Workspace</ButtonLink>
      </PageHead>
      <div className="h-[calc(100vh-10rem)] min-h-64">
        <TerminalScreen agentId={agentId} onState={setState} terminalId={terminalId} />
      </div>
    </>
  );
}
