/**
 * The price list that comes with the server: the data of genai-prices, read into whole numbers. It is
 * some hundred kilobytes and is loaded when a price is first looked up, never for a request.
 */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { PriceCatalog, PricedModel, PriceTier } from "./model-price.ts";

/** As package.json pins it. */
export const CATALOG_VERSION = "genai-prices 0.1.8";

/** Where the list keeps a type's models. A type that could be anybody's has no prices of its own. */
const LISTS: Readonly<Record<ModelProviderType, string | null>> = {
  openai: "openai",
  anthropic: "anthropic",
  azure: "azure",
  bedrock: "aws",
  copilot: "github-copilot",
  google: "google",
  openrouter: "openrouter",
  vercel: null,
  "openai-compat": null,
};

export async function loadPriceCatalog(): Promise<PriceCatalog> {
  const { calcPrice } = await import("@pydantic/genai-prices");
  return {
    version: CATALOG_VERSION,
    find: ({ provider, model }: PricedModel, at: Date) => {
      const providerId = isProviderType(provider) ? LISTS[provider] : null;
      if (providerId === null) return null;
      const found = calcPrice({ input_tokens: 0 }, model, { providerId, timestamp: at });
      return found === null ? null : tiersOf(found.model_price);
    },
  };
}

function isProviderType(type: string): type is ModelProviderType {
  return Object.hasOwn(LISTS, type);
}

type ListedTiers = {
  readonly base: number;
  readonly tiers: readonly { readonly start: number; readonly price: number }[];
};
/** Dollars for a million tokens, or what depends on the length of the prompt. */
export type ListedPrice = Readonly<Record<string, number | ListedTiers | undefined>>;

/** Tokens that are counted as others here, at a price of their own there. */
const INSEPARABLE = ["output_reasoning_mtok"];

/** Null: no text can be counted by it. */
export function tiersOf(price: ListedPrice): readonly PriceTier[] | null {
  if (price["input_mtok"] === undefined || price["output_mtok"] === undefined) return null;
  if (INSEPARABLE.some((key) => price[key] !== undefined)) return null;
  const prices = {
    input: listedOf(price["input_mtok"]),
    output: listedOf(price["output_mtok"]),
    cacheRead: listedOf(price["cache_read_mtok"]),
    cacheWrite: listedOf(price["cache_write_mtok"]),
    cacheWrite1h: listedOf(price["cache_write_1h_mtok"]),
  };
  // The list's tiers begin above their start.
  const starts = Object.values(prices).flatMap(
    (each) => each?.tiers.map(({ start }) => start + 1) ?? [],
  );
  return [...new Set([0, ...starts])]
    .toSorted((a, b) => a - b)
    .map((fromTokens) => ({
      fromTokens,
      input: microsAt(prices.input, fromTokens),
      output: microsAt(prices.output, fromTokens),
      cacheRead: microsAt(prices.cacheRead, fromTokens),
      cacheWrite: microsAt(prices.cacheWrite, fromTokens),
      cacheWrite1h: microsAt(prices.cacheWrite1h, fromTokens),
    }));
}

function listedOf(price: number | ListedTiers | undefined): ListedTiers | null {
  if (price === undefined) return null;
  return typeof price === "number" ? { base: price, tiers: [] } : price;
}

function microsAt(listed: ListedTiers | null, fromTokens: number): number | null {
  if (listed === null) return null;
  const reached = listed.tiers
    .filter(({ start }) => fromTokens > start)
    .toSorted((a, b) => b.start - a.start);
  return toMicros(reached[0]?.price ?? listed.base);
}

/** The list writes decimals with few digits: rounding finds the number that was meant. */
function toMicros(dollars: number): number | null {
  const micros = Math.round(dollars * 1_000_000);
  return Number.isSafeInteger(micros) && micros >= 0 ? micros : null;
}
