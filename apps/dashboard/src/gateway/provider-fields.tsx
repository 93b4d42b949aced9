/** The fields of a model provider, for the type it is of. */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { Form } from "../forms/use-form.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { keyPolicyChoice, offeredKeyPolicies } from "./key-policy-choice.ts";
import {
  isSecretSetting,
  PROVIDER_KINDS,
  SETTING_EXAMPLES,
  SETTING_LABELS,
  settingNamesOf,
  takesKeys,
} from "./provider-kinds.ts";
import { settingField, type ModelProviderView, type ProviderTexts } from "./provider-values.ts";

type ProviderFieldsProps = {
  readonly type: ModelProviderType;
  readonly form: Form<ProviderTexts>;
  /** Absent: it is being made. */
  readonly existing?: ModelProviderView;
};

export function ProviderFields({ type, form, existing }: ProviderFieldsProps) {
  const kind = PROVIDER_KINDS[type];
  return (
    <>
      {existing === undefined && (
        <TextField
          {...form.field("name")}
          hint="The first part of its path behind the gateway. It cannot be changed later."
          isMono
          label="Name"
          placeholder={kind.suggestedName}
        />
      )}
      <TextField {...form.field("display_name")} isOptional label="Display name" />
      <TextField
        {...form.field("base_url")}
        isMono
        label="Base URL"
        placeholder={kind.baseUrlExample}
        type="url"
      />
      {existing === undefined && takesKeys(type) && (
        <TextField
          {...form.field("api_keys")}
          hint={`${kind.keyHint} More can be added later, and they stand in for each other.`}
          isOptional
          label="API key"
          type="password"
        />
      )}
      {takesKeys(type) && (
        <TextField
          {...form.field("max_concurrency_per_key")}
          hint="Of each key, in each server: more wait for their turn. Empty: any number."
          inputMode="numeric"
          isOptional
          label="Requests at once"
        />
      )}
      {type !== "copilot" && (
        <ChoiceField
          {...form.field("key_policy")}
          choices={offeredKeyPolicies(
            existing === undefined ? "own_first" : keyPolicyChoice(existing),
          )}
          hint="Of agents only: who may use their models follows from it. Clients of the gateway are not concerned."
          label="Whose keys serve agents"
        />
      )}
      <SettingFields existing={existing} form={form} type={type} />
    </>
  );
}

type SettingFieldsProps = {
  readonly type: ModelProviderType;
  readonly form: Form<ProviderTexts>;
  readonly existing: ModelProviderView | undefined;
};

function SettingFields({ type, form, existing }: SettingFieldsProps) {
  const names = settingNamesOf(type);
  if (names.length === 0) return null;
  const masked: Readonly<Record<string, string | undefined>> = existing?.settings_masked ?? {};
  const isUsed = names.some((name) => form.values[settingField(name)] !== "");
  const fields = (
    <div className="space-y-4">
      {names.map((name) => {
        const stored = masked[name];
        return (
          <TextField
            {...form.field(settingField(name))}
            hint={stored === undefined ? undefined : `Stored: ${stored}. Empty leaves it as it is.`}
            isMono
            isOptional
            key={name}
            label={SETTING_LABELS[name]}
            placeholder={SETTING_EXAMPLES[name] ?? ""}
            type={isSecretSetting(name) ? "password" : "text"}
          />
        );
      })}
    </div>
  );
  if (type !== "anthropic") return fields;
  return (
    <details className="rounded-md border border-line p-3" open={isUsed}>
      <summary className="font-medium">Reached by way of Amazon Bedrock</summary>
      <div className="mt-3">{fields}</div>
    </details>
  );
}
