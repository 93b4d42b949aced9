/**
 * What distinguishes the types of model providers, as data: one row for each type that the gateway
 * serves. Nothing else that serves requests asks for the type of a provider.
 */
import type {
  ModelProviderType,
  SUPPORTED_MODEL_PROVIDER_TYPES,
} from "@atelier/contract/http/ai-providers";
import type { GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { ANTHROPIC_ROUTES, COPILOT_ROUTES, OPENAI_ROUTES, type RouteTable } from "./route-table.ts";

/** In `authorization` a credential stands behind the word Bearer, in the others alone. */
export type CredentialHeader = "authorization" | "x-api-key" | "api-key";

export type ProviderKind = {
  readonly routes: RouteTable;
  /** Of errors on routes that no format names. */
  readonly errorFormat: WireFormat;
  /**
   * Where one of the company's keys goes. Null: there are none. The provider takes nothing but its
   * users' own credentials, or its upstream client speaks in the company's name.
   */
  readonly keyHeader: CredentialHeader | null;
  /** Where a caller's own credential is looked for. Of several that are sent, the first counts. */
  readonly ownHeaders: readonly CredentialHeader[];
  /** Whether the provider may be told who asks, where the operator wants that. */
  readonly isToldActor: boolean;
  /** The format's words for an open circuit breaker, where they are not those of the status. */
  readonly breakerOpen: { readonly type?: string; readonly code?: string };
};

const OPENAI: ProviderKind = {
  routes: OPENAI_ROUTES,
  errorFormat: "chat_completions",
  keyHeader: "authorization",
  ownHeaders: ["authorization"],
  isToldActor: true,
  breakerOpen: {},
};

const ANTHROPIC: ProviderKind = {
  routes: ANTHROPIC_ROUTES,
  errorFormat: "messages",
  keyHeader: "x-api-key",
  // Clients that send both mean the API key.
  ownHeaders: ["x-api-key", "authorization"],
  isToldActor: true,
  breakerOpen: {},
};

/** Anthropic's models by way of AWS: requests are signed, so no key goes anywhere. */
const ANTHROPIC_ON_BEDROCK: ProviderKind = { ...ANTHROPIC, keyHeader: null };

const BEDROCK: ProviderKind = {
  ...ANTHROPIC_ON_BEDROCK,
  breakerOpen: { type: "api_error", code: "service_unavailable" },
};

/** The bearer is a token of Microsoft Entra ID. */
const AZURE: ProviderKind = {
  ...OPENAI,
  keyHeader: "api-key",
  ownHeaders: ["api-key", "authorization"],
};

/** A seat belongs to a person, so there is no key that could serve others. */
const COPILOT: ProviderKind = {
  routes: COPILOT_ROUTES,
  errorFormat: "chat_completions",
  keyHeader: null,
  ownHeaders: ["authorization"],
  isToldActor: false,
  breakerOpen: {},
};

const KINDS: Readonly<Partial<Record<ModelProviderType, ProviderKind>>> = {
  openai: OPENAI,
  "openai-compat": OPENAI,
  google: OPENAI,
  openrouter: OPENAI,
  vercel: OPENAI,
  azure: AZURE,
  anthropic: ANTHROPIC,
  bedrock: BEDROCK,
  copilot: COPILOT,
} satisfies Record<(typeof SUPPORTED_MODEL_PROVIDER_TYPES)[number], ProviderKind>;

/** Null: the gateway does not serve this type. A snapshot holds none such, except disabled ones. */
export function providerKindOf({
  type,
  bedrock,
}: Pick<GatewayProvider, "type" | "bedrock">): ProviderKind | null {
  if (type === "anthropic" && bedrock !== null) return ANTHROPIC_ON_BEDROCK;
  return KINDS[type] ?? null;
}
