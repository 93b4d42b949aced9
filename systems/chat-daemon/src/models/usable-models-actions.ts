/** Models that a person can use now: enabled, with an enabled provider that some key of theirs or ours opens. */
import { standingOf, type ModelConfig } from "./model-config.ts";
import { findModelConfig, listModelConfigs } from "./model-config-store.ts";
import type { ModelUser } from "./model-router.ts";
import type { SelectionDeps } from "./model-selection-actions.ts";
import type { ChatProvider } from "@atelier/contract/rpc/chat-ports";

export type UsableModel = { readonly config: ModelConfig; readonly provider: ChatProvider | null };

export async function listUsableModels(
  { database, catalog }: SelectionDeps,
  { ownerId, organizationId }: ModelUser,
): Promise<readonly UsableModel[]> {
  const [configs, providers, ownKeys] = await Promise.all([
    listModelConfigs(database.sql, organizationId),
    catalog.list(),
    catalog.providersWithOwnKey(ownerId),
  ]);
  const usable = new Map(
    providers
      .filter(
        (provider) => standingOf(provider, ownKeys, catalog.areOwnKeysAllowed).unavailable === null,
      )
      .map((provider) => [provider.id, provider]),
  );
  return configs
    .filter(({ enabled }) => enabled)
    .flatMap((config): readonly UsableModel[] => {
      const { aiProviderId } = config;
      if (aiProviderId === null) return [{ config, provider: null }];
      const provider = usable.get(aiProviderId);
      return provider === undefined ? [] : [{ config, provider }];
    });
}

/** Whether people may choose it for a chat: keys are looked at when it is called. */
export async function isChoosable(
  { database, catalog }: SelectionDeps,
  modelConfigId: string,
  organizationId: string,
): Promise<boolean> {
  const config = await findModelConfig(database.sql, modelConfigId);
  if (config === undefined || !config.enabled || config.organizationId !== organizationId) {
    return false;
  }
  if (config.aiProviderId === null) return true;
  return (await catalog.find(config.aiProviderId))?.enabled === true;
}
