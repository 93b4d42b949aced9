/**
 * A page as data. The router, the navigation, the palette of commands and the keyboard's help are all
 * made from such entries: a page is added by adding one to page-entries.ts.
 */
import type { Permission } from "@atelier/contract/permissions";
import type { ComponentType } from "react";
import type { IconName } from "../ui/icon.tsx";

export const NAVIGATION_SECTIONS = [
  "Work",
  "AI gateway",
  "Agents",
  "Administration",
  "You",
] as const;
export type NavigationSection = (typeof NAVIGATION_SECTIONS)[number];

export type PageEntry = {
  /** Parts that begin with `$` are parameters. */
  readonly path: `/${string}`;
  /** Of the browser's tab, the navigation and the palette. */
  readonly title: string;
  /** Code that is fetched when the page is opened. */
  readonly load: () => Promise<{ readonly Page: ComponentType }>;
  /** Shown to whoever has this for everybody's things. Absent: to all who are signed in. */
  readonly permission?: Permission;
  /** Absent: reached from another page. */
  readonly navigation?: {
    readonly section: NavigationSection;
    readonly icon: IconName;
    /** Pressed after `g`. */
    readonly key: string;
  };
  /** Other words that people look for it by. */
  readonly words?: string;
};
