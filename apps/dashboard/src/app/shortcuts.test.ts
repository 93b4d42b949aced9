import assert from "node:assert/strict";
import { test } from "node:test";
import type { PageEntry } from "./page-entry.ts";
import { meaningOf } from "./shortcuts.ts";

const PAGES: readonly PageEntry[] = [
  {
    path: "/workspaces",
    title: "Workspaces",
    load: () => Promise.reject(new Error("not opened here")),
    navigation: { section: "Work", icon: "workspace", key: "w" },
  },
];
const PLAIN = { ctrlKey: false, metaKey: false, altKey: false };
const IDLE = { isTyping: false, isAwaitingPage: false };

for (const [name, press, state, meaning] of [
  ["Ctrl K opens the palette", { key: "k", ctrlKey: true }, IDLE, { kind: "palette" }],
  ["so does ⌘ K", { key: "k", metaKey: true }, IDLE, { kind: "palette" }],
  [
    "also while typing",
    { key: "K", ctrlKey: true },
    { ...IDLE, isTyping: true },
    { kind: "palette" },
  ],
  ["a question mark asks for help", { key: "?" }, IDLE, { kind: "help" }],
  ["but not in a field", { key: "?" }, { ...IDLE, isTyping: true }, null],
  ["g waits for a page", { key: "g" }, IDLE, { kind: "await_page" }],
  ["Ctrl G is the browser's", { key: "g", ctrlKey: true }, IDLE, null],
  [
    "the page's key goes there",
    { key: "w" },
    { ...IDLE, isAwaitingPage: true },
    { kind: "page", path: "/workspaces" },
  ],
  ["alone it does nothing", { key: "w" }, IDLE, null],
  ["a key of no page ends the wait", { key: "z" }, { ...IDLE, isAwaitingPage: true }, null],
  ["n leads to the next agent that needs one", { key: "n" }, IDLE, { kind: "next" }],
  ["a slash searches", { key: "/" }, IDLE, { kind: "search" }],
] as const) {
  test(name, () => {
    assert.deepEqual(meaningOf({ ...PLAIN, ...press }, state, PAGES), meaning);
  });
}
