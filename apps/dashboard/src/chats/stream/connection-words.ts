/** How old what a chat's page shows is, where it is not of this moment. */
import type { ChatConnection } from "./chat-link.ts";

/** Shorter gaps are over before anybody has read of them. */
const STALE_MS = 10_000;

/** Null: what is shown is so. */
export function staleText(connection: ChatConnection, now: Date): string | null {
  if (connection.kind !== "away") return null;
  const { asOf, retryAt } = connection;
  const ageMs = now.getTime() - asOf.getTime();
  if (ageMs < STALE_MS) return null;
  const leftMs = retryAt === null ? 0 : retryAt.getTime() - now.getTime();
  const next = leftMs > 1_000 ? `trying again in ${Math.ceil(leftMs / 1_000)} s` : "reconnecting";
  return `As of ${ageText(ageMs)} ago, ${next}.`;
}

function ageText(ageMs: number): string {
  const seconds = Math.floor(ageMs / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}
