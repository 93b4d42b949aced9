/**
 * Which of one's agents wait for the person, as every page may show it. What watches them is loaded after
 * the first page (`attention.tsx`); until then nothing is known, and nothing is shown.
 */
import { useSyncExternalStore } from "react";

export type Attention = {
  /** Longest waiting first. */
  readonly waitingIds: readonly string[];
  /** More wait than were asked for. */
  readonly hasMore: boolean;
  /** False: what is shown may be old. */
  readonly isLive: boolean;
};

const NOTHING: Attention = { waitingIds: [], hasMore: false, isLive: false };

let attention = NOTHING;
const listeners = new Set<() => void>();

export function setAttention(change: Partial<Attention> | null): void {
  attention = change === null ? NOTHING : { ...attention, ...change };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useAttention(): Attention {
  return useSyncExternalStore(subscribe, () => attention);
}

/** The one to look at next, after the one that is looked at. Null: none waits, but perhaps that one. */
export function nextWaiting(lookedAt: string | null): string | null {
  const { waitingIds } = attention;
  const place = lookedAt === null ? -1 : waitingIds.indexOf(lookedAt);
  const next = waitingIds[place + 1] ?? waitingIds[0] ?? null;
  return next === lookedAt ? null : next;
}
