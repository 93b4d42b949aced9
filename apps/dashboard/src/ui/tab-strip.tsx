/** The parts of a page, each with an address of its own: `?tab=`. On a phone the strip scrolls. */
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

type TabStripProps = {
  readonly label: string;
  /** An empty id is the part that is shown where the address names none. */
  readonly tabs: readonly { readonly id: string; readonly title: string }[];
  readonly shown: string;
};

export function TabStrip({ label, tabs, shown }: TabStripProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const current = list.current?.querySelector("[aria-current]");
    current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown]);
  return (
    <nav aria-label={label} className="mb-4 overflow-x-auto border-b border-line">
      <ul className="flex gap-1" ref={list}>
        {tabs.map(({ id, title }) => (
          <li key={id}>
            <Link
              aria-current={id === shown ? "page" : undefined}
              className={`block border-b-2 px-3 py-2 font-medium whitespace-nowrap ${id === shown ? "border-accent text-ink" : "border-transparent text-muted hover:text-ink"}`}
              replace
              search={{ tab: id }}
              to="."
            >
              {title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
