/** Which models serve certain work in place of a chat's own: for all, and for one's own chats. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ModelOverrideContext } from "@atelier/contract/http/chat-models";
import type { Failure } from "@atelier/contract/failures";
import type { Sql } from "@atelier/database/database";
import type { Change, ModelConfigDeps } from "./model-config-actions.ts";
import { findModelConfig, lockModelConfigs } from "./model-config-store.ts";
import {
  deleteOverride,
  listOverrides,
  listUserOverrides,
  upsertOverride,
  upsertUserOverride,
} from "./model-override-store.ts";
import type { StoredOverride, StoredUserOverride } from "./model-override.ts";

type Deps = Pick<ModelConfigDeps, "database">;
type Invalid = Failure<"request.invalid">;

export function readOverrides(
  { database }: Deps,
  organizationId: string,
): Promise<readonly StoredOverride[]> {
  return listOverrides(database.sql, organizationId);
}

/** A null model: the chat's own serves again. */
export async function setOverride(
  { database }: Deps,
  { audit }: Change,
  organizationId: string,
  wanted: Omit<StoredOverride, "modelConfigId"> & { readonly modelConfigId: string | null },
): Promise<Result<undefined, Invalid>> {
  const { context, modelConfigId, effort } = wanted;
  audit.attempted({ resourceId: modelConfigId, target: context });
  return database.transaction(async (sql) => {
    await lockModelConfigs(sql, organizationId);
    const before = await findOverride(sql, organizationId, context);
    if (modelConfigId === null) {
      await deleteOverride(sql, organizationId, context);
    } else {
      if (!(await isModelOf(sql, organizationId, modelConfigId))) return NO_SUCH_MODEL;
      await upsertOverride(sql, organizationId, { context, modelConfigId, effort });
    }
    await audit.record(sql, {
      resourceId: modelConfigId ?? before?.modelConfigId ?? null,
      target: context,
      before: before === undefined ? null : audited(before),
      after: modelConfigId === null ? null : audited({ modelConfigId, effort }),
    });
    return ok(undefined);
  });
}

export type Member = { readonly userId: string; readonly organizationId: string };

export function readUserOverrides(
  { database }: Deps,
  member: Member,
): Promise<readonly StoredUserOverride[]> {
  return listUserOverrides(database.sql, member);
}

export async function setUserOverride(
  {
    database,
    arePersonalModelsAllowed,
  }: Pick<ModelConfigDeps, "database" | "arePersonalModelsAllowed">,
  { audit }: Change,
  member: Member,
  wanted: StoredUserOverride,
): Promise<Result<undefined, Invalid | Failure<"chat_model.own_choice_off">>> {
  const { context, modelConfigId } = wanted;
  audit.attempted({ resourceId: modelConfigId, target: context });
  if (modelConfigId !== null && !(await arePersonalModelsAllowed())) {
    return fail({ code: "chat_model.own_choice_off" });
  }
  return database.transaction(async (sql) => {
    await lockModelConfigs(sql, member.organizationId);
    const all = await listUserOverrides(sql, member);
    const before = all.find((each) => each.context === context);
    const isFound =
      modelConfigId === null || (await isModelOf(sql, member.organizationId, modelConfigId));
    if (!isFound) return NO_SUCH_MODEL;
    await upsertUserOverride(sql, member, wanted);
    await audit.record(sql, {
      resourceId: modelConfigId,
      target: context,
      before: before === undefined ? null : { mode: before.mode, ...audited(before) },
      after: { mode: wanted.mode, ...audited(wanted) },
    });
    return ok(undefined);
  });
}

const NO_SUCH_MODEL = fail({
  code: "request.invalid",
  validations: [{ field: "model_config_id", detail: "There is no such model." }],
} as const);

async function findOverride(
  sql: Sql,
  organizationId: string,
  context: ModelOverrideContext,
): Promise<StoredOverride | undefined> {
  return (await listOverrides(sql, organizationId)).find((each) => each.context === context);
}

async function isModelOf(sql: Sql, organizationId: string, id: string): Promise<boolean> {
  return (await findModelConfig(sql, id))?.organizationId === organizationId;
}

function audited({
  modelConfigId,
  effort,
}: Pick<StoredUserOverride, "modelConfigId" | "effort">): Readonly<Record<string, unknown>> {
  return { model_config_id: modelConfigId, reasoning_effort: effort };
}
