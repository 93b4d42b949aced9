/** The form of a model for chats: made and changed by the same fields. */
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { REASONING_EFFORTS } from "@atelier/contract/chat/chat-words";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import { useState, type ReactNode } from "react";
import { CheckField } from "../forms/check-field.tsx";
import { ChoiceField } from "../forms/choice-field.tsx";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm, type Form } from "../forms/use-form.ts";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { Panel } from "../ui/panel.tsx";
import {
  modelBody,
  type ChatProviderView,
  type ModelBody,
  type ModelTexts,
} from "./model-values.ts";
import {
  COMMON_FIELDS,
  EFFORT_DEFAULT_FIELD,
  EFFORT_MAX_FIELD,
  optionGroupOf,
  type OptionGroup,
} from "./option-fields.ts";
import { OptionInputs } from "./option-inputs.tsx";

type ModelFormProps = {
  readonly initial: ModelTexts;
  readonly providers: readonly ChatProviderView[];
  /** Which provider's fields are shown where none is chosen, as that of a deleted provider. */
  readonly typeOtherwise: ModelProviderType;
  readonly isNew: boolean;
  readonly draft?: string;
  readonly send: { readonly verb: string; readonly doing: string };
  readonly others?: ReactNode;
  readonly submit: (body: ModelBody) => Promise<Result<unknown, ApiProblem>>;
};

export function ModelForm(props: ModelFormProps) {
  const { initial, providers, typeOtherwise, isNew, draft, send, others, submit } = props;
  const typeOf = (texts: ModelTexts): ModelProviderType =>
    providers.find(({ id }) => id === texts["ai_provider_id"])?.type ?? typeOtherwise;
  const form = useForm<ModelTexts>({
    initial,
    ...(draft === undefined ? {} : { draft }),
    submit: async (texts) => {
      const body = modelBody(texts, typeOf(texts));
      return body.ok ? submit(body.value) : body;
    },
  });
  const type = typeOf(form.values);
  return (
    <FormFrame form={form} others={others} send={send.verb} sending={send.doing}>
      <Panel title="Model">
        <MainFields form={form} isNew={isNew} providers={providers} />
      </Panel>
      <Panel
        about="How long it thinks before it answers. Where both are empty, nobody chooses, and the model does as it does."
        title="Reasoning effort"
      >
        <div className="grid max-w-2xl items-start gap-4 sm:grid-cols-2">
          <ChoiceField
            {...form.field(EFFORT_DEFAULT_FIELD)}
            choices={EFFORTS}
            hint="Where a person chooses none."
            label="Usual effort"
          />
          <ChoiceField
            {...form.field(EFFORT_MAX_FIELD)}
            choices={EFFORTS}
            hint="What a person may choose at most."
            label="Highest effort"
          />
        </div>
      </Panel>
      <MoreOptions form={form} type={type} />
    </FormFrame>
  );
}

const EFFORTS = [
  { value: "", label: "None" },
  ...REASONING_EFFORTS.map((value) => ({ value, label: value })),
];

type MainFieldsProps = {
  readonly form: Form<ModelTexts>;
  readonly providers: readonly ChatProviderView[];
  readonly isNew: boolean;
};

function MainFields({ form, providers, isNew }: MainFieldsProps) {
  const choices = providers.map(({ id, name, display_name: displayName, type, available }) => ({
    value: id,
    label: `${displayName === "" ? name : displayName} (${PROVIDER_KINDS[type].label})${available ? "" : ", not usable"}`,
  }));
  return (
    <div className="grid max-w-2xl items-start gap-4 sm:grid-cols-2">
      <ChoiceField
        {...form.field("ai_provider_id")}
        choices={[{ value: "", label: "Choose…" }, ...choices]}
        label="Model provider"
      />
      <TextField
        {...form.field("model")}
        hint="As the provider spells it: claude-opus-4-6, gpt-5.2."
        isMono
        label="Model"
      />
      <TextField
        {...form.field("display_name")}
        hint="What people see when they choose."
        isOptional
        label="Display name"
      />
      <TextField
        {...form.field("context_limit")}
        hint="How much it takes in: history, tools and answer. 200000 for many."
        inputMode="numeric"
        label="Context, in tokens"
      />
      <TextField
        {...form.field("compression_threshold")}
        hint={`Percent of the context. 100: never by itself.${isNew ? " Empty: 70, or 30 for very long contexts." : ""}`}
        inputMode="numeric"
        isOptional={isNew}
        label="Sum up older history at"
      />
      <div>
        <CheckField
          {...form.field("enabled")}
          hint="Chats can be started with it."
          label="Switched on"
        />
        {isNew && (
          <CheckField
            {...form.field("is_default")}
            hint="Serves where nobody chooses. The first model always is."
            label="Default"
          />
        )}
      </div>
    </div>
  );
}

type MoreOptionsProps = { readonly form: Form<ModelTexts>; readonly type: ModelProviderType };

function MoreOptions({ form, type }: MoreOptionsProps) {
  const group = optionGroupOf(type);
  const sections = [
    { title: "Limits and sampling", fields: COMMON_FIELDS },
    ...(group === null ? [] : [group]),
  ];
  return sections.map((section) => (
    <OptionSection form={form} key={section.title} section={section} />
  ));
}

type OptionSectionProps = { readonly form: Form<ModelTexts>; readonly section: OptionGroup };

/** Open where something is decided, and where something is complained about. */
function OptionSection({ form, section: { title, fields } }: OptionSectionProps) {
  const [isOpen, setIsOpen] = useState(() => fields.some(({ path }) => form.values[path] !== ""));
  const isWrong = fields.some(({ path }) => form.field(path).complaint !== null);
  return (
    <details
      className="rounded-lg border border-line bg-surface"
      onToggle={(event) => setIsOpen(event.currentTarget.open)}
      open={isOpen || isWrong}
    >
      <summary className="px-4 py-3 text-base font-semibold">{title}</summary>
      <div className="max-w-2xl px-4 pb-4">
        <OptionInputs fields={fields} form={form} />
      </div>
    </details>
  );
}
