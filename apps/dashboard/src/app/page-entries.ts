/** Every page of a signed-in person. To add one: an entry here, and a module that exports `Page`. */
import type { PageEntry } from "./page-entry.ts";

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    title: "Home",
    load: () => import("../pages/home.tsx"),
    navigation: { section: "Work", icon: "home", key: "h" },
    words: "start overview",
  },
];
