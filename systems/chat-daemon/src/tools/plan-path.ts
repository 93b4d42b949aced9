/** Where a chat's plan lies in its workspace, and which paths are none (spec agents 6.2). */
import type { ToolChat } from "./tool.ts";

export const PLANS_DIRECTORY = "~/.atelier/plans";

export function planPathOf(chatId: string): string {
  return `${PLANS_DIRECTORY}/PLAN-${chatId}.md`;
}

/** Null: the chat may write there. `home` is null where it is not known. */
export function refusedPath(chat: ToolChat, path: string, home: string | null): string | null {
  const plan = planPathOf(chat.id);
  const expanded =
    home !== null && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
  if (chat.planMode === "plan" && expanded !== plan) {
    return `In plan mode only the plan file may be written: ${plan}`;
  }
  const directory = expanded.slice(0, expanded.lastIndexOf("/"));
  const isPlanFile = /(?:^|\/)plan\.md$/i.test(expanded);
  const isAbsolute = path.startsWith("/") || path.startsWith("~/");
  if (isPlanFile && (!isAbsolute || directory === "~")) {
    return `A plan does not belong there. Write it to ${plan}`;
  }
  return null;
}
