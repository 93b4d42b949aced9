/** Numbers of tokens, short enough for a table. */

export type TokenCounts = {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_write_input_tokens: number;
};

/** 950, 12.3k, 4.5M. */
export function compactNumber(count: number): string {
  if (count < 1_000) return String(count);
  const [divisor, unit] = count < 1_000_000 ? [1_000, "k"] : [1_000_000, "M"];
  const short = count / divisor;
  return `${short < 100 ? Number(short.toFixed(1)) : Math.round(short)}${unit}`;
}

/** What went in, fresh or from a cache, and what came out. */
export function tokenText(counts: TokenCounts): string {
  const parts = [
    `${compactNumber(counts.input_tokens)} in`,
    `${compactNumber(counts.output_tokens)} out`,
  ];
  if (counts.cache_read_input_tokens > 0) {
    parts.push(`${compactNumber(counts.cache_read_input_tokens)} from cache`);
  }
  if (counts.cache_write_input_tokens > 0) {
    parts.push(`${compactNumber(counts.cache_write_input_tokens)} into cache`);
  }
  return parts.join(" · ");
}
