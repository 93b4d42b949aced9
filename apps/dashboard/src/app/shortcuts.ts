/**
 * Keys that work on every page. A page's own key follows `g`, as in `g` then `w`; nothing happens
 * while somebody types into a field.
 */
import { useEffect, useRef } from "react";
import type { PageEntry } from "./page-entry.ts";

export type ShortcutActions = {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
  readonly goTo: (path: string) => void;
  /** To the next agent that needs the person. False: the page does that itself. */
  readonly goToNext: () => boolean;
};

type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

export type ShortcutMeaning =
  | { readonly kind: "palette" | "help" | "await_page" | "search" | "next" }
  | { readonly kind: "page"; readonly path: string };

/** What a press means, after what came before and where it happened. Null: nothing of ours. */
export function meaningOf(
  press: KeyPress,
  { isTyping, isAwaitingPage }: { readonly isTyping: boolean; readonly isAwaitingPage: boolean },
  pages: readonly PageEntry[],
): ShortcutMeaning | null {
  const { key, ctrlKey, metaKey, altKey } = press;
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") return { kind: "palette" };
  if (isTyping || ctrlKey || metaKey || altKey) return null;
  if (isAwaitingPage) {
    const page = pages.find(({ navigation }) => navigation?.key === key);
    return page === undefined ? null : { kind: "page", path: page.path };
  }
  if (key === "?") return { kind: "help" };
  if (key === "g") return { kind: "await_page" };
  if (key === "n") return { kind: "next" };
  return key === "/" ? { kind: "search" } : null;
}

export function useShortcuts(pages: readonly PageEntry[], actions: ShortcutActions): void {
  const awaiting = useRef(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const state = { isTyping: isField(event.target), isAwaitingPage: awaiting.current };
      const meaning = meaningOf(event, state, pages);
      awaiting.current = meaning?.kind === "await_page";
      if (meaning === null) return;
      if (meaning.kind === "search" && !focusSearch()) return;
      if (meaning.kind === "next" && !actions.goToNext()) return;
      event.preventDefault();
      if (meaning.kind === "palette") actions.openPalette();
      else if (meaning.kind === "help") actions.openHelp();
      else if (meaning.kind === "page") actions.goTo(meaning.path);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [pages, actions]);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:input|select|textarea)$/i.test(target.tagName))
  );
}

/** False where the page has no field to search in. */
function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  field?.focus();
  return field !== null;
}
