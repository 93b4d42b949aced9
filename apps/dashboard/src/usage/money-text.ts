/** Money as a table shows it. The server counts in micro-dollars, whole ones. */

const MICROS_PER_DOLLAR = 1_000_000;

/** $0.0042, $1.25, $1,234. Null: no price is known. */
export function moneyText(micros: number | null): string {
  if (micros === null) return "no price";
  if (micros === 0) return "$0";
  const dollars = micros / MICROS_PER_DOLLAR;
  const size = Math.abs(dollars);
  if (size < 0.0001) return dollars < 0 ? "> -$0.0001" : "< $0.0001";
  const digits = size < 0.1 ? 4 : size < 1_000 ? 2 : 0;
  return dollars.toLocaleString("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: Math.min(digits, 2),
    maximumFractionDigits: digits,
  });
}

/** With what is missing from it, where prices of some requests are not known. */
export function costText({
  cost_micros: micros,
  unpriced_requests: unpriced,
}: {
  readonly cost_micros: number | null;
  readonly unpriced_requests: number;
}): string {
  if (unpriced === 0 || micros === null) return moneyText(micros);
  return `${moneyText(micros)}, without ${unpriced} of unknown price`;
}

/** A price, which is never rounded. */
export function priceText(micros: number): string {
  return `$${dollarsOfMicros(micros)}`;
}

/** A price for a million tokens, as people write it: 3, 0.25. Null: not a price. */
export function microsOfDollars(text: string): number | null {
  const typed = text.trim();
  if (!/^\d+(?:\.\d{1,6})?$/.test(typed)) return null;
  return Math.round(Number(typed) * MICROS_PER_DOLLAR);
}

export function dollarsOfMicros(micros: number | null): string {
  return micros === null ? "" : String(micros / MICROS_PER_DOLLAR);
}
