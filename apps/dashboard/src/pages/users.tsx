/** The people of this deployment, and what they may do. */
import { LIMIT_DEFAULT } from "@atelier/contract/http/common";
import { listUsers, UserStatus } from "@atelier/contract/http/users";
import { ROLES } from "@atelier/contract/permissions";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { NewUser } from "../administration/new-user.tsx";
import { UserActions, type UserView } from "../administration/user-actions.tsx";
import { usePages } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

type Chosen = { readonly q?: string; readonly status?: string; readonly role?: string };

const STATUS_TONES = { active: "good", dormant: "neutral", suspended: "bad" } as const;

export function Page() {
  const chosen: Chosen = useSearch({ strict: false });
  const query = {
    q: chosen.q === "" ? undefined : chosen.q,
    status: UserStatus.options.find((each) => each === chosen.status),
    role: ROLES.find((each) => each === chosen.role),
  };
  const mayCreate = useMay("user:create");
  const [isMaking, setIsMaking] = useState(false);
  const pages = usePages(
    listUsers,
    { query },
    ({ users }) =>
      users.length < LIMIT_DEFAULT ? null : { query: { ...query, after_id: users.at(-1)?.id } },
    { keepsFormer: true },
  );
  return (
    <>
      <PageHead about="Everybody is a member; roles add to it." title="Users">
        {mayCreate && (
          <Button look="main" onClick={() => setIsMaking(true)}>
            Add a user
          </Button>
        )}
      </PageHead>
      <Filters chosen={chosen} />
      <Loaded query={pages} what="users">
        {({ pages: answers }) => {
          const rows = answers.flatMap(({ users }) => users);
          if (rows.length === 0) {
            return (
              <EmptyState icon="users" title="Nobody fits">
                <p>A part of the username, name or email is enough.</p>
                <ButtonLink to="/deployment/users">Show all</ButtonLink>
              </EmptyState>
            );
          }
          return (
            <>
              <DataTable columns={COLUMNS} label="Users" rowKey={({ id }) => id} rows={rows} />
              <LoadMore count={answers[0]?.count ?? 0} pages={pages} shown={rows.length} />
            </>
          );
        }}
      </Loaded>
      <Modal isOpen={isMaking} onClose={() => setIsMaking(false)} title="Add a user">
        <NewUser onDone={() => setIsMaking(false)} />
      </Modal>
    </>
  );
}

const COLUMNS: readonly Column<UserView>[] = [
  {
    title: "Person",
    cell: ({ username, name, email }) => (
      <>
        <span className="font-medium">{username}</span>
        <div className="text-xs break-all text-muted">
          {name === "" ? email : `${name} · ${email}`}
        </div>
      </>
    ),
  },
  {
    title: "Roles",
    isMinor: true,
    cell: ({ roles }) =>
      roles.length === 0 ? (
        <span className="text-muted">member</span>
      ) : (
        <span className="flex flex-wrap gap-1">
          {roles.map((role) => (
            <Badge key={role} tone="accent">
              {role}
            </Badge>
          ))}
        </span>
      ),
  },
  {
    title: "State",
    cell: ({ status }) => <Badge tone={STATUS_TONES[status]}>{status}</Badge>,
  },
  {
    title: "Last seen",
    isMinor: true,
    cell: ({ last_seen_at: seenAt }) =>
      seenAt === null ? "never" : <RelativeTime time={seenAt} />,
  },
  { title: "Actions", isActions: true, cell: (user) => <UserActions user={user} /> },
];

function Filters({ chosen }: { readonly chosen: Chosen }) {
  const navigate = useNavigate();
  const set = (next: Chosen): void => {
    navigate({
      to: "/deployment/users",
      search: { ...chosen, ...next },
      replace: true,
    }).catch(() => {}); // The router shows what went wrong.
  };
  const all = { value: "", label: "All" };
  return (
    <div className="mb-4 grid grid-cols-2 gap-3 md:grid-cols-3">
      <TextField
        label="Search"
        name="q"
        onChange={(q) => set({ q })}
        type="search"
        value={chosen.q ?? ""}
      />
      <ChoiceField
        choices={[all, ...UserStatus.options.map((value) => ({ value, label: value }))]}
        label="State"
        name="status"
        onChange={(status) => set({ status })}
        value={chosen.status ?? ""}
      />
      <ChoiceField
        choices={[all, ...ROLES.map((value) => ({ value, label: value }))]}
        label="Role"
        name="role"
        onChange={(role) => set({ role })}
        value={chosen.role ?? ""}
      />
    </div>
  );
}
