/** People's own provider keys over HTTP: libs/contract/src/http/ai-user-keys.ts. */
import { assert } from "@atelier/base/assert";
import { ok } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { keyPolicyHere, mayCentralServe } from "@atelier/contract/chat/provider-key-choice";
import * as contract from "@atelier/contract/http/ai-user-keys";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import {
  dropUserProviderKey,
  readUserProviderKeys,
  setUserProviderKey,
  type UserProviderKeyDeps,
} from "./user-provider-key-actions.ts";
import type { UserProviderKey } from "./user-provider-key.ts";

export function userProviderKeyRoutes(deps: UserProviderKeyDeps): Route[] {
  return [
    route(contract.listUserProviderKeys, async ({ subjectId }) => {
      const keys = await readUserProviderKeys(deps, subjectOf(subjectId));
      const { isByokAllowed: byok_enabled } = deps;
      return ok({
        provider_keys: keys.map((key) => toWire(key, deps)),
        count: keys.length,
        byok_enabled,
      });
    }),

    route(contract.setUserProviderKey, async ({ actor, audit, subjectId, params, body }) => {
      const { provider } = params;
      const wanted = { userId: subjectOf(subjectId), provider, secret: new Secret(body.api_key) };
      const set = await setUserProviderKey(deps, { actor, audit }, wanted);
      return set.ok ? ok(toWire(set.value, deps)) : set;
    }),

    route(contract.deleteUserProviderKey, ({ audit, subjectId, params }) =>
      dropUserProviderKey(deps, audit, {
        userId: subjectOf(subjectId),
        provider: params.provider,
      }),
    ),
  ];
}

function subjectOf(subjectId: string | null): string {
  assert(subjectId !== null, "the edge resolves `:user`");
  return subjectId;
}

function toWire(
  { provider, key }: UserProviderKey,
  { isByokAllowed }: Pick<UserProviderKeyDeps, "isByokAllowed">,
): z.input<typeof contract.UserProviderKey> {
  const policy = keyPolicyHere(provider.keyPolicy, isByokAllowed);
  return {
    provider_id: provider.id,
    provider_name: provider.name,
    provider_display_name: provider.displayName,
    provider_type: provider.type,
    provider_enabled: provider.enabled,
    allow_user_api_key: policy.areUserKeysAllowed,
    user_api_key_required: policy.areUserKeysAllowed && !mayCentralServe(policy),
    is_set: key !== null,
    masked: key?.masked ?? null,
    created_at: key?.createdAt.toISOString() ?? null,
    updated_at: key?.updatedAt.toISOString() ?? null,
  };
}
