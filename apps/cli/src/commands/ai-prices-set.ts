/** `atelier ai-prices set`. */
import { fail, ok, type Result } from "@atelier/base/result";
import { setModelPrice } from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, choiceOption, defineCommand, shown, textOption } from "../command.ts";
import { microsOf, pricesTable } from "../output/prices.ts";

export const aiPricesSet = defineCommand({
  name: "ai-prices set",
  summary: "Give a model a price, which counts from now on instead of the catalog's",
  details:
    "Prices are dollars for a million tokens. Without a price for cached tokens, requests that use " +
    "them have no known cost. What was recorded keeps its cost: see `atelier ai-prices apply`.",
  examples: [
    "atelier ai-prices set my-model --provider openai-compat --input 0.5 --output 1.5",
    "atelier ai-prices set claude-x --provider anthropic --input 3 --output 15 --cache-read 0.3 --cache-write 3.75",
  ],
  args: { model: argument("as requests name it") },
  options: {
    provider: choiceOption("--provider <type>", "the type of its provider", MODEL_PROVIDER_TYPES),
    input: textOption("--input <dollars>", "tokens of the prompt"),
    output: textOption("--output <dollars>", "tokens of the answer"),
    cacheRead: textOption("--cache-read <dollars>", "tokens that came from the provider's cache"),
    cacheWrite: textOption("--cache-write <dollars>", "tokens that went into it"),
    cacheWrite1h: textOption("--cache-write-1h <dollars>", "the same, for an hour"),
  },
  run: async (cli, { args, options }) => {
    const { provider } = options;
    if (provider === undefined || options.input === undefined || options.output === undefined) {
      return fail(usageFailure("A price needs more.", "Give --provider, --input and --output."));
    }
    const input = priceOf("--input", options.input);
    if (!input.ok) return input;
    const output = priceOf("--output", options.output);
    if (!output.ok) return output;
    const read = optionalPrice("--cache-read", options.cacheRead);
    if (!read.ok) return read;
    const write = optionalPrice("--cache-write", options.cacheWrite);
    if (!write.ok) return write;
    const hour = optionalPrice("--cache-write-1h", options.cacheWrite1h);
    if (!hour.ok) return hour;
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const cached = { cache_read: read.value, cache_write: write.value, cache_write_1h: hour.value };
    const set = await api.value.call(setModelPrice, {
      body: { provider, model: args.model, input: input.value, output: output.value, ...cached },
    });
    if (!set.ok) return set;
    const text = (): string => `Set.\n\n${pricesTable(cli.look, [set.value])}`;
    return ok(shown({ json: set.value, text }));
  },
});

function priceOf(option: string, text: string): Result<number, CliFailure> {
  const micros = microsOf(text);
  if (micros !== null) return ok(micros);
  return fail(usageFailure(`${option} is not a price.`, "Write dollars, such as 0.25."));
}

function optionalPrice(
  option: string,
  text: string | undefined,
): Result<number | null, CliFailure> {
  return text === undefined ? ok(null) : priceOf(option, text);
}
