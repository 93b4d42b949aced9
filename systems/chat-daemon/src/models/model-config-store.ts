/** The models for chats in Postgres. A deleted one stays, because messages name it, and is not found here. */
import type { Sql } from "@atelier/database/database";
import { sql as text, type RawBuilder } from "kysely";
import { parseStoredOptions, type ModelConfig } from "./model-config.ts";

/** Until the transaction ends, nobody else changes the organization's models. */
export async function lockModelConfigs(sql: Sql, organizationId: string): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('chat_model_configs'), hashtext(${organizationId}))`.execute(
    sql,
  );
}

/** Oldest first. */
export function listModelConfigs(sql: Sql, organizationId: string): Promise<ModelConfig[]> {
  return select(sql, text`organization_id = ${organizationId}`);
}

export async function findModelConfig(sql: Sql, id: string): Promise<ModelConfig | undefined> {
  return (await select(sql, text`id = ${id}`))[0];
}

export async function findDefaultModelConfig(
  sql: Sql,
  organizationId: string,
): Promise<ModelConfig | undefined> {
  return (await select(sql, text`organization_id = ${organizationId} and is_default`))[0];
}

/** Never as the default: that is set once all is stored. */
export async function insertModelConfig(
  sql: Sql,
  config: Omit<ModelConfig, "isDefault">,
  createdBy: string,
): Promise<void> {
  await text`
    insert into chat_model_configs (
      id, organization_id, ai_provider_id, provider, model, display_name, enabled, context_limit,
      compression_threshold, options, created_by, updated_by, created_at, updated_at
    )
    values (
      ${config.id}, ${config.organizationId}, ${config.aiProviderId}, ${config.provider},
      ${config.model}, ${config.displayName}, ${config.enabled}, ${config.contextLimit},
      ${config.compressionThreshold}, ${JSON.stringify(config.options)}, ${createdBy}, ${createdBy},
      ${config.createdAt}, ${config.updatedAt}
    )`.execute(sql);
}

export async function updateModelConfig(
  sql: Sql,
  config: Omit<ModelConfig, "isDefault" | "organizationId" | "createdAt">,
  updatedBy: string,
): Promise<void> {
  await text`
    update chat_model_configs
    set ai_provider_id = ${config.aiProviderId}, provider = ${config.provider},
      model = ${config.model}, display_name = ${config.displayName}, enabled = ${config.enabled},
      context_limit = ${config.contextLimit},
      compression_threshold = ${config.compressionThreshold},
      options = ${JSON.stringify(config.options)}, updated_by = ${updatedBy},
      updated_at = ${config.updatedAt}
    where id = ${config.id} and deleted_at is null`.execute(sql);
}

export async function deleteModelConfig(
  sql: Sql,
  id: string,
  { deletedAt, deletedBy }: { readonly deletedAt: Date; readonly deletedBy: string },
): Promise<void> {
  await text`
    update chat_model_configs
    set deleted_at = ${deletedAt}, updated_at = ${deletedAt}, updated_by = ${deletedBy},
      is_default = false
    where id = ${id} and deleted_at is null`.execute(sql);
}

/** In two statements: at no moment are there two defaults. */
export async function updateDefaultModelConfig(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<void> {
  await text`
    update chat_model_configs set is_default = false
    where organization_id = ${organizationId} and is_default and id <> ${id}`.execute(sql);
  await text`
    update chat_model_configs set is_default = true
    where id = ${id} and deleted_at is null and not is_default`.execute(sql);
}

async function select(sql: Sql, condition: RawBuilder<unknown>): Promise<ModelConfig[]> {
  const { rows } = await text<Row>`
    select ${text.raw(COLUMNS_TEXT)} from chat_model_configs
    where deleted_at is null and ${condition}
    order by created_at, id`.execute(sql);
  return rows.map((row) => ({ ...row, options: parseStoredOptions(row.options) }));
}

const COLUMNS_TEXT = `id, organization_id as "organizationId", ai_provider_id as "aiProviderId", provider,
  model, display_name as "displayName", enabled, is_default as "isDefault",
  context_limit as "contextLimit", compression_threshold as "compressionThreshold", options,
  created_at as "createdAt", updated_at as "updatedAt"`;

/** As JSON, those that a turn of the chat `chats` may want: its own, the default, and the summaries'. */
export const TURN_CONFIGS_TEXT = `(
  select coalesce(json_agg(configs), '[]') from (
    select ${COLUMNS_TEXT} from chat_model_configs
    where deleted_at is null and organization_id = chats.organization_id and (
      id = chats.last_model_config_id or is_default or id in (
        select model_config_id from chat_model_overrides as overrides
        where overrides.organization_id = chats.organization_id
          and overrides.context = 'compaction'))
  ) as configs)`;

/** One of `TURN_CONFIGS_TEXT`. */
export function toModelConfig(json: unknown): ModelConfig {
  const row = json as Row & { readonly createdAt: string; readonly updatedAt: string }; // As selected.
  return {
    ...row,
    options: parseStoredOptions(row.options),
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
  };
}

type Row = Omit<ModelConfig, "options"> & { readonly options: unknown };
