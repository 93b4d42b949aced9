/** A model provider between the texts of its form and the bodies of its endpoints. */
import {
  ModelProviderSettings,
  type ModelProvider,
  type ModelProviderSettingName,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";
import type { z } from "zod";
import { typedNumber } from "../forms/typed-number.ts";
import {
  isKeyPolicyChoice,
  keyPolicyChoice,
  keyPolicyFields,
  type KeyPolicyChoice,
} from "./key-policy-choice.ts";
import { isSecretSetting, settingNamesOf, takesKeys } from "./provider-kinds.ts";

export type ModelProviderView = z.output<typeof ModelProvider>;

/** Fields beside these are `settings.<name>`. */
export type ProviderTexts = Readonly<Record<string, string>>;

const SETTING_NAMES = ModelProviderSettings.keyof().options;

export const EMPTY_PROVIDER: ProviderTexts = {
  name: "",
  display_name: "",
  base_url: "",
  max_concurrency_per_key: "",
  api_keys: "",
  key_policy: "own_first" satisfies KeyPolicyChoice,
  ...Object.fromEntries(SETTING_NAMES.map((name) => [settingField(name), ""])),
};

export const SECRET_FIELDS: readonly string[] = [
  "api_keys",
  ...SETTING_NAMES.filter(isSecretSetting).map(settingField),
];

export function settingField(name: ModelProviderSettingName): string {
  return `settings.${name}`;
}

/** Secrets stay empty: they are not told, and empty means unchanged. */
export function textsOf(provider: ModelProviderView): ProviderTexts {
  const texts: Record<string, string> = {
    ...EMPTY_PROVIDER,
    name: provider.name,
    display_name: provider.display_name,
    base_url: provider.base_url,
    max_concurrency_per_key: String(provider.max_concurrency_per_key ?? ""),
    key_policy: keyPolicyChoice(provider),
  };
  for (const name of SETTING_NAMES) {
    if (!isSecretSetting(name)) texts[settingField(name)] = openSettings(provider)[name] ?? "";
  }
  return texts;
}

export function creationBody(type: ModelProviderType, texts: ProviderTexts) {
  const settings = settingNamesOf(type)
    .map((name) => [name, (texts[settingField(name)] ?? "").trim()] as const)
    .filter(([, value]) => value !== "");
  const key = (texts["api_keys"] ?? "").trim();
  const displayName = (texts["display_name"] ?? "").trim();
  return {
    type,
    name: (texts["name"] ?? "").trim(),
    base_url: (texts["base_url"] ?? "").trim(),
    ...(displayName === "" ? {} : { display_name: displayName }),
    ...(takesKeys(type) && slotsOf(texts) !== null
      ? { max_concurrency_per_key: slotsOf(texts) }
      : {}),
    ...(takesKeys(type) && key !== "" ? { api_keys: [key] } : {}),
    ...changedPolicy(EMPTY_PROVIDER, texts),
    ...(settings.length === 0 ? {} : { settings: Object.fromEntries(settings) }),
  };
}

/** Only what differs. A setting that was emptied is taken away; an empty secret stays as it is. */
export function changeBody(provider: ModelProviderView, texts: ProviderTexts) {
  const before = textsOf(provider);
  const settings: Record<string, string | null> = {};
  for (const name of settingNamesOf(provider.type)) {
    const value = (texts[settingField(name)] ?? "").trim();
    if (value === before[settingField(name)]) continue;
    settings[name] = value === "" ? null : value;
  }
  const changed = (field: "display_name" | "base_url") => {
    const value = (texts[field] ?? "").trim();
    return value === before[field] ? {} : { [field]: value };
  };
  return {
    ...changed("display_name"),
    ...changed("base_url"),
    ...changedPolicy(before, texts),
    ...(slotsOf(texts) === slotsOf(before) ? {} : { max_concurrency_per_key: slotsOf(texts) }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  };
}

function changedPolicy(before: ProviderTexts, texts: ProviderTexts) {
  const choice = texts["key_policy"] ?? "";
  const isChanged = isKeyPolicyChoice(choice) && choice !== before["key_policy"];
  return isChanged ? keyPolicyFields(choice) : {};
}

/** Null: any number. Not a number: the schema complains about it. */
function slotsOf(texts: ProviderTexts): number | null {
  const text = (texts["max_concurrency_per_key"] ?? "").trim();
  return text === "" ? null : (typedNumber(text) ?? Number.NaN);
}

function openSettings({
  settings,
}: ModelProviderView): Readonly<Record<string, string | undefined>> {
  return settings;
}
