/** Terminals of a workspace as tabs. */
import type { CallAnswer } from "@atelier/contract/client";
import type { listWorkspaceTerminals } from "@atelier/contract/http/workspace-processes";

type TerminalView = CallAnswer<typeof listWorkspaceTerminals>["terminals"][number];

export type TerminalTab = { readonly id: string; readonly title: string };

/** Those that run, in the order of their making, and the shown one, which may only be about to run. */
export function terminalTabs(
  terminals: readonly TerminalView[],
  shownId: string,
): readonly TerminalTab[] {
  const kept = terminals.filter(({ id, state }) => state === "running" || id === shownId);
  const tabs = kept.map(({ id, title, command }, index) => ({
    id,
    title: title.trim() || command.trim() || `Terminal ${index + 1}`,
  }));
  if (tabs.some(({ id }) => id === shownId)) return tabs;
  return [...tabs, { id: shownId, title: `Terminal ${tabs.length + 1}` }];
}
