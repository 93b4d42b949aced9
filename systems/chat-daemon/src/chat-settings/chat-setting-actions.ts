/** What people and administrators decided, as a turn and a new chat go by it; and deciding it. */
import { fail, ok } from "@atelier/base/result";
import type { CHAT_SETTING_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService, ServiceRequest } from "@atelier/contract/rpc/endpoint-service";
import { BUILT_IN_PROMPT } from "../prompt/built-in-prompt.ts";
import { toPromptText } from "../prompt/system-layers.ts";
import type { ChatSettingDeps } from "./chat-setting-deps.ts";
import {
  deleteUserSetting,
  getSetting,
  listUserSettings,
  putSetting,
  putUserSetting,
  type TurnSettingRows,
} from "./chat-setting-store.ts";
import {
  CUSTOM_PROMPT,
  daysOfTime,
  modelOfThresholdKey,
  thresholdKey,
  timeOfDays,
  type ChatSettingValue,
} from "./chat-settings.ts";
import { debugSettings } from "./debug-setting-actions.ts";

/** What administrators have new chats told first. */
export async function systemPromptSetting({
  database,
}: Pick<ChatSettingDeps, "database">): Promise<{
  readonly text: string;
  readonly includesDefault: boolean;
}> {
  return getSetting(database.sql, "system_prompt");
}

/** Whose model works with a desktop. */
export function computerUseProviderSetting({
  database,
}: Pick<ChatSettingDeps, "database">): Promise<ChatSettingValue<"computer_use_provider">> {
  return getSetting(database.sql, "computer_use_provider");
}

export function personalModelsSetting({
  database,
}: Pick<ChatSettingDeps, "database">): Promise<boolean> {
  return getSetting(database.sql, "personal_model_overrides");
}

/** Null: idle chats are never archived. */
export async function autoArchiveSetting(deps: ChatSettingDeps): Promise<number | null> {
  const days = await getSetting(deps.database.sql, "auto_archive_days");
  return timeOfDays(days, deps.options.autoArchiveMs);
}

/** Null: archived chats are kept for ever. */
export async function retentionSetting(deps: ChatSettingDeps): Promise<number | null> {
  const days = await getSetting(deps.database.sql, "retention_days");
  return timeOfDays(days, deps.options.retentionMs);
}

export type DecidedForTurn = {
  readonly userPrompt: string;
  readonly planInstructions: string;
  /** Of the person, for this model. Null: the model's own. */
  readonly thresholdPercentOf: (modelConfigId: string) => number | null;
  /** Null: there is none. */
  readonly advisor: { readonly usesMax: number; readonly outputTokensMax: number } | null;
};

/** From what the statement that reads a chat reads besides. */
export function decidedForTurn({
  planInstructions,
  advisor,
  own,
}: TurnSettingRows): DecidedForTurn {
  const prompt = own.get(CUSTOM_PROMPT);
  return {
    userPrompt: typeof prompt === "string" ? prompt : "",
    planInstructions,
    thresholdPercentOf: (modelConfigId) => {
      const threshold = own.get(thresholdKey(modelConfigId));
      return typeof threshold === "number" ? threshold : null;
    },
    advisor: advisor.isEnabled ? advisor : null,
  };
}

type SettingEndpoints = typeof CHAT_SETTING_ENDPOINTS;
type Of<Name extends keyof SettingEndpoints> = ServiceRequest<SettingEndpoints[Name]>;

export function chatSettingService(deps: ChatSettingDeps): EndpointService<SettingEndpoints> {
  return {
    ...deploymentSettings(deps),
    ...lifeSettings(deps),
    ...debugSettings(deps),
    ...userSettings(deps),
  };
}

function deploymentSettings(deps: ChatSettingDeps) {
  const { database, clock } = deps;
  return {
    getChatSystemPrompt: async () => {
      const { text, includesDefault } = await getSetting(database.sql, "system_prompt");
      return ok({
        system_prompt: text,
        include_default_system_prompt: includesDefault,
        default_system_prompt: BUILT_IN_PROMPT,
      });
    },
    putChatSystemPrompt: async ({ body, audit }: Of<"putChatSystemPrompt">) => {
      audit.attempted({ resourceId: null, target: "system_prompt" });
      const value = {
        text: toPromptText(body.system_prompt),
        includesDefault: body.include_default_system_prompt,
      };
      await putSetting(database.sql, "system_prompt", value, clock.now());
      return ok(undefined);
    },
    getChatPlanInstructions: async () =>
      ok({ plan_mode_instructions: await getSetting(database.sql, "plan_instructions") }),
    putChatPlanInstructions: async ({ body, audit }: Of<"putChatPlanInstructions">) => {
      audit.attempted({ resourceId: null, target: "plan_instructions" });
      const text = toPromptText(body.plan_mode_instructions);
      await putSetting(database.sql, "plan_instructions", text, clock.now());
      return ok(undefined);
    },
    getChatAdvisor: async () => {
      const { isEnabled, usesMax, outputTokensMax } = await getSetting(database.sql, "advisor");
      return ok({
        enabled: isEnabled,
        max_uses_per_run: usesMax,
        max_output_tokens: outputTokensMax,
      });
    },
    putChatAdvisor: async ({ body, audit }: Of<"putChatAdvisor">) => {
      audit.attempted({ resourceId: null, target: "advisor" });
      const value = {
        isEnabled: body.enabled,
        usesMax: body.max_uses_per_run,
        outputTokensMax: body.max_output_tokens,
      };
      await putSetting(database.sql, "advisor", value, clock.now());
      return ok(undefined);
    },
  };
}

/** How long chats live, who chooses their models, and whose model works with a desktop. */
function lifeSettings(deps: ChatSettingDeps) {
  const { database, clock } = deps;
  const { sql } = database;
  return {
    getChatComputerUseProvider: async () =>
      ok({ provider: await computerUseProviderSetting(deps) }),
    putChatComputerUseProvider: async ({ body, audit }: Of<"putChatComputerUseProvider">) => {
      audit.attempted({ resourceId: null, target: "computer_use_provider" });
      await putSetting(sql, "computer_use_provider", body.provider, clock.now());
      return ok(undefined);
    },
    getChatPersonalModelOverrides: async () =>
      ok({ allow_users: await personalModelsSetting(deps) }),
    putChatPersonalModelOverrides: async ({ body, audit }: Of<"putChatPersonalModelOverrides">) => {
      audit.attempted({ resourceId: null, target: "personal_model_overrides" });
      await putSetting(sql, "personal_model_overrides", body.allow_users, clock.now());
      return ok(undefined);
    },
    getChatAutoArchiveDays: async () => {
      const isSet = (await getSetting(sql, "auto_archive_days")) !== null;
      return ok({ auto_archive_days: daysOfTime(await autoArchiveSetting(deps)), is_set: isSet });
    },
    putChatAutoArchiveDays: async ({ body, audit }: Of<"putChatAutoArchiveDays">) => {
      audit.attempted({ resourceId: null, target: "auto_archive_days" });
      await putSetting(sql, "auto_archive_days", body.auto_archive_days, clock.now());
      return ok(undefined);
    },
    getChatRetentionDays: async () => {
      const isSet = (await getSetting(sql, "retention_days")) !== null;
      return ok({ retention_days: daysOfTime(await retentionSetting(deps)), is_set: isSet });
    },
    putChatRetentionDays: async ({ body, audit }: Of<"putChatRetentionDays">) => {
      audit.attempted({ resourceId: null, target: "retention_days" });
      await putSetting(sql, "retention_days", body.retention_days, clock.now());
      return ok(undefined);
    },
  };
}

function userSettings({ database, clock }: ChatSettingDeps) {
  return {
    getChatUserPrompt: async ({ caller }: Of<"getChatUserPrompt">) => {
      const prompt = (await listUserSettings(database.sql, caller.userId)).get(CUSTOM_PROMPT);
      return ok({ custom_prompt: typeof prompt === "string" ? prompt : "" });
    },
    putChatUserPrompt: async ({ caller, body, audit }: Of<"putChatUserPrompt">) => {
      audit.attempted({ resourceId: null, target: CUSTOM_PROMPT });
      const value = toPromptText(body.custom_prompt);
      const setting = { userId: caller.userId, key: CUSTOM_PROMPT, value };
      await putUserSetting(database.sql, setting, clock.now());
      return ok({ custom_prompt: value });
    },
    listChatUserThresholds: async ({ caller }: Of<"listChatUserThresholds">) => {
      const own = await listUserSettings(database.sql, caller.userId);
      const thresholds = [...own].flatMap(([key, value]) => {
        const model = modelOfThresholdKey(key);
        return model !== null && typeof value === "number"
          ? [{ model_config_id: model, threshold_percent: value }]
          : [];
      });
      return ok({ thresholds });
    },
    putChatUserThreshold: async ({ caller, params, body, audit }: Of<"putChatUserThreshold">) => {
      const key = thresholdKey(params.modelConfig);
      audit.attempted({ resourceId: params.modelConfig, target: key });
      const setting = { userId: caller.userId, key, value: body.threshold_percent };
      await putUserSetting(database.sql, setting, clock.now());
      return ok({
        model_config_id: params.modelConfig,
        threshold_percent: body.threshold_percent,
      });
    },
    deleteChatUserThreshold: async ({ caller, params, audit }: Of<"deleteChatUserThreshold">) => {
      const key = thresholdKey(params.modelConfig);
      audit.attempted({ resourceId: params.modelConfig, target: key });
      return (await deleteUserSetting(database.sql, caller.userId, key))
        ? ok(undefined)
        : fail({ code: "resource.not_found" as const });
    },
  };
}
