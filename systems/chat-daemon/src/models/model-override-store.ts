/** Which models serve certain work in place of a chat's own, for all and for single people, in Postgres. */
import type { ModelOverrideContext } from "@atelier/contract/http/chat-models";
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";
import type { StoredOverride, StoredUserOverride } from "./model-override.ts";

export async function listOverrides(
  sql: Sql,
  organizationId: string,
): Promise<readonly StoredOverride[]> {
  const { rows } = await text<StoredOverride>`
    select context, model_config_id as "modelConfigId", reasoning_effort as effort
    from chat_model_overrides
    where organization_id = ${organizationId}
    order by context`.execute(sql);
  return rows;
}

/** As JSON, all of the organization of the chat `chats`. */
export const TURN_OVERRIDES_TEXT = `(
  select coalesce(json_agg(json_build_object('context', context, 'modelConfigId', model_config_id,
    'effort', reasoning_effort) order by context), '[]')
  from chat_model_overrides as overrides
  where overrides.organization_id = chats.organization_id)`;

export async function upsertOverride(
  sql: Sql,
  organizationId: string,
  { context, modelConfigId, effort }: StoredOverride,
): Promise<void> {
  await text`
    insert into chat_model_overrides (organization_id, context, model_config_id, reasoning_effort)
    values (${organizationId}, ${context}, ${modelConfigId}, ${effort})
    on conflict (organization_id, context) do update
    set model_config_id = excluded.model_config_id,
      reasoning_effort = excluded.reasoning_effort`.execute(sql);
}

export async function deleteOverride(
  sql: Sql,
  organizationId: string,
  context: ModelOverrideContext,
): Promise<void> {
  await text`
    delete from chat_model_overrides
    where organization_id = ${organizationId} and context = ${context}`.execute(sql);
}

export async function listUserOverrides(
  sql: Sql,
  { userId, organizationId }: { readonly userId: string; readonly organizationId: string },
): Promise<readonly StoredUserOverride[]> {
  const { rows } = await text<StoredUserOverride>`
    select context, mode, model_config_id as "modelConfigId", reasoning_effort as effort
    from chat_user_model_overrides
    where user_id = ${userId} and organization_id = ${organizationId}
    order by context`.execute(sql);
  return rows;
}

export async function upsertUserOverride(
  sql: Sql,
  { userId, organizationId }: { readonly userId: string; readonly organizationId: string },
  { context, mode, modelConfigId, effort }: StoredUserOverride,
): Promise<void> {
  await text`
    insert into chat_user_model_overrides (
      user_id, organization_id, context, mode, model_config_id, reasoning_effort)
    values (${userId}, ${organizationId}, ${context}, ${mode}, ${modelConfigId}, ${effort})
    on conflict (user_id, organization_id, context) do update
    set mode = excluded.mode, model_config_id = excluded.model_config_id,
      reasoning_effort = excluded.reasoning_effort`.execute(sql);
}

/** People who had chosen the model get what everybody gets. */
export async function deleteUserOverridesOf(sql: Sql, modelConfigId: string): Promise<void> {
  await text`
    delete from chat_user_model_overrides where model_config_id = ${modelConfigId}`.execute(sql);
}
