/** The password, and where one is signed in. */
import { LIMIT_DEFAULT } from "@atelier/contract/http/common";
import { listSessions, revokeSession, type UserSession } from "@atelier/contract/http/sign-in";
import { updateUserPassword } from "@atelier/contract/http/users";
import { useState } from "react";
import type { z } from "zod";
import { useChange, usePages } from "../api/use-endpoint.ts";
import { useSignOut } from "../app/palette-actions.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DataTable } from "../ui/data-table.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { userAgentText } from "./user-agent-text.ts";

const ME = { user: "me" } as const;
type SignIn = z.output<typeof UserSession>;

export function Page() {
  const signOut = useSignOut();
  return (
    <>
      <PageHead title="Security">
        <Button onClick={signOut}>Sign out here</Button>
      </PageHead>
      <Panel
        about="A new password ends all other sessions and all API tokens of yours."
        title="Password"
      >
        <PasswordForm />
      </Panel>
      <h2 className="mb-2 text-base font-semibold">Where you are signed in</h2>
      <SignIns />
    </>
  );
}

function PasswordForm() {
  const update = useChange(updateUserPassword, [listSessions]);
  const form = useForm({
    initial: { old_password: "", password: "" },
    submit: async (body) => {
      const wrong = problemOfBody(updateUserPassword, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: ME, body });
      if (outcome.ok) {
        form.reset();
        announce("Your password is changed.");
      }
      return outcome;
    },
  });
  return (
    <div className="max-w-md">
      <FormFrame form={form} send="Change the password" sending="Changing…">
        <TextField
          {...form.field("old_password")}
          autoComplete="current-password"
          label="Present password"
          type="password"
        />
        <TextField
          {...form.field("password")}
          autoComplete="new-password"
          hint="Length counts most: several words are better than odd characters."
          label="New password"
          type="password"
        />
      </FormFrame>
    </div>
  );
}

function SignIns() {
  const pages = usePages(listSessions, { params: ME }, ({ sessions }) =>
    sessions.length < LIMIT_DEFAULT
      ? null
      : { params: ME, query: { after_id: sessions.at(-1)?.id } },
  );
  const revoke = useChange(revokeSession, [listSessions]);
  const [ending, setEnding] = useState<SignIn | null>(null);
  return (
    <Loaded query={pages} what="your sessions">
      {({ pages: answers }) => {
        const rows = answers.flatMap(({ sessions }) => sessions);
        return (
          <>
            <DataTable
              columns={[
                {
                  title: "Where",
                  cell: (row) => (
                    <span className="flex flex-wrap items-center gap-2">
                      {userAgentText(row.user_agent)}
                      {row.current && <Badge tone="good">this one</Badge>}
                    </span>
                  ),
                },
                { title: "Address", cell: (row) => row.ip_address, isMinor: true },
                { title: "Last used", cell: (row) => <RelativeTime time={row.last_used_at} /> },
                {
                  title: "Ends",
                  cell: (row) => <RelativeTime time={row.expires_at} />,
                  isMinor: true,
                },
                {
                  title: "Actions",
                  isActions: true,
                  cell: (row) =>
                    !row.current && <Button onClick={() => setEnding(row)}>End</Button>,
                },
              ]}
              label="Your sessions"
              rowKey={({ id }) => id}
              rows={rows}
            />
            <LoadMore count={answers[0]?.count ?? 0} pages={pages} shown={rows.length} />
            <Confirm
              about="Whoever uses it has to sign in again."
              doing="Ending…"
              isOpen={ending !== null}
              onClose={() => setEnding(null)}
              onConfirm={() => revoke({ params: { ...ME, session: ending?.id ?? "" } })}
              title={`End the session of ${userAgentText(ending?.user_agent ?? "")}?`}
              verb="End the session"
            />
          </>
        );
      }}
    </Loaded>
  );
}
