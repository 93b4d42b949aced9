/** Settings of chats in Postgres. */
import type { Sql } from "@atelier/database/database";
import {
  CHAT_SETTING_DEFAULTS,
  CHAT_SETTINGS,
  type ChatSettingKey,
  type ChatSettingValue,
} from "./chat-settings.ts";

export async function getSetting<Key extends ChatSettingKey>(
  db: Sql,
  key: Key,
): Promise<ChatSettingValue<Key>> {
  const row = await db
    .selectFrom("chat_settings")
    .select("value")
    .where("key", "=", key)
    .executeTakeFirst();
  return toSetting(key, row?.value);
}

export type TurnSettingRows = {
  readonly planInstructions: ChatSettingValue<"plan_instructions">;
  readonly advisor: ChatSettingValue<"advisor">;
  readonly allowsDebug: ChatSettingValue<"debug_logging">;
  /** All of the person. */
  readonly own: ReadonlyMap<string, unknown>;
};

/** As JSON what a turn of the chat `chats` goes by: the deployment's settings, and all of its owner. */
export const TURN_SETTINGS_TEXT = `(
  select coalesce(json_agg(settings), '[]') from (
    select key, value, false as is_own from chat_settings
      where key in ('plan_instructions', 'advisor', 'debug_logging')
    union all
    select key, value, true from chat_user_settings where user_id = chats.owner_id
  ) as settings)`;

/** Another one whenever models, settings or tool servers may have changed: each of their tables sees to that. */
export const TURN_SETTINGS_VERSION_TEXT = "(select version::text from chat_turn_settings_version)";

export function toTurnSettings(json: unknown): TurnSettingRows {
  const rows = json as readonly SettingRow[]; // As selected.
  const deployment = new Map(rows.filter((row) => !row.is_own).map(toEntry));
  return {
    planInstructions: toSetting("plan_instructions", deployment.get("plan_instructions")),
    advisor: toSetting("advisor", deployment.get("advisor")),
    allowsDebug: toSetting("debug_logging", deployment.get("debug_logging")),
    own: new Map(rows.filter((row) => row.is_own).map(toEntry)),
  };
}

type SettingRow = { readonly key: string; readonly value: unknown; readonly is_own: boolean };

function toEntry({ key, value }: SettingRow): readonly [string, unknown] {
  return [key, value];
}

function toSetting<Key extends ChatSettingKey>(key: Key, value: unknown): ChatSettingValue<Key> {
  if (value === undefined) return CHAT_SETTING_DEFAULTS[key];
  return CHAT_SETTINGS[key].parse(value) as ChatSettingValue<Key>;
}

export async function putSetting<Key extends ChatSettingKey>(
  db: Sql,
  key: Key,
  value: ChatSettingValue<Key>,
  at: Date,
): Promise<void> {
  const row = { value: JSON.stringify(value), updated_at: at };
  await db
    .insertInto("chat_settings")
    .values({ key, ...row })
    .onConflict((conflict) => conflict.column("key").doUpdateSet(row))
    .execute();
}

export async function listUserSettings(
  db: Sql,
  userId: string,
): Promise<ReadonlyMap<string, unknown>> {
  const rows = await db
    .selectFrom("chat_user_settings")
    .select(["key", "value"])
    .where("user_id", "=", userId)
    .orderBy("key")
    .execute();
  return new Map(rows.map(({ key, value }) => [key, value]));
}

export async function putUserSetting(
  db: Sql,
  setting: { readonly userId: string; readonly key: string; readonly value: unknown },
  at: Date,
): Promise<void> {
  const { userId, key, value } = setting;
  const row = { value: JSON.stringify(value), updated_at: at };
  await db
    .insertInto("chat_user_settings")
    .values({ user_id: userId, key, ...row })
    .onConflict((conflict) => conflict.columns(["user_id", "key"]).doUpdateSet(row))
    .execute();
}

/** Whether there was one. */
export async function deleteUserSetting(db: Sql, userId: string, key: string): Promise<boolean> {
  const result = await db
    .deleteFrom("chat_user_settings")
    .where("user_id", "=", userId)
    .where("key", "=", key)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
