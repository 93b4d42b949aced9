/** API tokens: what programs of a person sign their requests with. A token's value is shown once. */
import { LIMIT_DEFAULT } from "@atelier/contract/http/common";
import { deleteApiToken, listApiTokens, type ApiToken } from "@atelier/contract/http/sign-in";
import { useState } from "react";
import type { z } from "zod";
import { useChange, usePages } from "../api/use-endpoint.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { NewToken } from "./new-token.tsx";

const ME = { user: "me" } as const;
type Token = z.output<typeof ApiToken>;

export function Page() {
  const pages = usePages(listApiTokens, { params: ME }, ({ tokens }) =>
    tokens.length < LIMIT_DEFAULT ? null : { params: ME, query: { after_id: tokens.at(-1)?.id } },
  );
  const remove = useChange(deleteApiToken, [listApiTokens]);
  const [isMaking, setIsMaking] = useState(false);
  const [removing, setRemoving] = useState<Token | null>(null);
  const make = (
    <Button look="main" onClick={() => setIsMaking(true)}>
      Make a token
    </Button>
  );
  return (
    <>
      <PageHead
        about="Programs of yours sign their requests with a token, and may do what you may, or less."
        title="API tokens"
      >
        {make}
      </PageHead>
      <Loaded query={pages} what="your API tokens">
        {({ pages: answers }) => {
          const rows = answers.flatMap(({ tokens }) => tokens);
          if (rows.length === 0) {
            return (
              <EmptyState icon="key" title="No token yet">
                <p>
                  Coding agents, SDKs and scripts need one. It outlives your session, can be limited
                  to the AI gateway, and is taken back here.
                </p>
                {make}
              </EmptyState>
            );
          }
          return (
            <>
              <DataTable
                columns={columns(setRemoving)}
                label="API tokens"
                rowKey={({ id }) => id}
                rows={rows}
              />
              <LoadMore count={answers[0]?.count ?? 0} pages={pages} shown={rows.length} />
            </>
          );
        }}
      </Loaded>
      <Modal isOpen={isMaking} onClose={() => setIsMaking(false)} title="Make an API token">
        <NewToken onDone={() => setIsMaking(false)} />
      </Modal>
      <Confirm
        about="Programs that use it are refused at once. It cannot be brought back."
        doing="Revoking…"
        isOpen={removing !== null}
        onClose={() => setRemoving(null)}
        onConfirm={() => remove({ params: { ...ME, key: removing?.id ?? "" } })}
        title={`Revoke the token ${removing?.token_name ?? ""}?`}
        verb="Revoke it"
      />
    </>
  );
}

function columns(onRemove: (token: Token) => void): readonly Column<Token>[] {
  return [
    { title: "Name", cell: (row) => <span className="font-medium">{row.token_name}</span> },
    { title: "May", cell: (row) => scopeText(row.scopes), isMinor: true },
    {
      title: "Last used",
      cell: (row) =>
        row.last_used_at === null ? "never" : <RelativeTime time={row.last_used_at} />,
    },
    { title: "Ends", cell: (row) => <RelativeTime time={row.expires_at} />, isMinor: true },
    {
      title: "Actions",
      isActions: true,
      cell: (row) => <Button onClick={() => onRemove(row)}>Revoke</Button>,
    },
  ];
}

function scopeText(scopes: readonly string[]): string {
  const isAll = scopes.some((scope) => scope === "all" || scope === "coder:all");
  return isAll ? "all that you may" : scopes.join(", ");
}
