/** What stands around every page of a signed-in person: navigation, palette, keyboard, messages. */
import { Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useRef, useState, type ComponentType } from "react";
import { nextWaiting, useAttention } from "../chats/attention/attention-store.ts";
import { announce, Announcements } from "../ui/announcements.tsx";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { offeredPages } from "./navigation.ts";
import { NavigationBar } from "./navigation-bar.tsx";
import { PAGES } from "./page-entries.ts";
import { usePaletteActions } from "./palette-actions.ts";
import type { ShellDialog } from "./shell-dialogs.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { useSignedIn } from "./signed-in.ts";

const loadDialogs = () => import("./shell-dialogs.tsx");
const ShellDialogs = lazy(async () => ({ default: (await loadDialogs()).ShellDialogs }));

type AttentionProps = { readonly onGo: (path: string) => void };
const Attention = lazy<ComponentType<AttentionProps>>(() =>
  import("../chats/attention/attention.tsx").then(
    ({ Attention: loaded }) => ({ default: loaded }),
    // Without it pages work; none says that somebody waits.
    () => ({ default: () => null }),
  ),
);

export function Shell() {
  const { roles } = useSignedIn();
  const pages = useMemo(() => offeredPages(PAGES, roles), [roles]);
  const [open, setOpen] = useState<ShellDialog | null>(null);
  const main = useRef<HTMLElement>(null);
  const keys = useKeys(setOpen);
  useShortcuts(pages, keys);
  // They are there before anybody has read the page, and no part of what the first page waits for.
  const [areDialogsThere, setAreDialogsThere] = useState(false);
  useEffect(() => {
    loadDialogs().then(
      () => setAreDialogsThere(true),
      () => {}, // They are fetched again when one is opened, and then it is told.
    );
  }, []);
  const close = (): void => setOpen(null);
  const actions = usePaletteActions(keys.openHelp, keys.openNext);
  return (
    <div className="min-h-screen md:grid md:grid-cols-[14rem_minmax(0,1fr)]">
      <button
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent-fill px-3 py-2 text-white focus:translate-y-0"
        onClick={() => main.current?.focus()}
        type="button"
      >
        Skip to the page
      </button>
      <NavigationBar onFind={keys.openPalette} pages={pages} />
      <PhoneBar onFind={keys.openPalette} onMenu={() => setOpen("navigation")} />
      <main className="min-w-0 px-4 py-5 md:px-8 md:py-7" ref={main} tabIndex={-1}>
        <div className="mx-auto max-w-5xl">
          <Outlet />
        </div>
      </main>
      {(areDialogsThere || open !== null) && (
        <Suspense>
          <ShellDialogs
            actions={actions}
            onClose={close}
            onGo={keys.goTo}
            open={open}
            pages={pages}
          />
        </Suspense>
      )}
      {areDialogsThere && (
        <Suspense>
          <Attention onGo={keys.goTo} />
        </Suspense>
      )}
      <Announcements />
    </div>
  );
}

/** What keys and the palette do. */
function useKeys(open: (dialog: ShellDialog) => void) {
  const navigate = useNavigate();
  const router = useRouter();
  return useMemo(() => {
    const goTo = (path: string): void => {
      navigate({ to: path }).catch(() => {}); // The router shows what went wrong.
    };
    const openNext = (): void => {
      const shown = /^\/chats\/([\da-f-]{36})$/.exec(router.state.location.pathname)?.[1] ?? null;
      const next = nextWaiting(shown);
      if (next === null) announce("No other agent needs you.");
      else goTo(`/chats/${next}`);
    };
    return {
      openPalette: () => open("palette"),
      openHelp: () => open("help"),
      goTo,
      openNext,
      goToNext: () => {
        // There it goes through the list.
        if (router.state.location.pathname === "/chats") return false;
        openNext();
        return true;
      },
    };
  }, [navigate, router, open]);
}

type PhoneBarProps = { readonly onMenu: () => void; readonly onFind: () => void };

function PhoneBar({ onMenu, onFind }: PhoneBarProps) {
  const waiting = useAttention().waitingIds.length;
  return (
    <header className="sticky top-0 z-30 flex items-center gap-1 border-b border-line bg-surface px-2 py-1.5 md:hidden">
      <IconButton label="Navigation" onClick={onMenu}>
        <Icon name="menu" />
      </IconButton>
      <span className="flex-1 font-semibold">Atelier</span>
      {waiting > 0 && (
        <Link className="flex min-h-9 items-center rounded-md px-2" to="/chats">
          <span className="rounded-full bg-warn-soft px-2 text-xs leading-6 font-medium text-warn">
            {waiting === 1 ? "1 needs you" : `${waiting} need you`}
          </span>
        </Link>
      )}
      <IconButton label="Find a page or an action" onClick={onFind}>
        <Icon name="search" />
      </IconButton>
    </header>
  );
}
