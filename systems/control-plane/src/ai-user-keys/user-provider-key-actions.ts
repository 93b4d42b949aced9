/**
 * People's own provider keys. Only the person sets theirs: administrators see that there is one, and
 * may take it away. Nobody reads one back. Each change commits with its audit entry.
 */
import type { Clock } from "@atelier/base/clock";
import { maskCredential } from "@atelier/base/mask";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import { ProviderAuth, type ProviderAuthSource } from "@atelier/contract/rpc/model-transport";
import type { Database, Sql } from "@atelier/database/database";
import type { Actor } from "../access/actor.ts";
import { parseModelProviderRef } from "../ai-providers/model-provider.ts";
import type { AuditEntry, AuditTrail } from "../audit/audit-trail.ts";
import { assertMaySeal } from "../vault/encryption-key-actions.ts";
import type { Vault } from "../vault/vault.ts";
import type { BriefMemory } from "./brief-memory.ts";
import {
  deleteUserProviderKey,
  findSealedUserKey,
  findUserProviderKey,
  holdUserAndProvider,
  listUserProviderKeys,
  upsertUserProviderKey,
} from "./user-provider-key-store.ts";
import { userKeySealedAt, type UserProviderKey } from "./user-provider-key.ts";

export type UserProviderKeyDeps = {
  readonly database: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Whether people's own keys may serve at all. */
  readonly isByokAllowed: boolean;
  /** For which providers people have no key. */
  readonly keyless: BriefMemory<Uint8Array | undefined>;
};

/** Whose key, and for which provider as a path names it. */
export type UserProviderKeyRef = { readonly userId: string; readonly provider: string };

type NotFound = Failure<"resource.not_found">;

export function readUserProviderKeys(
  { database }: UserProviderKeyDeps,
  userId: string,
): Promise<readonly UserProviderKey[]> {
  return database.readOnlyTransaction((sql) => listUserProviderKeys(sql, userId));
}

type SetKey = Result<UserProviderKey, Failure<"ai_user_key.byok_disabled"> | NotFound>;

export async function setUserProviderKey(
  deps: UserProviderKeyDeps,
  { actor, audit }: { readonly actor: Actor; readonly audit: AuditTrail },
  wanted: UserProviderKeyRef & { readonly secret: Secret },
): Promise<SetKey> {
  const { userId, secret } = wanted;
  // It would pay for what somebody else asks: nobody sets one for another, whatever their roles.
  if (userId !== actor.userId) return fail({ code: "resource.not_found" });
  if (!deps.isByokAllowed) return fail({ code: "ai_user_key.byok_disabled" });
  const set = await deps.database.transaction<SetKey>(async (sql) => {
    const found = await find(sql, audit, wanted);
    if (!found.ok) return found;
    const { provider, key: before } = found.value;
    if (!provider.keyPolicy.areUserKeysAllowed) {
      const detail = `For ${provider.name} only the company's keys serve.`;
      return fail({ code: "ai_user_key.byok_disabled", detail });
    }
    const id = { userId, providerId: provider.id };
    if (!(await holdUserAndProvider(sql, id))) return fail({ code: "resource.not_found" });
    await assertMaySeal(sql, deps.vault);
    const updatedAt = deps.clock.now();
    const masked = maskCredential(secret.reveal());
    const sealed = deps.vault.seal(secret.reveal(), userKeySealedAt(id));
    await upsertUserProviderKey(sql, id, { sealed, masked, updatedAt });
    const key = { masked, createdAt: before?.createdAt ?? updatedAt, updatedAt };
    const change = { old: before?.masked ?? null, new: masked };
    await audit.record(sql, entryOf({ userId, provider }, change));
    return ok({ provider, key });
  });
  deps.keyless.forget();
  return set;
}

/** Also while people's own keys may not serve: nobody keeps one that is of no use against its will. */
export async function dropUserProviderKey(
  deps: UserProviderKeyDeps,
  audit: AuditTrail,
  ref: UserProviderKeyRef,
): Promise<Result<undefined, NotFound>> {
  const { userId } = ref;
  return deps.database.transaction(async (sql) => {
    const found = await find(sql, audit, ref);
    if (!found.ok) return found;
    const { provider, key } = found.value;
    const isDropped = await deleteUserProviderKey(sql, { userId, providerId: provider.id });
    if (key === null || !isDropped) return fail({ code: "resource.not_found" });
    await audit.record(sql, entryOf({ userId, provider }, { old: key.masked, new: null }));
    return ok(undefined);
  });
}

/**
 * See ProviderAuthSource. A key is read anew each time: one that was taken away serves no more. That there
 * is none is remembered for a moment.
 */
export function providerAuthSource(deps: UserProviderKeyDeps): ProviderAuthSource {
  return {
    authOf: async (userId, { id: providerId, type }) => {
      if (!deps.isByokAllowed) return ProviderAuth.none;
      const id = { userId, providerId };
      const sealed = await deps.keyless.get(
        `${userId}/${providerId}`,
        () => findSealedUserKey(deps.database.sql, id),
        (found) => found === undefined,
      );
      if (sealed === undefined) return ProviderAuth.none;
      return ProviderAuth.ownKey(type, deps.vault.open(sealed, userKeySealedAt(id)));
    },
  };
}

async function find(
  sql: Sql,
  audit: AuditTrail,
  { userId, provider }: UserProviderKeyRef,
): Promise<Result<UserProviderKey, NotFound>> {
  audit.attempted({ resourceId: null, target: provider });
  const ref = parseModelProviderRef(provider);
  const found = ref === null ? undefined : await findUserProviderKey(sql, userId, ref);
  if (found === undefined) return fail({ code: "resource.not_found" });
  audit.attempted({ resourceId: found.provider.id, target: found.provider.name });
  return ok(found);
}

function entryOf(
  { userId, provider }: { readonly userId: string; readonly provider: UserProviderKey["provider"] },
  masked: { readonly old: string | null; readonly new: string | null },
): AuditEntry {
  const { id, name } = provider;
  return {
    resourceId: id,
    target: masked.new ?? masked.old ?? "",
    diff: { api_key: { secret: true }, masked },
    additionalFields: { user_id: userId, provider_id: id, provider_name: name },
  };
}
