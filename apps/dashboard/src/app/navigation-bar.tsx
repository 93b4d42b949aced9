/** The navigation beside the page, where there is room. */
import { Link, useLocation } from "@tanstack/react-router";
import { Icon } from "../ui/icon.tsx";
import { currentInNavigation, navigationGroups } from "./navigation.ts";
import type { PageEntry } from "./page-entry.ts";
import { useSignedIn } from "./signed-in.ts";

type NavigationBarProps = {
  readonly pages: readonly PageEntry[];
  readonly onFind: () => void;
};

export function NavigationBar({ pages, onFind }: NavigationBarProps) {
  return (
    <aside className="sticky top-0 hidden h-screen flex-col overflow-y-auto border-r border-line bg-surface px-3 py-4 md:flex">
      <Link className="mb-3 flex items-center gap-2 rounded-md px-2 py-1 font-semibold" to="/">
        <img alt="" height="22" src="./favicon.svg" width="22" />
        Atelier
      </Link>
      <button
        className="mb-3 flex min-h-9 items-center gap-2 rounded-md border border-line px-2 text-muted hover:bg-hover"
        onClick={onFind}
        type="button"
      >
        <Icon name="search" size={16} />
        <span className="flex-1 text-left">Find</span>
        <kbd className="font-mono text-xs">Ctrl K</kbd>
      </button>
      <NavigationLinks pages={pages} />
    </aside>
  );
}

type NavigationLinksProps = {
  readonly pages: readonly PageEntry[];
  readonly onGo?: () => void;
};

export function NavigationLinks({ pages, onGo }: NavigationLinksProps) {
  const { pathname } = useLocation();
  const { username } = useSignedIn();
  const current = currentInNavigation(pages, pathname);
  return (
    <nav aria-label="Pages" className="flex flex-1 flex-col gap-4">
      {navigationGroups(pages).map((group) => (
        <div key={group.section}>
          <h2 className="px-2 pb-1 text-xs font-medium text-muted">
            {group.section === "You" ? username : group.section}
          </h2>
          <ul>
            {group.pages.map(({ path, title, navigation }) => (
              <li key={path}>
                <Link
                  aria-current={path === current ? "page" : undefined}
                  className="flex min-h-9 items-center gap-2.5 rounded-md px-2 hover:bg-hover aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent"
                  onClick={onGo}
                  to={path}
                >
                  {navigation !== undefined && <Icon name={navigation.icon} size={17} />}
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
