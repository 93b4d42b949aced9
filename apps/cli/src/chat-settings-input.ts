/** The settings of all chats, as the command line reads and says them. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  CHAT_DAYS_MAX,
  getChatAutoArchiveDays,
  getChatComputerUseProvider,
  getChatPersonalModelOverrides,
  getChatRetentionDays,
} from "@atelier/contract/http/chat-settings";
import {
  getChatDebugLogging,
  getChatDebugRetentionDays,
} from "@atelier/contract/http/chat-debug-settings";
import { usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Api } from "./cli.ts";

export type ChatDays = { readonly days: number; readonly is_set: boolean };
export type ChatSettings = {
  readonly auto_archive: ChatDays;
  readonly retention: ChatDays;
  readonly computer_use_provider: string;
  /** Whether people choose models for their own chats. */
  readonly personal_models: boolean;
  /** Whether people may have the model calls of their chats recorded, and how long that is kept. */
  readonly debug_logging: { readonly allow_users: boolean; readonly forced_by_deployment: boolean };
  readonly debug_retention: ChatDays;
};

export async function readChatSettings(api: Api): Promise<Result<ChatSettings, CliFailure>> {
  const archive = await api.call(getChatAutoArchiveDays, {});
  if (!archive.ok) return archive;
  const kept = await api.call(getChatRetentionDays, {});
  if (!kept.ok) return kept;
  const desktop = await api.call(getChatComputerUseProvider, {});
  if (!desktop.ok) return desktop;
  const personal = await api.call(getChatPersonalModelOverrides, {});
  if (!personal.ok) return personal;
  const debug = await api.call(getChatDebugLogging, {});
  if (!debug.ok) return debug;
  const debugKept = await api.call(getChatDebugRetentionDays, {});
  if (!debugKept.ok) return debugKept;
  const { debug_retention_days: debugDays, is_set: areDaysSet } = debugKept.value;
  return ok({
    auto_archive: { days: archive.value.auto_archive_days, is_set: archive.value.is_set },
    retention: { days: kept.value.retention_days, is_set: kept.value.is_set },
    computer_use_provider: desktop.value.provider,
    personal_models: personal.value.allow_users,
    debug_logging: debug.value,
    debug_retention: { days: debugDays, is_set: areDaysSet },
  });
}

/** Undefined: not given. Null: what the server's option says. */
export function parseDays(
  option: string,
  text: string | undefined,
): Result<number | null | undefined, CliFailure> {
  if (text === undefined) return ok(undefined);
  if (text === "default") return ok(null);
  const days = /^\d{1,4}$/.test(text) ? Number(text) : CHAT_DAYS_MAX + 1;
  return days <= CHAT_DAYS_MAX
    ? ok(days)
    : fail(usageFailure(`${option}: a whole number from 0 to ${CHAT_DAYS_MAX}, or default.`));
}
