/** Model and reasoning effort, as two small fields; in their place the reason when there is no model. */
import { listChatModels } from "@atelier/contract/http/chat-models";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { useMay } from "../../app/signed-in.ts";
import { keep, kept } from "../../browser/host.ts";
import { ChoiceField } from "../../forms/choice-field.tsx";
import { FieldFrame, INPUT_LOOK } from "../../forms/text-field.tsx";
import { ButtonLink } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import {
  chosenModel,
  effortChoices,
  effortFor,
  whyNoModel,
  type ChatModels,
  type ModelChoice,
} from "./model-choice.ts";
import { ModelOptions } from "./model-options.tsx";

const ORGANIZATION = { params: { organization: "default" } } as const;
const LAST_MODEL = "chat.last-model";

export function useChatModels(): UseQueryResult<ChatModels> {
  return useEndpoint(listChatModels, ORGANIZATION);
}

/** What this person chose last on this device; empty ids and efforts mean the usual ones. */
export function lastModelChoice(): ModelChoice {
  return { modelConfigId: kept("device", LAST_MODEL) ?? "", effort: "" };
}

/** New chats of this device begin with it. */
export function rememberModelChoice({ modelConfigId }: ModelChoice): void {
  keep("device", LAST_MODEL, modelConfigId);
}

type ModelChoiceFieldsProps = {
  readonly models: ChatModels;
  readonly value: ModelChoice;
  readonly onChange: (value: ModelChoice) => void;
};

export function ModelChoiceFields({ models, value, onChange }: ModelChoiceFieldsProps) {
  const chosen = chosenModel(models, value.modelConfigId);
  if (chosen === undefined) return <NoModelNotice models={models} />;
  const efforts = effortChoices(chosen);
  return (
    <>
      <FieldFrame label="Model">
        {(attributes) => (
          <select
            {...attributes}
            className={INPUT_LOOK}
            name="model"
            onChange={({ currentTarget }) => {
              const next = chosenModel(models, currentTarget.value);
              if (next === undefined) return;
              onChange({ modelConfigId: next.id, effort: effortFor(next, value.effort) });
            }}
            value={chosen.id}
          >
            <ModelOptions models={models} />
          </select>
        )}
      </FieldFrame>
      {efforts.length > 0 && (
        <ChoiceField
          choices={efforts}
          label="Reasoning effort"
          name="effort"
          onChange={(effort) =>
            onChange({
              modelConfigId: chosen.id,
              // The choices are the model's own.
              effort: effort as ReasoningEffort | "",
            })
          }
          value={effortFor(chosen, value.effort)}
        />
      )}
    </>
  );
}

export function NoModelNotice({ models }: { readonly models: ChatModels }) {
  const changeModels = useMay("chat_model:update");
  const changeProviders = useMay("ai_provider:create");
  const reason = whyNoModel(models, { changeModels, changeProviders });
  if (reason === null) return null;
  return (
    <div className="flex flex-wrap items-center gap-3 rounded-md border border-line bg-warn-soft p-3">
      <span className="text-warn">
        <Icon name="alert" />
      </span>
      <p className="min-w-0 flex-1">{reason.words}</p>
      {reason.link !== undefined && <ButtonLink to={reason.link.to}>{reason.link.verb}</ButtonLink>}
    </div>
  );
}
