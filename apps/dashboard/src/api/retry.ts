/** When an answer that failed is asked for again without the person doing anything. */
import type { ApiProblem } from "@atelier/contract/client";

const ATTEMPTS_MAX = 3;
const DELAY_MS_MIN = 500;
const DELAY_MS_MAX = 10_000;

/** Reading is repeated where time may heal it: no connection, a server that restarts, a rate limit. */
export function mayReadAgain(failures: number, { status, code }: ApiProblem): boolean {
  if (failures >= ATTEMPTS_MAX) return false;
  if (code === "client.unreachable" || code === "client.timed_out") return true;
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** The server's own word counts, else each wait is twice the one before. */
export function readAgainInMs(failures: number, { retryAfterSeconds }: ApiProblem): number {
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1_000;
  return Math.min(DELAY_MS_MIN * 2 ** failures, DELAY_MS_MAX);
}
