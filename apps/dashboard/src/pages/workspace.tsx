/** One workspace: its machine as it is now, how one is attached, what is on it, who was connected. */
import {
  deleteWorkspace,
  getWorkspaceByName,
  listWorkspaces,
  updateWorkspace,
} from "@atelier/contract/http/workspaces";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { useSignedIn } from "../app/signed-in.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { Badge } from "../ui/badge.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { TabStrip } from "../ui/tab-strip.tsx";
import { AttachPanel } from "../workspaces/attach-panel.tsx";
import { WorkspaceConnections } from "../workspaces/connection-history.tsx";
import { WorkspacePanel, type WorkspacePanelId } from "../workspaces/panel/workspace-panels.tsx";
import { useWatchedWorkspace } from "../workspaces/use-watched-workspace.ts";
import { workspaceTabs } from "../workspaces/workspace-tabs.ts";
import { STATUS_WORDS, workspacePath, type WorkspaceView } from "../workspaces/workspace-words.ts";

export function Page() {
  const { owner = "", name = "" } = useParams({ strict: false }) as {
    readonly owner?: string;
    readonly name?: string;
  };
  const query = useWatchedWorkspace(owner, name);
  return (
    <Loaded query={query} what={`the workspace ${owner}/${name}`}>
      {(workspace) => <WorkspacePage workspace={workspace} />}
    </Loaded>
  );
}

function WorkspacePage({ workspace }: { readonly workspace: WorkspaceView }) {
  const isOwn = useSignedIn().id === workspace.owner_id;
  const { tab = "" }: { readonly tab?: string } = useSearch({ strict: false });
  const tabs = workspaceTabs({ isOwn });
  const shown = tabs.find(({ id }) => id === tab)?.id ?? "";
  return (
    <>
      <PageHead
        about={isOwn ? "A machine of yours." : `A machine of ${workspace.owner_name}.`}
        title={workspace.name}
      >
        {isOwn && workspace.status === "connected" && (
          <>
            <ButtonLink look="main" search={{ workspace: workspace.id }} to="/chats/new">
              Start an agent here
            </ButtonLink>
            <ButtonLink to={`${workspacePath(workspace)}/terminal`}>Open a terminal</ButtonLink>
          </>
        )}
        <WorkspaceActions workspace={workspace} />
      </PageHead>
      <TabStrip label="Parts of the workspace" shown={shown} tabs={tabs} />
      {shown === "" && (
        <>
          <MachinePanel workspace={workspace} />
          {isOwn && <AttachPanel workspace={workspace} />}
        </>
      )}
      {shown === "connections" && <WorkspaceConnections workspaceId={workspace.id} />}
      {shown !== "" && shown !== "connections" && <OpenPanel panel={shown} workspace={workspace} />}
    </>
  );
}

type OpenPanelProps = { readonly panel: WorkspacePanelId; readonly workspace: WorkspaceView };

function OpenPanel({ panel, workspace }: OpenPanelProps) {
  const [agent] = workspace.agents;
  if (agent === undefined || workspace.status !== "connected") {
    return (
      <EmptyState icon="workspace" title="The machine is not connected">
        <p>
          This is shown by the machine itself. As soon as its workspace agent is connected again, it
          appears here.
        </p>
        <ButtonLink to={workspacePath(workspace)}>How it is attached</ButtonLink>
      </EmptyState>
    );
  }
  return <WorkspacePanel agentId={agent.id} panel={panel} workspaceId={workspace.id} />;
}

function MachinePanel({ workspace }: { readonly workspace: WorkspaceView }) {
  const { status, agents, created_at: createdAt, last_used_at: lastUsedAt, id } = workspace;
  const { tone, words } = STATUS_WORDS[status];
  const [agent] = agents;
  const known = (value: string | null | undefined): string => value ?? "unknown yet";
  return (
    <Panel title="Machine">
      <Facts
        facts={[
          { name: "State", value: <Badge tone={tone}>{words}</Badge> },
          {
            name: "Since",
            value: <SinceText agent={agent} />,
          },
          { name: "Last used", value: <RelativeTime time={lastUsedAt} /> },
          {
            name: "System",
            value:
              agent?.operating_system === null
                ? "unknown yet"
                : `${agent?.operating_system}, ${agent?.architecture}`,
          },
          { name: "Directory", value: known(agent?.directory) },
          { name: "Agent's version", value: known(agent?.version) },
          { name: "Made", value: <RelativeTime time={createdAt} /> },
          {
            name: "Id",
            value: <code className="font-mono text-xs break-all select-all">{id}</code>,
          },
        ]}
      />
    </Panel>
  );
}

function SinceText({ agent }: { readonly agent: WorkspaceView["agents"][number] | undefined }) {
  const time = agent?.disconnected_at ?? agent?.last_connected_at ?? null;
  return time === null ? "never attached" : <RelativeTime time={time} />;
}

function WorkspaceActions({ workspace }: { readonly workspace: WorkspaceView }) {
  const remove = useChange(deleteWorkspace, [listWorkspaces]);
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"rename" | "delete" | null>(null);
  const close = (): void => setAsked(null);
  return (
    <>
      <Button onClick={() => setAsked("rename")}>Rename</Button>
      <Button onClick={() => setAsked("delete")}>Delete</Button>
      <Modal isOpen={asked === "rename"} onClose={close} title={`Rename ${workspace.name}`}>
        <RenameForm onDone={close} workspace={workspace} />
      </Modal>
      <Confirm
        about="The machine is cut off at once and its token is void. What is on the machine stays as it is."
        doing="Deleting…"
        isOpen={asked === "delete"}
        onClose={close}
        onConfirm={async () => {
          const outcome = await remove({ params: { workspace: workspace.id } });
          if (outcome.ok) await navigate({ to: "/workspaces" });
          return outcome;
        }}
        title={`Delete ${workspace.name}?`}
        verb="Delete it"
      />
    </>
  );
}

type RenameFormProps = { readonly workspace: WorkspaceView; readonly onDone: () => void };

function RenameForm({ workspace, onDone }: RenameFormProps) {
  const update = useChange(updateWorkspace, [listWorkspaces, getWorkspaceByName]);
  const navigate = useNavigate();
  const form = useForm({
    initial: { name: workspace.name },
    submit: async ({ name }) => {
      const body = { name: name.trim() };
      const wrong = problemOfBody(updateWorkspace, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { workspace: workspace.id }, body });
      if (outcome.ok) {
        await navigate({ to: workspacePath(outcome.value), replace: true });
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Rename" sending="Renaming…">
      <TextField
        {...form.field("name")}
        hint="Commands that name the old one stop working."
        isFocused
        label="Name"
      />
    </FormFrame>
  );
}
