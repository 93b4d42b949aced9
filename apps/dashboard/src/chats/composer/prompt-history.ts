/** Earlier messages in the composer, by the arrow keys, as in a shell. */

import type { ChatMessage } from "@atelier/contract/http/chats";
import { promptText } from "../transcript/transcript-rows.ts";

export type HistoryPlace = {
  /** How far back; null: at what is being written. */
  readonly back: number | null;
  /** What was being written when the way back began. */
  readonly draft: string;
};

export const AT_DRAFT: HistoryPlace = { back: null, draft: "" };

/** `prompts`: the latest first. Null: there is nothing further that way. */
export function step(
  place: HistoryPlace,
  direction: "older" | "newer",
  { prompts, text }: { readonly prompts: readonly string[]; readonly text: string },
): { readonly place: HistoryPlace; readonly text: string } | null {
  const { back, draft } = place;
  if (direction === "older") {
    const next = back === null ? 0 : back + 1;
    const found = prompts[next];
    if (found === undefined) return null;
    return { place: { back: next, draft: back === null ? text : draft }, text: found };
  }
  if (back === null) return null;
  const found = back === 0 ? draft : prompts[back - 1];
  if (found === undefined) return null;
  return { place: back === 0 ? AT_DRAFT : { back: back - 1, draft }, text: found };
}

/** The latest first: those that were listed, and before them what was written since. */
export function promptTexts(
  messages: readonly ChatMessage[],
  listed: readonly { readonly id: number; readonly text: string }[],
): readonly string[] {
  const newest = listed[0]?.id ?? 0;
  const since = messages
    .filter(({ id, role }) => role === "user" && id > newest)
    .map(({ content }) => promptText(content))
    .filter((text) => text.trim() !== "");
  return [...since.toReversed(), ...listed.map(({ text }) => text)];
}
