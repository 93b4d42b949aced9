/**
 * Model providers and keys for chats: the port ChatProviderCatalog. Keys are read each time, so that one
 * that was taken away serves no more, and opened only for a call that needs it. What a provider is, is
 * remembered for a moment: each step of a chat asks.
 */
import type { Secret } from "@atelier/base/secret";
import { chooseProviderKey, keyPolicyHere } from "@atelier/contract/chat/provider-key-choice";
import type {
  ChatProvider,
  ChatProviderCatalog,
  DirectCredentials,
} from "@atelier/contract/rpc/chat-ports";
import type { BedrockAccess, GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import type { ModelProvider } from "../ai-providers/model-provider.ts";
import {
  findModelProvider,
  listModelProviders,
  loadProviderRows,
} from "../ai-providers/model-provider-store.ts";
import {
  isOfBedrock,
  openSettings,
  type StoredSettings,
} from "../ai-providers/provider-settings.ts";
import { buildProvider } from "../ai-providers/provider-snapshot.ts";
import { VaultError, type Vault } from "../vault/vault.ts";
import type { BriefMemory } from "./brief-memory.ts";
import type { UserProviderKeyDeps } from "./user-provider-key-actions.ts";
import { findSealedUserKey, listUserProviderKeys } from "./user-provider-key-store.ts";
import { userKeySealedAt } from "./user-provider-key.ts";

export type ChatProviderCatalogDeps = Omit<UserProviderKeyDeps, "keyless"> & {
  readonly known: BriefMemory<ChatProvider | undefined>;
};

export function chatProviderCatalog(deps: ChatProviderCatalogDeps): ChatProviderCatalog {
  const { database, vault, isByokAllowed, known } = deps;
  return {
    areOwnKeysAllowed: isByokAllowed,
    list: async () => (await listModelProviders(database.sql)).map((each) => toChat(vault, each)),
    find: (id) => {
      const read = async (): Promise<ChatProvider | undefined> => {
        const found = await findModelProvider(database.sql, { id, name: null });
        return found === undefined ? undefined : toChat(vault, found);
      };
      return known.get(id, read, (provider) => provider !== undefined);
    },
    providersWithOwnKey: async (userId) => {
      if (!isByokAllowed) return new Set();
      const keys = await listUserProviderKeys(database.sql, userId);
      return new Set(keys.filter(({ key }) => key !== null).map(({ provider }) => provider.id));
    },
    directCredentials: (userId, providerId) => directCredentials(deps, userId, providerId),
  };
}

async function directCredentials(
  { database, vault, isByokAllowed }: ChatProviderCatalogDeps,
  userId: string,
  providerId: string,
): Promise<DirectCredentials> {
  const rows = await loadProviderRows(database.sql);
  const row = rows.find(({ id }) => id === providerId);
  const provider = await findModelProvider(database.sql, { id: providerId, name: null });
  if (row === undefined || provider === undefined) return NOTHING;
  const built = buildProvider(row, { vault, isByokAllowed });
  if (!built.ok) throw new Error(`model provider ${row.name}: ${built.failure}`);
  const { apiVersion, bedrock, keys } = built.value;
  const policy = keyPolicyHere(provider.keyPolicy, isByokAllowed);
  const sealed = policy.areUserKeysAllowed
    ? await findSealedUserKey(database.sql, { userId, providerId })
    : undefined;
  const { source } = chooseProviderKey(policy, {
    userKey: sealed !== undefined,
    centralKey: bedrock !== null || keys.length > 0,
  });
  if (source === "user" && sealed !== undefined) {
    const own = vault.open(sealed, userKeySealedAt({ userId, providerId }));
    return bedrock === null
      ? { key: own, source, bedrock: null, apiVersion }
      : { key: null, source, bedrock: ownBedrock(bedrock, own), apiVersion };
  }
  const key: GatewayProvider["keys"][number] | undefined = keys[0];
  return source === "central" ? { key: key?.secret ?? null, source, bedrock, apiVersion } : NOTHING;
}

const NOTHING: DirectCredentials = { key: null, source: "none", bedrock: null, apiVersion: null };

/** In the same place, with nothing that is the company's. */
function ownBedrock(access: BedrockAccess, key: Secret): BedrockAccess {
  const none = { accessKey: null, accessKeySecret: null, sessionToken: null };
  return { ...access, ...none, profile: null, roleArn: null, externalId: null, bearerToken: key };
}

function toChat(vault: Vault, provider: ModelProvider): ChatProvider {
  const { id, name, displayName, type, baseUrl, enabled, keyPolicy } = provider;
  const isOfAws = isOfBedrock(type, settingsOf(vault, provider));
  return {
    id,
    name,
    displayName,
    type,
    baseUrl,
    enabled,
    hasCentralCredentials: isOfAws || provider.keys.some(({ disabledAt }) => disabledAt === null),
    isBedrock: isOfAws || type === "bedrock",
    keyPolicy,
  };
}

/** One that cannot be opened does not hide the others: whoever calls with it learns why. */
function settingsOf(vault: Vault, provider: ModelProvider): StoredSettings {
  try {
    return openSettings(vault, provider);
  } catch (error) {
    if (error instanceof VaultError) return {};
    throw error;
  }
}
