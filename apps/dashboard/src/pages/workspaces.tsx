/** The workspaces one may see, and a new one. */
import { LIMIT_DEFAULT } from "@atelier/contract/http/common";
import {
  createWorkspace,
  listWorkspaces,
  WORKSPACE_COUNT_MAX,
  WORKSPACE_STATUSES,
} from "@atelier/contract/http/workspaces";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useChange, usePages } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { Badge } from "../ui/badge.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import {
  STATUS_WORDS,
  workspacePath,
  workspaceQuery,
  type WorkspaceView,
} from "../workspaces/workspace-words.ts";

const LOOK_AGAIN_MS = 5_000;

const COLUMNS: readonly Column<WorkspaceView>[] = [
  {
    title: "Workspace",
    cell: (row) => (
      <>
        <Link
          className="font-medium text-accent underline-offset-2 hover:underline"
          to={workspacePath(row)}
        >
          {row.name}
        </Link>
        <div className="text-xs text-muted">{row.owner_name}</div>
      </>
    ),
  },
  {
    title: "State",
    cell: ({ status }) => (
      <Badge tone={STATUS_WORDS[status].tone}>{STATUS_WORDS[status].words}</Badge>
    ),
  },
  {
    title: "Machine",
    isMinor: true,
    cell: ({ agents }) => {
      const system = agents[0]?.operating_system ?? null;
      return system === null ? "unknown yet" : `${system}, ${agents[0]?.architecture ?? ""}`;
    },
  },
  { title: "Last used", cell: (row) => <RelativeTime time={row.last_used_at} /> },
];

export function Page() {
  const search: { readonly q?: string; readonly status?: string } = useSearch({ strict: false });
  const q = workspaceQuery(search.q ?? "", search.status ?? "");
  const [isMaking, setIsMaking] = useState(false);
  const pages = usePages(
    listWorkspaces,
    { query: { q } },
    ({ workspaces }) =>
      workspaces.length < LIMIT_DEFAULT ? null : { query: { q, after_id: workspaces.at(-1)?.id } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  const make = (
    <Button look="main" onClick={() => setIsMaking(true)}>
      New workspace
    </Button>
  );
  return (
    <>
      <PageHead
        about="Machines of yours, used from anywhere as if they were here: terminals, files, commands, ports."
        title="Workspaces"
      >
        {make}
      </PageHead>
      <Filters q={search.q ?? ""} status={search.status ?? ""} />
      <Loaded query={pages} what="workspaces">
        {({ pages: answers }) => {
          const rows = answers.flatMap(({ workspaces }) => workspaces);
          if (rows.length === 0) {
            return q === undefined ? <NoWorkspaces>{make}</NoWorkspaces> : <NoneFits />;
          }
          return (
            <>
              <DataTable columns={COLUMNS} label="Workspaces" rowKey={({ id }) => id} rows={rows} />
              <LoadMore
                count={answers[0]?.count ?? 0}
                countMax={WORKSPACE_COUNT_MAX}
                pages={pages}
                shown={rows.length}
              />
            </>
          );
        }}
      </Loaded>
      <Modal
        about="For a machine that you have. Nothing happens on it before you run a command there."
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        title="New workspace"
      >
        <NewWorkspace />
      </Modal>
    </>
  );
}

function NoWorkspaces({ children }: { readonly children: ReactNode }) {
  return (
    <EmptyState icon="workspace" title="No workspace yet">
      <p>
        Name one, run the command that is shown on a machine that you have, and it is attached. It
        only needs to reach this server.
      </p>
      {children}
    </EmptyState>
  );
}

function NoneFits() {
  return (
    <EmptyState icon="search" title="No workspace fits">
      <p>
        A word is looked for in names. Terms work too: <code>owner:me</code>, <code>name:dev</code>,{" "}
        <code>status:connected</code>.
      </p>
      <ButtonLink to="/workspaces">Show all</ButtonLink>
    </EmptyState>
  );
}

function Filters({ q, status }: { readonly q: string; readonly status: string }) {
  const navigate = useNavigate();
  const set = (next: { readonly q?: string; readonly status?: string }): void => {
    navigate({ to: "/workspaces", search: { q, status, ...next }, replace: true }).catch(() => {}); // The router tells.
  };
  return (
    <div className="mb-4 grid grid-cols-2 gap-3 md:max-w-xl">
      <TextField
        label="Search"
        name="q"
        onChange={(value) => set({ q: value })}
        placeholder="name, or owner:me"
        type="search"
        value={q}
      />
      <ChoiceField
        choices={[
          { value: "", label: "All" },
          ...WORKSPACE_STATUSES.map((value) => ({ value, label: STATUS_WORDS[value].words })),
        ]}
        label="State"
        name="status"
        onChange={(value) => set({ status: value })}
        value={status}
      />
    </div>
  );
}

function NewWorkspace() {
  const navigate = useNavigate();
  const create = useChange(createWorkspace, [listWorkspaces]);
  const form = useForm({
    initial: { name: "" },
    draft: "workspace",
    submit: async ({ name }) => {
      const body = { name: name.trim() };
      const wrong = problemOfBody(createWorkspace, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await create({ params: { user: "me" }, body });
      if (outcome.ok) await navigate({ to: workspacePath(outcome.value) });
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Make it" sending="Making…">
      <TextField
        {...form.field("name")}
        hint="Letters and digits, with single hyphens between them."
        isFocused
        label="Name"
        placeholder="laptop"
      />
    </FormFrame>
  );
}
