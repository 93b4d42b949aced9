/** One's own keys with model providers, which serve what this server calls for their person. */
import {
  deleteUserProviderKey,
  listUserProviderKeys,
  setUserProviderKey,
} from "@atelier/contract/http/ai-user-keys";
import type { CallAnswer } from "@atelier/contract/client";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";

type OwnKey = CallAnswer<typeof listUserProviderKeys>["provider_keys"][number];

const ME = { user: "me" } as const;

export function Page() {
  const query = useEndpoint(listUserProviderKeys, { params: ME });
  const remove = useChange(deleteUserProviderKey, [listUserProviderKeys]);
  const [setting, setSetting] = useState<OwnKey | null>(null);
  const [removing, setRemoving] = useState<OwnKey | null>(null);
  return (
    <>
      <PageHead
        about="A key of your own with a provider serves what this server asks models for you, in place of the company’s. It is sealed, and never shown again."
        title="Own provider keys"
      />
      <Loaded query={query} what="your keys">
        {({ provider_keys: keys, byok_enabled: isAllowed }) =>
          keys.length === 0 ? (
            <EmptyState icon="link" title="No model provider yet">
              <p>Once an owner has added one, you can bring your own key for it here.</p>
            </EmptyState>
          ) : (
            <>
              {!isAllowed && (
                <p className="mb-4 rounded-md bg-warn-soft p-3">
                  This deployment does not let people’s own keys serve, and takes none.
                </p>
              )}
              <DataTable
                columns={columns(isAllowed, setSetting, setRemoving)}
                label="Own provider keys"
                rowKey={({ provider_id: id }) => id}
                rows={keys}
              />
            </>
          )
        }
      </Loaded>
      <Modal
        isOpen={setting !== null}
        onClose={() => setSetting(null)}
        title={`Your key for ${setting?.provider_name ?? ""}`}
      >
        {setting !== null && <KeyForm onDone={() => setSetting(null)} ownKey={setting} />}
      </Modal>
      <Confirm
        about="The company’s key serves you again, where there is one."
        doing="Removing…"
        isOpen={removing !== null}
        onClose={() => setRemoving(null)}
        onConfirm={() => remove({ params: { ...ME, provider: removing?.provider_name ?? "" } })}
        title={`Forget your key for ${removing?.provider_name ?? ""}?`}
        verb="Forget it"
      />
    </>
  );
}

function columns(
  isAllowed: boolean,
  onSet: (key: OwnKey) => void,
  onRemove: (key: OwnKey) => void,
): readonly Column<OwnKey>[] {
  return [
    {
      title: "Provider",
      cell: (row) => (
        <>
          <span className="font-medium">{row.provider_display_name || row.provider_name}</span>
          <div className="text-xs text-muted">{PROVIDER_KINDS[row.provider_type].label}</div>
          {/* A column of its own has no room on a phone. */}
          <div className="mt-1 md:hidden">
            <OwnKeyState row={row} />
          </div>
        </>
      ),
    },
    { title: "Your key", isMinor: true, cell: (row) => <OwnKeyState row={row} /> },
    {
      title: "Actions",
      isActions: true,
      cell: (row) => (
        <span className="inline-flex flex-wrap justify-end gap-1.5">
          {isAllowed && row.allow_user_api_key && (
            <Button onClick={() => onSet(row)}>{row.is_set ? "Replace" : "Bring your own"}</Button>
          )}
          {row.is_set && <Button onClick={() => onRemove(row)}>Forget</Button>}
        </span>
      ),
    },
  ];
}

function OwnKeyState({ row }: { readonly row: OwnKey }) {
  if (row.is_set) return <code className="font-mono text-xs">{row.masked}</code>;
  return <Badge tone={row.user_api_key_required ? "warn" : "neutral"}>{withoutOwn(row)}</Badge>;
}

function withoutOwn(row: OwnKey): string {
  if (row.user_api_key_required) return "needed: the company’s does not serve";
  return row.allow_user_api_key ? "the company’s serves" : "only the company’s serves";
}

function KeyForm({ ownKey, onDone }: { readonly ownKey: OwnKey; readonly onDone: () => void }) {
  const set = useChange(setUserProviderKey, [listUserProviderKeys]);
  const form = useForm({
    initial: { api_key: "" },
    submit: async (texts) => {
      const body = { api_key: texts.api_key.trim() };
      const wrong = problemOfBody(setUserProviderKey, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await set({ params: { ...ME, provider: ownKey.provider_name }, body });
      if (outcome.ok) {
        announce("Your key is kept.");
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Keep it" sending="Keeping…">
      <TextField
        {...form.field("api_key")}
        hint={PROVIDER_KINDS[ownKey.provider_type].keyHint}
        label="API key"
        type="password"
      />
    </FormFrame>
  );
}
