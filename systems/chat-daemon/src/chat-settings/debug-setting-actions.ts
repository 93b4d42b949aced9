/** Whose model calls are recorded, and for how long that is kept: the settings, and deciding them. */
import { fail, ok } from "@atelier/base/result";
import { CHAT_DEBUG_DAYS_DEFAULT } from "@atelier/contract/http/chat-debug-settings";
import type { CHAT_SETTING_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { ServiceRequest } from "@atelier/contract/rpc/endpoint-service";
import type { ChatSettingDeps } from "./chat-setting-deps.ts";
import {
  getSetting,
  listUserSettings,
  putSetting,
  putUserSetting,
  type TurnSettingRows,
} from "./chat-setting-store.ts";
import { areCallsRecorded, DEBUG_LOGGING, timeOfDays, type DebugChoices } from "./chat-settings.ts";

/** Whether the model calls of this person's chats are recorded. */
export async function areCallsRecordedOf(deps: ChatSettingDeps, ownerId: string): Promise<boolean> {
  return deps.options.isDebugForced || areCallsRecorded(await choicesOf(deps, ownerId));
}

/** From what the statement that reads a chat reads besides. */
export function areCallsOfTurnRecorded(
  { allowsDebug, own }: TurnSettingRows,
  isForced: boolean,
): boolean {
  return areCallsRecorded({ isForced, isAllowed: allowsDebug, chosen: own.get(DEBUG_LOGGING) });
}

/** Null: recorded calls are kept for ever. */
export async function debugRetentionSetting({ database }: ChatSettingDeps): Promise<number | null> {
  const days = await getSetting(database.sql, "debug_retention_days");
  return timeOfDays(days ?? CHAT_DEBUG_DAYS_DEFAULT, null);
}

type SettingEndpoints = typeof CHAT_SETTING_ENDPOINTS;
type Of<Name extends keyof SettingEndpoints> = ServiceRequest<SettingEndpoints[Name]>;

export function debugSettings(deps: ChatSettingDeps) {
  const { database, clock, options } = deps;
  const { sql } = database;
  return {
    getChatDebugLogging: async () =>
      ok({
        allow_users: await getSetting(sql, "debug_logging"),
        forced_by_deployment: options.isDebugForced,
      }),
    putChatDebugLogging: async ({ body, audit }: Of<"putChatDebugLogging">) => {
      audit.attempted({ resourceId: null, target: "debug_logging" });
      await putSetting(sql, "debug_logging", body.allow_users, clock.now());
      return ok(undefined);
    },
    getChatDebugRetentionDays: async () => {
      const days = await getSetting(sql, "debug_retention_days");
      const shown = days ?? CHAT_DEBUG_DAYS_DEFAULT;
      return ok({ debug_retention_days: shown, is_set: days !== null });
    },
    putChatDebugRetentionDays: async ({ body, audit }: Of<"putChatDebugRetentionDays">) => {
      audit.attempted({ resourceId: null, target: "debug_retention_days" });
      await putSetting(sql, "debug_retention_days", body.debug_retention_days, clock.now());
      return ok(undefined);
    },
    getChatUserDebugLogging: async ({ caller }: Of<"getChatUserDebugLogging">) =>
      ok(toWire(await choicesOf(deps, caller.userId))),
    putChatUserDebugLogging: async ({ caller, body, audit }: Of<"putChatUserDebugLogging">) => {
      audit.attempted({ resourceId: null, target: DEBUG_LOGGING });
      const choices = await choicesOf(deps, caller.userId);
      if (choices.isForced) return fail({ code: "chat_debug.forced" as const });
      if (!choices.isAllowed) return fail({ code: "chat_debug.not_allowed" as const });
      const setting = { userId: caller.userId, key: DEBUG_LOGGING, value: body.enabled };
      await putUserSetting(sql, setting, clock.now());
      return ok(toWire({ ...choices, chosen: body.enabled }));
    },
  };
}

async function choicesOf(
  { database, options }: ChatSettingDeps,
  userId: string,
): Promise<DebugChoices> {
  const [isAllowed, own] = await Promise.all([
    getSetting(database.sql, "debug_logging"),
    listUserSettings(database.sql, userId),
  ]);
  return { isForced: options.isDebugForced, isAllowed, chosen: own.get(DEBUG_LOGGING) };
}

function toWire({ isForced, isAllowed, chosen }: DebugChoices) {
  return { enabled: chosen === true, allowed: isAllowed, forced_by_deployment: isForced };
}
