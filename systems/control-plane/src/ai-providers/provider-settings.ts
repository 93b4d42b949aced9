/**
 * The settings of a model provider: which ones its type has, what a patch makes of them, and how they
 * are sealed. Spec: gateway 11.3, 11.4.
 */
import type { Validation } from "@atelier/contract/failures";
import {
  MODEL_PROVIDER_SETTING_NAMES,
  ModelProviderSettings,
  type ModelProviderSettingsPatch,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";
import { z } from "zod";
import { sealedAt } from "../vault/sealed-column.ts";
import { VaultError, type Vault } from "../vault/vault.ts";

export type SealedSettings = { readonly id: string; readonly sealedSettings: Uint8Array | null };

const SETTINGS_COLUMN = { name: "ai_providers/sealed_settings" } as const;

/** Not strict: another server's version may have stored settings that this one does not know. */
const STORED = z.object(ModelProviderSettings.shape);

/** One mistake for each setting that the type does not have. */
export function checkSettings(
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

/** Absent settings stay, null takes one away. */
export function mergeSettings(
  stored: ModelProviderSettings,
  { api_version: wanted }: ModelProviderSettingsPatch,
): ModelProviderSettings {
  const apiVersion = wanted === undefined ? stored.api_version : wanted;
  return apiVersion === undefined || apiVersion === null ? {} : { api_version: apiVersion };
}

/** Null: there is nothing to keep. */
export function sealSettings(
  vault: Vault,
  providerId: string,
  settings: ModelProviderSettings,
): Uint8Array | null {
  if (Object.keys(settings).length === 0) return null;
  return vault.seal(JSON.stringify(settings), sealedAt(SETTINGS_COLUMN, providerId));
}

/** Throws a VaultError when this server cannot open them. */
export function openSettings(
  vault: Vault,
  { id, sealedSettings }: SealedSettings,
): ModelProviderSettings {
  if (sealedSettings === null) return {};
  const text = vault.open(sealedSettings, sealedAt(SETTINGS_COLUMN, id)).reveal();
  return STORED.parse(JSON.parse(text));
}

/** None where they cannot be opened: the snapshot reports that, and new ones can be entered. */
export function settingsOrNone(vault: Vault, provider: SealedSettings): ModelProviderSettings {
  try {
    return openSettings(vault, provider);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return {};
  }
}
