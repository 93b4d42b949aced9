/** Prices for people: dollars for a million tokens. */
import type { ModelPrice, PriceTier } from "@atelier/contract/http/ai-costs";
import { compactNumber, faint, orDash, table, type Cell, type Look } from "./people.ts";

export function pricesTable(look: Look, prices: readonly ModelPrice[]): string {
  const columns = [
    ...[{ title: "PROVIDER" }, { title: "MODEL", isWhole: true }, { title: "FROM" }],
    ...["PROMPT", "INPUT", "OUTPUT", "CACHED", "CACHE WRITE", "1H WRITE"].map((title) => ({
      title,
      align: "right" as const,
    })),
  ];
  return table(look, columns, prices.flatMap(rowsOf));
}

/** A line for each tier. */
function rowsOf(price: ModelPrice): Cell[][] {
  const { provider, model, origin, tiers } = price;
  if (origin === null) return [[provider, model, { text: "unknown", tone: "bad" }]];
  return tiers.map((tier, index) => [
    ...(index === 0 ? [provider, model, origin] : ["", "", ""]),
    tier.from_tokens === 0 ? faint("any") : `≥${compactNumber(tier.from_tokens)}`,
    ...pricesOf(tier).map((micros) => orDash(micros === null ? null : dollars(micros))),
  ]);
}

function pricesOf(tier: PriceTier): (number | null)[] {
  return [tier.input, tier.output, tier.cache_read, tier.cache_write, tier.cache_write_1h];
}

/** Exact, without zeros behind the second digit. */
export function dollars(micros: number): string {
  const digits = String(micros).padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0{1,4}$/, "");
  return `$${digits.slice(0, -6)}.${fraction}`;
}

/** Dollars as people write them, exactly; null when they are none, or finer than a micro-dollar. */
export function microsOf(text: string): number | null {
  const match = /^\$?(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (match === null) return null;
  const [, whole = "0", fraction = ""] = match;
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, "0"));
}
