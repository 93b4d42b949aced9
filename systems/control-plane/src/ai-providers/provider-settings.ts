/**
 * The settings of a model provider: which ones its type has, what a patch makes of them, how they are
 * sealed, and what people may see of them. Spec: gateway 11.2-11.4.
 */
import { maskCredential } from "@atelier/base/mask";
import type { Random } from "@atelier/base/random";
import {
  BEDROCK_DEFAULT_MODELS,
  bedrockMistakes,
  isBedrockConfigured,
} from "@atelier/contract/bedrock-settings";
import type { Validation } from "@atelier/contract/failures";
import {
  MODEL_PROVIDER_SETTING_NAMES,
  ModelProviderSettings,
  SECRET_MODEL_PROVIDER_SETTINGS,
  type ModelProviderSettingName,
  type ModelProviderSettingsPatch,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";
import { z } from "zod";
import type { AuditDiff } from "../audit/audit-trail.ts";
import { sealedAt } from "../vault/sealed-column.ts";
import { VaultError, type Vault } from "../vault/vault.ts";

export type SealedSettings = { readonly id: string; readonly sealedSettings: Uint8Array | null };

const SETTINGS_COLUMN = { name: "ai_providers/sealed_settings" } as const;

/** Not strict: another server's version may have stored settings that this one does not know. */
const STORED = z.object({
  ...ModelProviderSettings.shape,
  /** Ours, and nobody else's to choose: it proves to the role's owner that we act for this provider. */
  external_id: z.string().optional(),
});
/** With secrets. */
export type StoredSettings = Readonly<z.output<typeof STORED>>;

/** One mistake for each setting that the type does not have. */
export function checkSettingNames(
  type: ModelProviderType,
  settings: ModelProviderSettingsPatch,
): readonly Validation[] {
  const names: readonly string[] = MODEL_PROVIDER_SETTING_NAMES[type] ?? [];
  return Object.keys(settings)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      field: `settings.${name}`,
      detail: `Providers of type "${type}" have no such setting.`,
    }));
}

/** Why a provider cannot serve with its settings, where that is known before it is tried. */
export function checkSettings(
  type: ModelProviderType,
  settings: StoredSettings,
  baseUrl: string,
): readonly Validation[] {
  if (isOfBedrock(type, settings)) {
    return bedrockMistakes(settings, baseUrl).map(({ setting, message }) => ({
      field: `settings.${setting}`,
      detail: message,
    }));
  }
  return type === "bedrock" ? [{ field: "settings", detail: BEDROCK_UNCONFIGURED }] : [];
}

/** The settings decide that, never the address; and only of types that have such settings. */
export function isOfBedrock(type: ModelProviderType, settings: StoredSettings): boolean {
  const names = MODEL_PROVIDER_SETTING_NAMES[type] ?? [];
  return names.includes("region") && isBedrockConfigured(settings);
}

export const BEDROCK_UNCONFIGURED =
  "bedrock needs at least a region, an access key, a profile, a role or a bearer token";

/** What is stored of new or changed settings. */
export function mergeSettings(
  stored: StoredSettings,
  patch: ModelProviderSettingsPatch,
  random: Random,
): StoredSettings {
  return withExternalId(settledSettings(stored, patch), random);
}

/**
 * Absent settings stay, null and an empty text take one away, models that are not named become the
 * default ones. Empty ones are not stored.
 */
export function settledSettings(
  stored: StoredSettings,
  patch: ModelProviderSettingsPatch,
): StoredSettings {
  const merged: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...stored, ...present(patch) })) {
    if (typeof value === "string" && value !== "") merged[name] = value;
  }
  return withModels(STORED.parse(merged), patch);
}

function present(patch: ModelProviderSettingsPatch): Record<string, string | null> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string | null>; // Undefined ones are out.
}

/** Written down at once, so that a later version's other defaults change nobody's models. */
function withModels(settings: StoredSettings, patch: ModelProviderSettingsPatch): StoredSettings {
  if (!isBedrockConfigured(settings)) return settings;
  const { model, small_fast_model: small } = BEDROCK_DEFAULT_MODELS;
  return {
    ...(patch.model === undefined ? { model } : {}),
    ...(patch.small_fast_model === undefined ? { small_fast_model: small } : {}),
    ...settings,
  };
}

/** It stays the same while there is a role: the role's trust policy names it. */
function withExternalId(settings: StoredSettings, random: Random): StoredSettings {
  const { external_id: externalId, ...others } = settings;
  if (settings.role_arn === undefined) return others;
  return { ...others, external_id: externalId ?? random.uuid() };
}

/** Null: there is nothing to keep. */
export function sealSettings(
  vault: Vault,
  providerId: string,
  settings: StoredSettings,
): Uint8Array | null {
  if (Object.keys(settings).length === 0) return null;
  return vault.seal(JSON.stringify(settings), sealedAt(SETTINGS_COLUMN, providerId));
}

/** Throws a VaultError when this server cannot open them. */
export function openSettings(vault: Vault, { id, sealedSettings }: SealedSettings): StoredSettings {
  if (sealedSettings === null) return {};
  const text = vault.open(sealedSettings, sealedAt(SETTINGS_COLUMN, id)).reveal();
  return STORED.parse(JSON.parse(text));
}

/** None where they cannot be opened: the snapshot reports that, and new ones can be entered. */
export function settingsOrNone(vault: Vault, provider: SealedSettings): StoredSettings {
  try {
    return openSettings(vault, provider);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return {};
  }
}

export type ShownSettings = {
  readonly plain: Omit<StoredSettings, SecretName>;
  readonly masked: Partial<Record<SecretName, string>>;
};

export function showSettings(settings: StoredSettings): ShownSettings {
  const entries = Object.entries(settings);
  const secrets = entries.filter(([name]) => isSecret(name));
  return {
    plain: Object.fromEntries(entries.filter(([name]) => !isSecret(name))),
    masked: Object.fromEntries(secrets.map(([name, value = ""]) => [name, maskCredential(value)])),
  };
}

/** Of secret ones, only that they changed. */
export function diffSettings(before: StoredSettings, after: StoredSettings): AuditDiff {
  const names = Object.keys({ ...before, ...after }) as (keyof StoredSettings)[]; // Its own names.
  const changed = names.filter((name) => before[name] !== after[name]);
  return Object.fromEntries(
    changed.map((name) => [
      name,
      isSecret(name)
        ? { secret: true as const }
        : { old: before[name] ?? null, new: after[name] ?? null },
    ]),
  );
}

type SecretName = (typeof SECRET_MODEL_PROVIDER_SETTINGS)[number];

function isSecret(name: string): name is SecretName & ModelProviderSettingName {
  return (SECRET_MODEL_PROVIDER_SETTINGS as readonly string[]).includes(name);
}
