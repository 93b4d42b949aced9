/**
 * What distinguishes the types of model providers, as data: one row for each type that the gateway
 * serves. Nothing else in the gateway asks for the type of a provider.
 */
import type {
  ModelProviderType,
  SUPPORTED_MODEL_PROVIDER_TYPES,
} from "@atelier/contract/http/ai-providers";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { ANTHROPIC_ROUTES, COPILOT_ROUTES, OPENAI_ROUTES, type RouteTable } from "./route-table.ts";

/** In `authorization` a credential stands behind the word Bearer, in the others alone. */
export type CredentialHeader = "authorization" | "x-api-key" | "api-key";

export type ProviderKind = {
  readonly routes: RouteTable;
  /** Of errors on routes that no format names. */
  readonly errorFormat: WireFormat;
  /** Where one of the company's keys goes. Null: the provider takes nothing but its users' own. */
  readonly keyHeader: CredentialHeader | null;
  /** Where a caller's own credential is looked for. Of several that are sent, the first counts. */
  readonly ownHeaders: readonly CredentialHeader[];
  /** Whether the provider may be told who asks, where the operator wants that. */
  readonly isToldActor: boolean;
};

const OPENAI: ProviderKind = {
  routes: OPENAI_ROUTES,
  errorFormat: "chat_completions",
  keyHeader: "authorization",
  ownHeaders: ["authorization"],
  isToldActor: true,
};

const ANTHROPIC: ProviderKind = {
  routes: ANTHROPIC_ROUTES,
  errorFormat: "messages",
  keyHeader: "x-api-key",
  // Clients that send both mean the API key.
  ownHeaders: ["x-api-key", "authorization"],
  isToldActor: true,
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
};

const KINDS: Readonly<Partial<Record<ModelProviderType, ProviderKind>>> = {
  openai: OPENAI,
  "openai-compat": OPENAI,
  google: OPENAI,
  openrouter: OPENAI,
  vercel: OPENAI,
  azure: AZURE,
  anthropic: ANTHROPIC,
  copilot: COPILOT,
} satisfies Record<(typeof SUPPORTED_MODEL_PROVIDER_TYPES)[number], ProviderKind>;

/** Null: the gateway does not serve this type. A snapshot holds none such, except disabled ones. */
export function providerKindOf(type: ModelProviderType): ProviderKind | null {
  return KINDS[type] ?? null;
}
