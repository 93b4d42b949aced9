/** The navigation beside the page, where there is room. */
import { Link, useLocation } from "@tanstack/react-router";
import { useAttention } from "../chats/attention/attention-store.ts";
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
                  {path === "/chats" && <WaitingCount />}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** How many agents wait for the person. Nothing while none do. */
function WaitingCount() {
  const { waitingIds, hasMore } = useAttention();
  if (waitingIds.length === 0) return null;
  return (
    <span className="ml-auto rounded-full bg-warn-soft px-2 text-xs leading-5 font-medium text-warn tabular-nums">
      {waitingIds.length}
      {hasMore && "+"}
      <span className="sr-only"> {waitingIds.length === 1 ? "needs you" : "need you"}</span>
    </span>
  );
}
