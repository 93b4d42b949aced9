/** Settings of chats: their names, what each holds, and what holds where nobody decided. */
import { COMPUTER_USE_PROVIDERS } from "@atelier/contract/http/chat-settings";
import { z } from "zod";

/** Of administrators, for everybody. */
export const CHAT_SETTINGS = {
  system_prompt: z.object({ text: z.string(), includesDefault: z.boolean() }),
  plan_instructions: z.string(),
  advisor: z.object({ isEnabled: z.boolean(), usesMax: z.int(), outputTokensMax: z.int() }),
  computer_use_provider: z.enum(COMPUTER_USE_PROVIDERS),
  /** Whether people choose models for their own chats. */
  personal_model_overrides: z.boolean(),
  /** Null: the server's option holds. */
  auto_archive_days: z.int().nullable(),
  retention_days: z.int().nullable(),
  /** Whether people may have the model calls of their chats recorded. */
  debug_logging: z.boolean(),
  /** Null: the usual time. */
  debug_retention_days: z.int().nullable(),
} as const;
export type ChatSettingKey = keyof typeof CHAT_SETTINGS;
export type ChatSettingValue<Key extends ChatSettingKey> = z.output<(typeof CHAT_SETTINGS)[Key]>;

export const CHAT_SETTING_DEFAULTS: { readonly [Key in ChatSettingKey]: ChatSettingValue<Key> } = {
  system_prompt: { text: "", includesDefault: true },
  plan_instructions: "",
  // The size is the specification's (spec agents 7.4).
  advisor: { isEnabled: false, usesMax: 0, outputTokensMax: 16_384 },
  computer_use_provider: "anthropic",
  personal_model_overrides: true,
  auto_archive_days: null,
  retention_days: null,
  debug_logging: false,
  debug_retention_days: null,
};

const DAY_MS = 86_400_000;

/** Null: never. A setting goes before the server's option, which is null where it is never. */
export function timeOfDays(days: number | null, optionMs: number | null): number | null {
  if (days === null) return optionMs;
  return days === 0 ? null : days * DAY_MS;
}

export function daysOfTime(timeMs: number | null): number {
  return timeMs === null ? 0 : Math.ceil(timeMs / DAY_MS);
}

export const CUSTOM_PROMPT = "custom_prompt";
export const DEBUG_LOGGING = "debug_logging";
/** Three layers: the deployment's option, then administrators, then people for their own chats. */
export type DebugChoices = {
  readonly isForced: boolean;
  readonly isAllowed: boolean;
  /** As the person's setting is stored. */
  readonly chosen: unknown;
};

export function areCallsRecorded({ isForced, isAllowed, chosen }: DebugChoices): boolean {
  return isForced || (isAllowed && chosen === true);
}

const THRESHOLD = "compaction_threshold_percent:";

export function thresholdKey(modelConfigId: string): string {
  return THRESHOLD + modelConfigId;
}

/** Null: the key is of something else. */
export function modelOfThresholdKey(key: string): string | null {
  return key.startsWith(THRESHOLD) ? key.slice(THRESHOLD.length) : null;
}
