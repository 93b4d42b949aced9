/** What of the pages a person is offered, and where. Pure: made from the entries and their roles. */
import { rolesAllow, type Role } from "@atelier/contract/permissions";
import { NAVIGATION_SECTIONS, type NavigationSection, type PageEntry } from "./page-entry.ts";

export type NavigationGroup = {
  readonly section: NavigationSection;
  readonly pages: readonly PageEntry[];
};

export function offeredPages(
  pages: readonly PageEntry[],
  roles: readonly Role[],
): readonly PageEntry[] {
  return pages.filter(
    ({ permission }) => permission === undefined || rolesAllow(roles, permission, { isOwn: false }),
  );
}

/** Sections without a page are left out. */
export function navigationGroups(pages: readonly PageEntry[]): readonly NavigationGroup[] {
  return NAVIGATION_SECTIONS.map((section) => ({
    section,
    pages: pages.filter(({ navigation }) => navigation?.section === section),
  })).filter((group) => group.pages.length > 0);
}

/** The path of the page in the navigation that an address belongs to: the longest that leads to it. */
export function currentInNavigation(
  pages: readonly PageEntry[],
  pathname: string,
): string | undefined {
  return pages
    .filter(({ navigation, path }) => navigation !== undefined && isBelow(path, pathname))
    .toSorted((a, b) => b.path.length - a.path.length)[0]?.path;
}

/** Everything is below `/`, but only `/` itself is that page. */
function isBelow(path: string, pathname: string): boolean {
  return path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`);
}

/** Pages that need nothing but their address, best match first, for what a person has typed. */
export function findPages(pages: readonly PageEntry[], typed: string): readonly PageEntry[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return pages
    .filter(({ path }) => !path.includes("$"))
    .map((page) => ({ page, rank: rankOf(page, wanted) }))
    .filter(({ rank }) => rank > 0)
    .toSorted((a, b) => b.rank - a.rank)
    .map(({ page }) => page);
}

/** 0: not what was typed. */
function rankOf({ title, words = "", navigation }: PageEntry, wanted: readonly string[]): number {
  const name = title.toLowerCase();
  const other = `${words} ${navigation?.section ?? ""}`.toLowerCase();
  let rank = 1;
  for (const word of wanted) {
    if (name.startsWith(word)) rank += 4;
    else if (name.includes(word)) rank += 2;
    else if (other.includes(word)) rank += 1;
    else return 0;
  }
  return rank;
}
