/** One model for chats: a new one, or one that is there. */
import {
  createChatModel,
  getChatModel,
  listChatModels,
  listModelOverrides,
  updateChatModel,
} from "@atelier/contract/http/chat-models";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { ModelForm } from "../chat-models/model-form.tsx";
import {
  EMPTY_MODEL,
  modelBody,
  modelChange,
  textsOfModel,
  type ChatModelView,
  type ChatProviderView,
} from "../chat-models/model-values.ts";
import { modelState, nameOfModel, OBSTACLES } from "../chat-models/model-words.ts";
import { ORGANIZATION } from "../chat-models/organization.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";

const MODELS = "/ai/settings/models";
const NEW = "new";

export function Page() {
  const { model: id = NEW } = useParams({ strict: false }) as { readonly model?: string };
  const query = useEndpoint(listChatModels, { params: ORGANIZATION });
  return (
    <Loaded query={query} what="models">
      {({ models, providers }) => {
        if (id === NEW) return <NewModel providers={providers} />;
        const model = models.find((each) => each.id === id);
        return model === undefined ? (
          <NoModel />
        ) : (
          <ExistingModel key={id} model={model} providers={providers} />
        );
      }}
    </Loaded>
  );
}

const CANCEL = (
  <ButtonLink look="quiet" to={MODELS}>
    Cancel
  </ButtonLink>
);

function NoModel() {
  return (
    <PageHead about="It may have been deleted." title="No such model">
      <ButtonLink to={MODELS}>All models</ButtonLink>
    </PageHead>
  );
}

function NewModel({ providers }: { readonly providers: readonly ChatProviderView[] }) {
  const create = useChange(createChatModel, [listChatModels]);
  const navigate = useNavigate();
  const first = providers.find(({ available }) => available) ?? providers[0];
  return (
    <>
      <PageHead
        about="A model of one of your providers, and how agents call it. Only the first fields are needed."
        title="Add a model"
      />
      <ModelForm
        draft="model"
        initial={{ ...EMPTY_MODEL, ai_provider_id: first?.id ?? "" }}
        isNew
        others={CANCEL}
        providers={providers}
        send={{ verb: "Add it", doing: "Adding…" }}
        submit={async (body) => {
          const wrong = problemOfBody(createChatModel, body);
          if (wrong !== null) return { ok: false, failure: wrong };
          const outcome = await create({ params: ORGANIZATION, body });
          if (outcome.ok) {
            announce(`${nameOfModel(outcome.value)} is added.`);
            await navigate({ to: MODELS });
          }
          return outcome;
        }}
        typeOtherwise="openai-compat"
      />
    </>
  );
}

type ExistingModelProps = {
  readonly model: ChatModelView;
  readonly providers: readonly ChatProviderView[];
};

function ExistingModel({ model, providers }: ExistingModelProps) {
  const update = useChange(updateChatModel, [listChatModels, getChatModel, listModelOverrides]);
  // What the form began with: only what was typed is sent, whatever others change meanwhile.
  const [began] = useState(() => ({ texts: textsOfModel(model), type: typeOf(model, providers) }));
  const [sent, setSent] = useState(() => modelBody(began.texts, began.type));
  const { tone, words } = modelState(model);
  const reason = model.unavailable_reason;
  return (
    <>
      <PageHead
        about={reason === undefined ? undefined : OBSTACLES[reason].remedy}
        title={nameOfModel(model)}
      >
        <span className="flex items-center gap-1">
          <Badge tone={tone}>{words}</Badge>
          {model.is_default && <Badge tone="accent">default</Badge>}
        </span>
      </PageHead>
      <ModelForm
        initial={began.texts}
        isNew={false}
        others={CANCEL}
        providers={providers}
        send={{ verb: "Save", doing: "Saving…" }}
        submit={async (body) => {
          const change = sent.ok ? modelChange(sent.value, body) : body;
          const wrong = problemOfBody(updateChatModel, change);
          if (wrong !== null) return { ok: false, failure: wrong };
          const outcome = await update({
            params: { ...ORGANIZATION, model: model.id },
            body: change,
          });
          if (outcome.ok) {
            setSent({ ok: true, value: body });
            announce("Saved. Turns that begin from here on go by it.");
          }
          return outcome;
        }}
        typeOtherwise={began.type}
      />
    </>
  );
}

function typeOf(
  { ai_provider_id: id, provider }: ChatModelView,
  providers: readonly ChatProviderView[],
): ChatProviderView["type"] {
  return (
    providers.find((each) => each.id === id)?.type ??
    MODEL_PROVIDER_TYPES.find((type) => type === provider) ??
    "openai-compat"
  );
}
