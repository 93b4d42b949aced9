/**
 * Acting on single keys of a model provider: out of service and back, and their order, which are stored,
 * and another try, which is only a message to every server. Each commits with its audit entry.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import type { AuditEntry, AuditTrail } from "../audit/audit-trail.ts";
import {
  announce,
  findForChange,
  reported,
  type ModelProviderDeps,
  type ReportedProvider,
} from "./model-provider-actions.ts";
import {
  orderModelProviderKeys,
  updateModelProvider,
  updateModelProviderKey,
} from "./model-provider-store.ts";
import { timeOfChange, type ModelProvider, type ModelProviderKey } from "./model-provider.ts";
import {
  formatProviderKeyReset,
  PROVIDER_KEY_RESET,
  type ProviderKeyReset,
} from "./provider-key-reset.ts";

/** What a path names. */
export type ProviderKeyRef = { readonly provider: string; readonly key: string };

type NoSuchKey = Failure<"request.invalid" | "resource.not_found">;

/** A key that comes back is tried again everywhere, whatever was wrong with it before. */
export async function switchProviderKey(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  { ref, isEnabled }: { readonly ref: ProviderKeyRef; readonly isEnabled: boolean },
): Promise<Result<ReportedProvider, NoSuchKey>> {
  const switched = await deps.database.transaction(async (sql) => {
    const found = await findKeyForChange(sql, audit, ref);
    if (!found.ok) return found;
    const { provider, key } = found.value;
    const now = deps.clock.now();
    const disabledAt = isEnabled ? null : (key.disabledAt ?? now);
    const keys = provider.keys.map((each) => (each === key ? { ...each, disabledAt } : each));
    const after: ModelProvider = { ...provider, keys, updatedAt: timeOfChange(provider, now) };
    await updateModelProviderKey(sql, provider.id, { id: key.id, disabledAt });
    await updateModelProvider(sql, after);
    const wasEnabled = key.disabledAt === null;
    const diff = wasEnabled === isEnabled ? {} : { enabled: { old: wasEnabled, new: isEnabled } };
    await audit.record(sql, { ...entryOf(found.value), diff });
    await announce(sql);
    const reset = isEnabled && !wasEnabled ? await publishReset(sql, found.value) : null;
    return ok({ after, reset });
  });
  if (!switched.ok) return switched;
  const { after, reset } = switched.value;
  if (reset !== null) deps.health.resetKey(reset.providerId, reset.keyId);
  await deps.status.refresh();
  return ok(reported(deps, after));
}

/** Of exactly the keys that there are: with one more or less, somebody changed the provider meanwhile. */
export async function orderProviderKeys(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  { ref, keyIds }: { readonly ref: string; readonly keyIds: readonly string[] },
): Promise<Result<ReportedProvider, NoSuchKey | Failure<"ai_provider.changed_meanwhile">>> {
  audit.attempted({ resourceId: null, target: ref });
  const ordered = await deps.database.transaction(async (sql) => {
    const found = await findForChange(sql, ref);
    if (!found.ok) return found;
    const before = found.value;
    audit.attempted({ resourceId: before.id, target: before.name });
    const wanted = keyIds.map((id) => id.toLowerCase());
    const keys = wanted.flatMap((id) => before.keys.filter((key) => key.id === id));
    if (keys.length !== wanted.length || keys.length !== before.keys.length) {
      return fail({ code: "ai_provider.changed_meanwhile" as const });
    }
    const updatedAt = timeOfChange(before, deps.clock.now());
    const after: ModelProvider = { ...before, keys, updatedAt };
    await orderModelProviderKeys(sql, before.id, wanted);
    await updateModelProvider(sql, after);
    const orderOf = (list: readonly ModelProviderKey[]): string[] => list.map(({ id }) => id);
    const diff = { key_order: { old: orderOf(before.keys), new: orderOf(keys) } };
    await audit.record(sql, { resourceId: before.id, target: before.name, diff });
    await announce(sql);
    return ok(after);
  });
  if (!ordered.ok) return ordered;
  await deps.status.refresh();
  return ok(reported(deps, ordered.value));
}

/** On this server it holds when the answer is sent, on the others when the message reaches them. */
export async function resetProviderKey(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  ref: ProviderKeyRef,
): Promise<Result<undefined, NoSuchKey>> {
  const reset = await deps.database.transaction(async (sql) => {
    const found = await findKeyForChange(sql, audit, ref);
    if (!found.ok) return found;
    const entry = entryOf(found.value);
    const additionalFields = { ...entry.additionalFields, reset: true };
    await audit.record(sql, { ...entry, additionalFields });
    return ok(await publishReset(sql, found.value));
  });
  if (!reset.ok) return reset;
  deps.health.resetKey(reset.value.providerId, reset.value.keyId);
  return ok(undefined);
}

type FoundKey = { readonly provider: ModelProvider; readonly key: ModelProviderKey };

async function findKeyForChange(
  sql: Sql,
  audit: AuditTrail,
  ref: ProviderKeyRef,
): Promise<Result<FoundKey, NoSuchKey>> {
  audit.attempted({ resourceId: null, target: ref.key });
  const found = await findForChange(sql, ref.provider);
  if (!found.ok) return found;
  const key = found.value.keys.find(({ id }) => id === ref.key.toLowerCase());
  if (key === undefined) return fail({ code: "resource.not_found" });
  audit.attempted({ resourceId: key.id, target: key.masked });
  return ok({ provider: found.value, key });
}

/** Heard by the other servers when the transaction commits. */
async function publishReset(sql: Sql, { provider, key }: FoundKey): Promise<ProviderKeyReset> {
  const reset = { providerId: provider.id, keyId: key.id };
  await publish(sql, PROVIDER_KEY_RESET, formatProviderKeyReset(reset));
  return reset;
}

function entryOf({ provider, key }: FoundKey): AuditEntry {
  return {
    resourceId: key.id,
    target: key.masked,
    additionalFields: { provider_id: provider.id, provider_name: provider.name },
  };
}
