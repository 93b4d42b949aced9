/**
 * Retries of a step. Which failures: those classified as retryable. How many: until the attempts of the
 * history version are used up. How long: doubling from one second to a minute, or as long as the
 * provider says if that is longer. Repeating is safe because a failed step has committed nothing.
 */
export const GENERATION_RETRIES_MAX = 25;

const FIRST_DELAY_MS = 1_000;
const DELAY_MS_MAX = 60_000;
/** A provider that asks for more than this is not waited for longer. */
export const RETRY_AFTER_MS_MAX = 15 * 60_000;

/** `attempt` is the one that failed, from 1. */
export function retryDelayMs(attempt: number, retryAfterMs: number | null): number {
  const doubled = FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16);
  const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  return Math.max(Math.min(doubled, DELAY_MS_MAX), asked);
}
