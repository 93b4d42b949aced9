/**
 * A model provider as the server's options describe it, and how it differs from the one that is
 * stored (spec gateway 11.6).
 */
import type { Secret } from "@atelier/base/secret";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";

export type ProviderSeed = {
  /** The options that say it, for messages: `ai-gateway-provider-0-*`. */
  readonly origin: string;
  readonly type: ModelProviderType;
  readonly name: string;
  readonly baseUrl: string;
  /** In the order in which they are tried. */
  readonly keys: readonly Secret[];
  /** Null: the options do not say. Then it is an operator's. */
  readonly keyConcurrencyMax: number | null;
  /** By the names that they have where providers are created. */
  readonly settings: Readonly<Record<string, string | Secret>>;
};

/** What is compared. Display name and being switched off are an operator's, and not in the options. */
export type ComparedProvider = {
  readonly type: ModelProviderType;
  readonly baseUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Null: a stored key that this server cannot open, which equals none. */
  readonly keys: readonly (Secret | null)[];
  /** Where the options say nothing, both have null. */
  readonly keyConcurrencyMax: number | null;
};

type ComparedPart = "type" | "base URL" | "settings" | "keys" | "limit of keys";

/** In which parts they differ, whatever the order of keys and settings. None: they are the same. */
export function differingParts(
  stored: ComparedProvider,
  seeded: ComparedProvider,
): readonly ComparedPart[] {
  const left = canonical(stored);
  const right = canonical(seeded);
  const parts = ["type", "base URL", "settings", "keys", "limit of keys"] as const;
  return parts.filter((part) => left[part] === null || left[part] !== right[part]);
}

/** One text for each part. Null: it equals nothing. */
function canonical(provider: ComparedProvider): Readonly<Record<ComparedPart, string | null>> {
  const { type, baseUrl, settings, keys, keyConcurrencyMax } = provider;
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  const secrets = new Set(keys.map((key) => key?.reveal() ?? null));
  return {
    type,
    "limit of keys": String(keyConcurrencyMax),
    "base URL": canonicalUrl(baseUrl),
    settings: JSON.stringify(set.toSorted(([a], [b]) => byText(a, b))),
    keys: secrets.has(null) ? null : JSON.stringify([...secrets].map(String).toSorted(byText)),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function canonicalUrl(text: string): string {
  return (URL.canParse(text) ? new URL(text).href : text).replace(/\/+$/, "");
}
