/** The fields of a model's options, drawn from their descriptions. */
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextAreaField } from "../forms/text-area-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import type { Form } from "../forms/use-form.ts";
import type { ModelTexts } from "./model-values.ts";
import type { OptionField } from "./option-field.ts";

type OptionInputsProps = {
  readonly form: Form<ModelTexts>;
  readonly fields: readonly OptionField[];
};

const AS_IT_IS = { value: "", label: "As the provider does" };
const SWITCH = [AS_IT_IS, { value: "true", label: "Yes" }, { value: "false", label: "No" }];

export function OptionInputs({ form, fields }: OptionInputsProps) {
  return (
    <div className="grid items-start gap-4 sm:grid-cols-2">
      {fields.map((field) => (
        <div className={field.kind === "json" ? "sm:col-span-2" : ""} key={field.path}>
          <OptionInput field={field} form={form} />
        </div>
      ))}
    </div>
  );
}

type OptionInputProps = { readonly form: Form<ModelTexts>; readonly field: OptionField };

function OptionInput({ form, field }: OptionInputProps) {
  const { path, label, hint } = field;
  const common = { ...form.field(path), label, hint };
  switch (field.kind) {
    case "switch":
      return <ChoiceField {...common} choices={SWITCH} />;
    case "choice":
      return (
        <ChoiceField
          {...common}
          choices={[AS_IT_IS, ...field.choices.map((value) => ({ value, label: value }))]}
        />
      );
    case "json":
      return <TextAreaField {...common} isMono rows={4} />;
    case "number":
      return <TextField {...common} inputMode="decimal" />;
    case "text":
    case "list":
      return <TextField {...common} />;
  }
}
