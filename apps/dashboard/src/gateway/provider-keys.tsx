/** The keys of a model provider, in the order in which they are tried. */
import {
  getModelProvider,
  listModelProviders,
  MODEL_PROVIDER_KEYS_MAX,
  orderModelProviderKeys,
  resetModelProviderKey,
  updateModelProvider,
  updateModelProviderKey,
} from "@atelier/contract/http/ai-providers";
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { useState } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Modal } from "../ui/modal.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { PROVIDER_KINDS } from "./provider-kinds.ts";
import { keyState } from "./provider-state.ts";
import type { ModelProviderView } from "./provider-values.ts";

const RENEWS = [getModelProvider, listModelProviders];

type ProviderKey = ModelProviderView["api_keys"][number];

type ProviderKeysProps = { readonly provider: ModelProviderView; readonly mayChange: boolean };

export function ProviderKeys({ provider, mayChange }: ProviderKeysProps) {
  const [isAdding, setIsAdding] = useState(false);
  const keys = provider.api_keys;
  const isFull = keys.length >= MODEL_PROVIDER_KEYS_MAX;
  return (
    <Panel
      about="Tried from the first on: when one is refused or has to rest, the next stands in."
      actions={
        mayChange && (
          <Button disabled={isFull} onClick={() => setIsAdding(true)}>
            {isFull ? `${MODEL_PROVIDER_KEYS_MAX} keys at most` : "Add a key"}
          </Button>
        )
      }
      title="Keys"
    >
      {keys.length === 0 ? (
        <p className="text-muted">
          None: it serves only people who bring a key of their own. Add the company’s for all
          others.
        </p>
      ) : (
        <DataTable
          columns={columns(provider, mayChange)}
          label={`Keys of ${provider.name}`}
          rowKey={({ id }) => id}
          rows={keys}
        />
      )}
      <Modal isOpen={isAdding} onClose={() => setIsAdding(false)} title="Add a key">
        <AddKey onDone={() => setIsAdding(false)} provider={provider} />
      </Modal>
    </Panel>
  );
}

function columns(provider: ModelProviderView, mayChange: boolean): readonly Column<ProviderKey>[] {
  return [
    {
      title: "Key",
      cell: ({ masked }) => <code className="font-mono text-xs">{masked}</code>,
    },
    {
      title: "State",
      cell: (key) => {
        const { tone, words } = keyState(key);
        return (
          <>
            <Badge tone={tone}>{words}</Badge>
            {key.returns_at !== null && (
              <div className="text-xs text-muted">
                back <RelativeTime time={key.returns_at} />
              </div>
            )}
          </>
        );
      },
    },
    {
      title: "Last error",
      isMinor: true,
      cell: ({ last_error: error }) =>
        error === null ? (
          <span className="text-muted">none since the server started</span>
        ) : (
          <span className="break-words">
            {error.status !== null && `${error.status} `}
            {error.message} <RelativeTime time={error.at} />
          </span>
        ),
    },
    ...(mayChange
      ? [
          {
            title: "Actions",
            isActions: true,
            cell: (key: ProviderKey) => <KeyActions providerKey={key} provider={provider} />,
          },
        ]
      : []),
  ];
}

type KeyActionsProps = { readonly provider: ModelProviderView; readonly providerKey: ProviderKey };

function KeyActions({ provider, providerKey }: KeyActionsProps) {
  const { id, enabled, state, masked } = providerKey;
  const params = { provider: provider.name, key: id };
  const toggle = useChange(updateModelProviderKey, RENEWS);
  const reset = useChange(resetModelProviderKey, RENEWS);
  const replace = useChange(updateModelProvider, RENEWS);
  const order = useChange(orderModelProviderKeys, RENEWS);
  const ids = provider.api_keys.map((key) => key.id);
  const place = ids.indexOf(id);
  const [isRemoving, setIsRemoving] = useState(false);
  const tell = (work: Promise<Result<unknown, ApiProblem>>, done: string): void => {
    work.then(
      (outcome) => announce(outcome.ok ? done : outcome.failure.message),
      () => announce("The page ran into a bug of its own."),
    );
  };
  return (
    <span className="inline-flex flex-wrap justify-end gap-1.5">
      {(state === "permanent" || state === "temporary") && (
        <Button onClick={() => tell(reset({ params }), "It is tried again with the next request.")}>
          Try it again
        </Button>
      )}
      {place > 0 && (
        <Button
          aria-label={`Earlier: ${masked}`}
          onClick={() => {
            const key_ids = ids.filter((each) => each !== id).toSpliced(place - 1, 0, id);
            const moved = order({ params: { provider: provider.name }, body: { key_ids } });
            tell(moved, `The key is number ${place} now.`);
          }}
        >
          Earlier
        </Button>
      )}
      <Button
        onClick={() =>
          tell(
            toggle({ params, body: { enabled: !enabled } }),
            enabled ? "The key is out of service." : "The key is in service.",
          )
        }
      >
        {enabled ? "Take out" : "Put back"}
      </Button>
      <Button onClick={() => setIsRemoving(true)}>Remove</Button>
      <Confirm
        about="It is forgotten here; with the provider it stays valid."
        doing="Removing…"
        isOpen={isRemoving}
        onClose={() => setIsRemoving(false)}
        onConfirm={() =>
          replace({
            params: { provider: provider.name },
            body: {
              api_keys: provider.api_keys
                .filter((key) => key.id !== id)
                .map((key) => ({ id: key.id })),
              if_updated_at: provider.updated_at,
            },
          })
        }
        title={`Remove the key ${masked}?`}
        verb="Remove it"
      />
    </span>
  );
}

type AddKeyProps = { readonly provider: ModelProviderView; readonly onDone: () => void };

function AddKey({ provider, onDone }: AddKeyProps) {
  const update = useChange(updateModelProvider, RENEWS);
  const form = useForm({
    initial: { api_keys: "" },
    submit: async (texts) => {
      const body = {
        api_keys: [
          ...provider.api_keys.map(({ id }) => ({ id })),
          { api_key: texts.api_keys.trim() },
        ],
        if_updated_at: provider.updated_at,
      };
      const wrong = problemOfBody(updateModelProvider, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { provider: provider.name }, body });
      if (outcome.ok) {
        announce("The key is in service.");
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Add it" sending="Adding…">
      <TextField
        {...form.field("api_keys")}
        hint={PROVIDER_KINDS[provider.type].keyHint}
        label="API key"
        type="password"
      />
    </FormFrame>
  );
}
