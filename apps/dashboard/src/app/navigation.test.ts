import assert from "node:assert/strict";
import { test } from "node:test";
import { currentInNavigation, findPages, navigationGroups, offeredPages } from "./navigation.ts";
import type { PageEntry } from "./page-entry.ts";

const load = (): Promise<never> => Promise.reject(new Error("not opened here"));
const at = (path: `/${string}`, title: string, more: Partial<PageEntry> = {}): PageEntry => ({
  path,
  title,
  load,
  navigation: { section: "Work", icon: "home", key: "x" },
  ...more,
});
const PAGES = [
  at("/", "Home"),
  at("/workspaces", "Workspaces", { words: "machines" }),
  at("/deployment/users", "Users", {
    permission: "user:create",
    navigation: { section: "Administration", icon: "users", key: "u" },
  }),
  { path: "/$owner/$name", title: "Workspace", load } satisfies PageEntry,
];

const paths = (pages: readonly PageEntry[]): readonly string[] => pages.map(({ path }) => path);

test("people are offered what their roles allow", () => {
  assert.deepEqual(paths(offeredPages(PAGES, [])), ["/", "/workspaces", "/$owner/$name"]);
  assert.deepEqual(paths(offeredPages(PAGES, ["user-admin"])), paths(PAGES));
});

test("sections stand in their order, and without those that are empty", () => {
  const groups = navigationGroups(PAGES).map(({ section, pages }) => [section, paths(pages)]);
  assert.deepEqual(groups, [
    ["Work", ["/", "/workspaces"]],
    ["Administration", ["/deployment/users"]],
  ]);
});

for (const [pathname, current] of [
  ["/", "/"],
  ["/workspaces", "/workspaces"],
  ["/workspaces/new", "/workspaces"],
  ["/workspaces-two", undefined],
  ["/ann/dev", undefined],
] as const) {
  test(`at ${pathname} the navigation marks ${current ?? "nothing"}`, () => {
    assert.equal(currentInNavigation(PAGES, pathname), current);
  });
}

test("pages are found by title first, then by other words, and only those that need no parameter", () => {
  assert.deepEqual(paths(findPages(PAGES, "")), ["/", "/workspaces", "/deployment/users"]);
  assert.deepEqual(paths(findPages(PAGES, "work")), ["/workspaces", "/"]);
  assert.deepEqual(paths(findPages(PAGES, "Machines")), ["/workspaces"]);
  assert.deepEqual(paths(findPages(PAGES, "users zebra")), []);
});
