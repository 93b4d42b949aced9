/**
 * The message that makes every server try a provider key again, and hearing it. It is sent in the
 * transaction of its audit entry.
 *
 * Nothing of a reset is stored, so a server without its connection misses it. Back again, it tries
 * each key that would stay out of service for good: a key that is still refused costs one attempt,
 * and the request goes on with the next key.
 */
import type { GatewayHealth, ProviderSource } from "@atelier/contract/rpc/gateway-ports";
import type { PubSub } from "@atelier/database/pub-sub";

export const PROVIDER_KEY_RESET = "ai_provider_key_reset";

export type ProviderKeyReset = { readonly providerId: string; readonly keyId: string };

export function formatProviderKeyReset({ providerId, keyId }: ProviderKeyReset): string {
  return `${providerId} ${keyId}`;
}

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const MESSAGE = new RegExp(`^(?<providerId>${ID}) (?<keyId>${ID})$`);

/** Null: a message of another version. */
export function parseProviderKeyReset(payload: string): ProviderKeyReset | null {
  const { providerId, keyId } = MESSAGE.exec(payload)?.groups ?? {};
  return providerId === undefined || keyId === undefined ? null : { providerId, keyId };
}

/** Lasts until disposed. */
export function obeyProviderKeyResets(
  pubSub: Pick<PubSub, "subscribe">,
  { health, providers }: { readonly health: GatewayHealth; readonly providers: ProviderSource },
): Disposable {
  const tryAllAgain = (): void => {
    for (const { id } of providers.current().providers.values()) {
      const lost = health.keysOf(id).filter((key) => key.state === "permanent");
      for (const { keyId } of lost) health.resetKey(id, keyId);
    }
  };
  return pubSub.subscribe(PROVIDER_KEY_RESET, {
    message: (payload) => {
      const reset = parseProviderKeyReset(payload);
      if (reset === null) tryAllAgain();
      else health.resetKey(reset.providerId, reset.keyId);
    },
    resync: tryAllAgain,
  });
}
