/** Prices between the texts of their form, in dollars for a million tokens, and the endpoint's micro-dollars. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem, CallInput } from "@atelier/contract/client";
import type { ModelPrice, setModelPrice } from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { problemOfFields } from "../forms/field-problems.ts";
import { dollarsOfMicros, microsOfDollars } from "./money-text.ts";

/** In the order in which they are shown. */
export const PRICE_FIELDS = [
  { name: "input", label: "Input", hint: "Tokens that no cache held.", isNeeded: true },
  { name: "output", label: "Output", hint: "With those of reasoning.", isNeeded: true },
  { name: "cache_read", label: "Read from a cache", hint: "", isNeeded: false },
  {
    name: "cache_write",
    label: "Written into a cache",
    hint: "For five minutes.",
    isNeeded: false,
  },
  {
    name: "cache_write_1h",
    label: "Written into a cache for an hour",
    hint: "Empty: as for five minutes.",
    isNeeded: false,
  },
] as const;
type PriceName = (typeof PRICE_FIELDS)[number]["name"];

export type PriceTexts = Readonly<Record<string, string>>;

export function textsOfPrice({ provider, model, tiers }: ModelPrice): PriceTexts {
  const [first] = tiers;
  return {
    provider,
    model,
    ...Object.fromEntries(
      PRICE_FIELDS.map(({ name }) => [name, dollarsOfMicros(first?.[name] ?? null)]),
    ),
  };
}

export const EMPTY_PRICE: PriceTexts = {
  provider: "openai-compat",
  model: "",
  ...Object.fromEntries(PRICE_FIELDS.map(({ name }) => [name, ""])),
};

type PriceBody = CallInput<typeof setModelPrice>["body"];

/** Prices of long prompts are kept as they are: this form does not show them. */
export function priceBody(
  texts: PriceTexts,
  existing: ModelPrice | null,
): Result<PriceBody, ApiProblem> {
  const wrong: { field: string; detail: string }[] = [];
  const price = (name: PriceName): number | null => {
    const text = texts[name] ?? "";
    const isNeeded = PRICE_FIELDS.some((field) => field.name === name && field.isNeeded);
    if (text.trim() === "" && !isNeeded) return null;
    const micros = microsOfDollars(text);
    if (micros === null) wrong.push({ field: name, detail: "Dollars, as 3 or 0.25." });
    return micros;
  };
  const provider = MODEL_PROVIDER_TYPES.find((type) => type === texts["provider"]);
  const model = (texts["model"] ?? "").trim();
  if (provider === undefined) wrong.push({ field: "provider", detail: "Choose a type." });
  if (model === "") wrong.push({ field: "model", detail: "The model’s name, as it is recorded." });
  const [input, output] = [price("input"), price("output")];
  const rest = {
    cache_read: price("cache_read"),
    cache_write: price("cache_write"),
    cache_write_1h: price("cache_write_1h"),
  };
  if (wrong.length > 0 || provider === undefined || input === null || output === null) {
    return fail(problemOfFields(wrong));
  }
  const tiers = (existing?.tiers ?? []).filter((tier) => tier.from_tokens > 0);
  return ok({ provider, model, input, output, ...rest, tiers });
}
