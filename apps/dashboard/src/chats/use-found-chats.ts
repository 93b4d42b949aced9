/** Chats by a part of their title, or by words that were said in them, for the palette. */
import { listChats, type Chat } from "@atelier/contract/http/chats";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useSettled } from "../browser/settled.ts";

const SETTLED_MS = 150;
const FOUND_MAX = 8;
const TYPED_MIN = 2;

/** None for less than two letters. */
export function useFoundChats(typed: string): readonly Chat[] {
  const text = useSettled(typed.trim(), SETTLED_MS).replaceAll(/["\\]/g, "");
  const isWanted = text.length >= TYPED_MIN;
  const input = { query: { q: `search:"${text}"`, limit: FOUND_MAX } };
  const { data } = useEndpoint(listChats, input, { isWanted });
  return isWanted ? (data ?? []) : [];
}
