/** Ports of models in memory, and an upstream that keeps what it was sent. For tests only. */
import { fail, ok } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { USUAL_KEY_POLICY } from "@atelier/contract/chat/provider-key-choice";
import type {
  ChatProvider,
  ChatProviderCatalog,
  DirectCredentials,
} from "@atelier/contract/rpc/chat-ports";
import {
  ProviderAuth,
  type DelegatedInit,
  type ModelFetch,
  type ModelTransports,
  type ProviderAuthSource,
} from "@atelier/contract/rpc/model-transport";
import type { ModelChat } from "./model-route.ts";

export const OWNER = "11111111-1111-4111-8111-111111111111";
export const CENTRAL_KEY = "sk-central-0123456789abcdef";
export const OWN_KEY = "sk-own-0123456789abcdef";

export const CHAT: ModelChat = {
  ownerId: OWNER,
  id: "22222222-2222-4222-8222-222222222222",
  parentId: null,
  rootId: null,
  workspaceId: null,
};

export function provider(fields: Partial<ChatProvider> = {}): ChatProvider {
  const type = fields.type ?? "openai";
  return {
    id: `id-of-${fields.name ?? type}`,
    name: type,
    displayName: type,
    type,
    baseUrl: `http://${type}.test/v1`,
    enabled: true,
    hasCentralCredentials: true,
    isBedrock: type === "bedrock",
    keyPolicy: USUAL_KEY_POLICY,
    ...fields,
  };
}

export type TestCatalog = ChatProviderCatalog & { asked: string[] };

/** `ownKeys`: for which providers, by id, the owner has a key of their own. */
export function catalog(
  providers: readonly ChatProvider[],
  options: {
    readonly ownKeys?: readonly string[];
    readonly credentials?: Partial<DirectCredentials>;
  } = {},
): TestCatalog {
  const own = new Set(options.ownKeys);
  const asked: string[] = [];
  return {
    asked,
    areOwnKeysAllowed: true,
    list: async () => providers,
    find: async (id) => providers.find((each) => each.id === id),
    providersWithOwnKey: async () => own,
    directCredentials: async (_, id) => {
      asked.push(id);
      const isOwn = own.has(id);
      const key = new Secret(isOwn ? OWN_KEY : CENTRAL_KEY);
      const source = isOwn ? "user" : "central";
      return { key, source, bedrock: null, apiVersion: null, ...options.credentials };
    },
  };
}

export function authSource(ownKeys: readonly string[] = []): ProviderAuthSource {
  return {
    authOf: async (_, { id, type }) =>
      ownKeys.includes(id) ? ProviderAuth.ownKey(type, new Secret(OWN_KEY)) : ProviderAuth.none,
  };
}

export type SentRequest = {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly delegatedApiKeyId: string | undefined;
  readonly hold: DelegatedInit["hold"];
};

/** Keeps requests, and answers each with an error: what matters is what was sent. */
export function upstream(): { readonly sent: SentRequest[]; readonly fetch: ModelFetch } {
  const sent: SentRequest[] = [];
  const fetch = async (input: string | URL | Request, init: DelegatedInit = {}) => {
    sent.push({
      url: input instanceof Request ? input.url : String(input),
      headers: new Headers(init.headers),
      body: JSON.parse(await new Response(init.body).text()) as Record<string, unknown>,
      ...{ delegatedApiKeyId: init.delegatedApiKeyId, hold: init.hold },
    });
    return Response.json({ error: { message: "enough" } }, { status: 400 });
  };
  return { sent, fetch };
}

/** In place of the gateway. */
export function transportsTo(fetch: ModelFetch): ModelTransports & { readonly names: string[] } {
  const names: string[] = [];
  return {
    names,
    transportFor: (name) => {
      names.push(name);
      return name === "BAD" ? fail("provider_name_missing") : ok({ fetch });
    },
  };
}
