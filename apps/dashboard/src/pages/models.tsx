/** The models that chats can use: which ones, whether each can be used, and which serve certain work. */
import {
  deleteChatModel,
  listChatModels,
  listModelOverrides,
  updateChatModel,
} from "@atelier/contract/http/chat-models";
import type { CallInput } from "@atelier/contract/client";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { ModelOverrides } from "../chat-models/model-overrides.tsx";
import type { ChatModelView, ChatProviderView } from "../chat-models/model-values.ts";
import { contextText, effortText, modelState, nameOfModel } from "../chat-models/model-words.ts";
import { ORGANIZATION } from "../chat-models/organization.ts";
import { ProviderStandings } from "../chat-models/provider-standings.tsx";
import { ActionMenu } from "../ui/action-menu.tsx";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";

const LOOK_AGAIN_MS = 10_000;

export function Page() {
  const query = useEndpoint(listChatModels, { params: ORGANIZATION }, { everyMs: LOOK_AGAIN_MS });
  const mayChange = useMay("chat_model:update");
  const add = mayChange && (
    <ButtonLink look="main" to="/ai/settings/models/new">
      Add a model
    </ButtonLink>
  );
  return (
    <>
      <PageHead
        about="What agents can work with, and how it is called. States are as they stand for you."
        title="Models"
      >
        {add}
      </PageHead>
      <Loaded query={query} what="models">
        {({ models, providers, unsupported_providers: unsupported }) => (
          <>
            {models.length === 0 ? (
              <EmptyState icon="model" title="No model yet">
                {providers.length === 0 ? (
                  <>
                    <p>Agents call models of your model providers. Add a provider first.</p>
                    <ButtonLink look="main" to="/ai/settings/providers/new">
                      Add a provider
                    </ButtonLink>
                  </>
                ) : (
                  <>
                    <p>
                      Name one of your providers’ models, and how much it takes in. The first one
                      serves where nobody chooses.
                    </p>
                    {add}
                  </>
                )}
              </EmptyState>
            ) : (
              <DataTable
                columns={columns(providers, mayChange)}
                label="Models"
                rowKey={({ id }) => id}
                rows={models}
              />
            )}
            <div className="mt-5">
              {models.length > 0 && <ModelOverrides mayChange={mayChange} models={models} />}
              <ProviderStandings providers={providers} unsupported={unsupported} />
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

function columns(
  providers: readonly ChatProviderView[],
  mayChange: boolean,
): readonly Column<ChatModelView>[] {
  return [
    {
      title: "Model",
      cell: (row) => (
        <>
          <Link
            className="font-medium text-accent underline-offset-2 hover:underline"
            to={`/ai/settings/models/${row.id}`}
          >
            {nameOfModel(row)}
          </Link>
          <div className="text-xs text-muted">
            {providers.find(({ id }) => id === row.ai_provider_id)?.name ?? "no provider"}
            {row.display_name !== "" && ` · ${row.model}`}
          </div>
        </>
      ),
    },
    {
      title: "State",
      cell: (row) => {
        const { tone, words } = modelState(row);
        return (
          <span className="flex flex-wrap gap-1">
            <Badge tone={tone}>{words}</Badge>
            {row.is_default && <Badge tone="accent">default</Badge>}
          </span>
        );
      },
    },
    { title: "Context", isMinor: true, cell: contextText },
    { title: "Effort", isMinor: true, cell: effortText },
    ...(mayChange
      ? [
          {
            title: "Actions",
            isActions: true,
            cell: (row: ChatModelView) => <ModelActions model={row} />,
          },
        ]
      : []),
  ];
}

function ModelActions({ model }: { readonly model: ChatModelView }) {
  const renews = [listChatModels, listModelOverrides];
  const update = useChange(updateChatModel, renews);
  const remove = useChange(deleteChatModel, renews);
  const [isDeleting, setIsDeleting] = useState(false);
  const params = { ...ORGANIZATION, model: model.id };
  const name = nameOfModel(model);
  const change = (body: CallInput<typeof updateChatModel>["body"], done: string): void => {
    update({ params, body }).then(
      (outcome) => announce(outcome.ok ? done : outcome.failure.message),
      () => announce("The page ran into a bug of its own."),
    );
  };
  return (
    <>
      <ActionMenu
        actions={[
          ...(model.is_default
            ? []
            : [
                {
                  words: "Make it the default",
                  run: () => change({ is_default: true }, `${name} is the default.`),
                },
              ]),
          {
            words: model.enabled ? "Switch off" : "Switch on",
            run: () =>
              change(
                { enabled: !model.enabled },
                model.enabled ? `${name} is switched off.` : `${name} is switched on.`,
              ),
          },
          { words: "Delete…", run: () => setIsDeleting(true) },
        ]}
        label={`Change ${name}`}
      />
      <Confirm
        about="Chats that used it go on with the default. What it cost stays on record."
        doing="Deleting…"
        isOpen={isDeleting}
        onClose={() => setIsDeleting(false)}
        onConfirm={() => remove({ params })}
        title={`Delete ${name}?`}
        verb="Delete it"
      />
    </>
  );
}
