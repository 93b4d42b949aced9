/** Choosing a model for some work, and how long it thinks there. */
import { ChoiceField } from "../forms/choice-field.tsx";
import type { Form } from "../forms/use-form.ts";
import type { ChatModelView } from "./model-values.ts";
import { modelState, nameOfModel } from "./model-words.ts";

export type ModelChoiceTexts = {
  /** Beside a model, what it stands for where it is none. */
  readonly mode: string;
  readonly model_config_id: string;
  readonly reasoning_effort: string;
};

type ModelChoiceProps = {
  readonly form: Form<ModelChoiceTexts>;
  readonly models: readonly ChatModelView[];
};

export function ModelChoice({ form, models }: ModelChoiceProps) {
  const chosen = models.find(({ id }) => id === form.values.model_config_id);
  const efforts = chosen?.reasoning_efforts ?? [];
  return (
    <>
      <ChoiceField
        {...form.field("model_config_id")}
        choices={[{ value: "", label: "Choose…" }, ...models.map(choiceOf)]}
        label="Model"
      />
      {efforts.length > 0 && (
        <ChoiceField
          {...form.field("reasoning_effort")}
          choices={[
            { value: "", label: `As usual (${chosen?.default_reasoning_effort ?? ""})` },
            ...efforts.map((value) => ({ value, label: value })),
          ]}
          label="Reasoning effort"
        />
      )}
    </>
  );
}

function choiceOf(model: ChatModelView): { readonly value: string; readonly label: string } {
  const { tone, words } = modelState(model);
  const name = nameOfModel(model);
  return { value: model.id, label: tone === "good" ? name : `${name} (${words})` };
}
