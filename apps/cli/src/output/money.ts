/** Money for people. Micro-dollars are whole numbers; what is shown is cut from their digits. */

/** Cents from a dollar on; below it, four digits. `unknown` where no price is known. */
export function money(micros: number | null): string {
  if (micros === null) return "unknown";
  const isSmall = Math.abs(micros) < 1_000_000;
  const digits = isSmall ? 4 : 2;
  const unit = 10 ** (6 - digits);
  const rounded = String(Math.round(Math.abs(micros) / unit)).padStart(digits + 1, "0");
  const sign = micros < 0 ? "-" : "";
  if (isSmall && micros !== 0 && Number(rounded) === 0) return `${sign}<$0.0001`;
  return `${sign}$${rounded.slice(0, -digits)}.${rounded.slice(-digits)}`;
}
