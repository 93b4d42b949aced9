/** A person's own key with a model provider: what is known of it, and where it is sealed. */
import type { ProviderKeyPolicy } from "@atelier/contract/chat/provider-key-choice";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { SealedColumn } from "../vault/sealed-column.ts";
import { sealedAt } from "../vault/sealed-column.ts";

export type UserProviderKey = {
  readonly provider: {
    readonly id: string;
    readonly name: string;
    readonly displayName: string;
    readonly type: ModelProviderType;
    readonly enabled: boolean;
    readonly keyPolicy: ProviderKeyPolicy;
  };
  /** Null: none is set. */
  readonly key: {
    readonly masked: string;
    readonly createdAt: Date;
    readonly updatedAt: Date;
  } | null;
};

/** Which key: nothing else names one. */
export type UserProviderKeyId = { readonly userId: string; readonly providerId: string };

export const USER_KEY_COLUMN: Pick<SealedColumn, "name"> = {
  name: "user_ai_provider_keys/sealed_key",
};

/** Bound to person and provider: a row that is given to somebody else does not open. */
export function userKeySealedAt({ userId, providerId }: UserProviderKeyId): string {
  return sealedAt(USER_KEY_COLUMN, `${userId}/${providerId}`);
}
