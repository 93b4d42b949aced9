/** Keys of the inbox: j and k go from row to row, n to the next that needs the person. */
import { useEffect, type RefObject } from "react";
import { announce } from "../../ui/announcements.tsx";
import { rowAfterKey } from "./inbox-sections.ts";

/** Rows are the links with `data-chat` inside the element; `data-needs-you` marks those that wait. */
export function useInboxKeys(list: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
      if (!isOurs || isElsewhere(event.target)) return;
      const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-chat]") ?? [])];
      const current = rows.findIndex((row) => row === document.activeElement);
      const states = rows.map(({ dataset }) => ({ needsYou: "needsYou" in dataset }));
      const next = rowAfterKey(event.key, states, current);
      if (next !== null) {
        event.preventDefault();
        rows[next]?.focus();
      } else if (event.key === "n") {
        announce("Nothing needs you.");
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [list]);
}

/** In a field, or in a dialog over the page. */
function isElsewhere(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest("input, select, textarea, [role=dialog], [role=alertdialog]") !== null;
}
