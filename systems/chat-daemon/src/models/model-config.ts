/**
 * A model for chats as it is configured: its defaults, which one is the organization's, and who can use
 * it (spec agents 3.6, 4.7, 8.8). Pure.
 */
import { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import { chooseProviderKey, keyPolicyHere } from "@atelier/contract/chat/provider-key-choice";
import type { ModelUnavailableReason } from "@atelier/contract/http/chat-models";
import type { ChatProvider } from "@atelier/contract/rpc/chat-ports";
import { parseProviderType } from "./provider-names.ts";

export type ModelConfig = {
  readonly id: string;
  readonly organizationId: string;
  readonly aiProviderId: string | null;
  /** Where there is no provider: of which type it is. */
  readonly provider: string;
  readonly model: string;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly isDefault: boolean;
  readonly contextLimit: number;
  readonly compressionThreshold: number;
  readonly options: ChatModelCallConfig;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** What another server's version stored and this one does not know is left out. */
export function parseStoredOptions(stored: unknown): ChatModelCallConfig {
  const parsed = ChatModelCallConfig.safeParse(stored);
  if (parsed.success) return parsed.data;
  const copy: unknown = structuredClone(stored);
  for (const issue of parsed.error.issues) {
    const isUnknown = issue.code === "unrecognized_keys";
    const names = isUnknown ? issue.keys : issue.path.slice(-1);
    const holder = holderAt(copy, isUnknown ? issue.path : issue.path.slice(0, -1));
    for (const name of names) if (holder !== null) Reflect.deleteProperty(holder, name);
  }
  const rest = ChatModelCallConfig.safeParse(copy);
  return rest.success ? rest.data : {};
}

function holderAt(root: unknown, path: readonly PropertyKey[]): object | null {
  let at = root;
  for (const key of path) at = isObject(at) ? Reflect.get(at, key) : null;
  return isObject(at) ? at : null;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

const LONG_CONTEXT_MIN = 500_000;

/** A long context costs so much that it is summarised early. */
export function defaultCompressionThreshold(contextLimit: number): number {
  return contextLimit >= LONG_CONTEXT_MIN ? 30 : 70;
}

/**
 * Which of an organization's models is the default, given the one that was asked to be (null: none in
 * particular) and one that asked not to be. Null: there are no models.
 */
export function electDefault(
  configs: readonly ModelConfig[],
  wish: { readonly wanted: string | null; readonly unwanted: string | null },
  isProviderEnabled: (providerId: string | null) => boolean,
): string | null {
  const wanted = configs.find(({ id }) => id === wish.wanted);
  if (wanted !== undefined) return wanted.id;
  const current = configs.find(({ id, isDefault }) => isDefault && id !== wish.unwanted);
  if (current !== undefined) return current.id;
  const others = configs.filter(({ id }) => id !== wish.unwanted);
  const able = others.find(
    ({ enabled, aiProviderId }) => enabled && isProviderEnabled(aiProviderId),
  );
  const elected = able ?? others.find(({ enabled }) => enabled) ?? others[0] ?? configs[0];
  return elected?.id ?? null;
}

export type ProviderStanding = {
  readonly hasOwnKey: boolean;
  readonly hasEffectiveKey: boolean;
  /** Null: it can be used. */
  readonly unavailable: ModelUnavailableReason | null;
};

/** `ownKeys`: of which providers the person has a key. Null: that could not be found out. */
export function standingOf(
  provider: ChatProvider,
  ownKeys: ReadonlySet<string> | null,
  areOwnKeysAllowed: boolean,
): ProviderStanding {
  const hasOwnKey = ownKeys?.has(provider.id) ?? false;
  const policy = keyPolicyHere(provider.keyPolicy, areOwnKeysAllowed);
  const choice = chooseProviderKey(policy, {
    userKey: hasOwnKey,
    centralKey: provider.hasCentralCredentials,
  });
  const hasEffectiveKey = choice.source !== "none";
  const standing = (unavailable: ModelUnavailableReason | null): ProviderStanding => ({
    hasOwnKey,
    hasEffectiveKey,
    unavailable,
  });
  if (!provider.enabled) return standing("provider_disabled");
  if (choice.source !== "none") return standing(null);
  const isUnknown = ownKeys === null && policy.areUserKeysAllowed;
  return standing(isUnknown ? "fetch_failed" : choice.reason);
}

/** Whether chats can use providers of this type at all: not all that the gateway has. */
export function isChatProvider({ type }: Pick<ChatProvider, "type">): boolean {
  return parseProviderType(type) !== null;
}

/** What an administrator is told of a provider besides. */
export function providerWarnings({ baseUrl }: Pick<ChatProvider, "baseUrl">): readonly string[] {
  return /\/api\/v2\/(?:ai-gateway|aibridge)\//.test(`${baseUrl}/`)
    ? [
        "Its address looks like that of an AI gateway such as this one: a chat's calls may go through two.",
      ]
    : [];
}

/** The fields that the audit log compares. */
export function auditedModel(config: ModelConfig): Readonly<Record<string, unknown>> {
  return {
    ai_provider_id: config.aiProviderId,
    model: config.model,
    display_name: config.displayName,
    enabled: config.enabled,
    is_default: config.isDefault,
    context_limit: config.contextLimit,
    compression_threshold: config.compressionThreshold,
    options: config.options,
  };
}
