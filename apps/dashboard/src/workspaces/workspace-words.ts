/** Workspaces in words: their state, and how one searches them. */
import type { CallAnswer } from "@atelier/contract/client";
import type { getWorkspace, WorkspaceStatus } from "@atelier/contract/http/workspaces";
import type { Tone } from "../ui/badge.tsx";

export type WorkspaceView = CallAnswer<typeof getWorkspace>;

export const STATUS_WORDS: Readonly<
  Record<WorkspaceStatus, { readonly tone: Tone; readonly words: string }>
> = {
  connecting: { tone: "neutral", words: "not attached yet" },
  connected: { tone: "good", words: "connected" },
  disconnected: { tone: "warn", words: "disconnected" },
};

export function workspacePath({ owner_name: owner, name }: WorkspaceView): string {
  return `/${owner}/${name}`;
}

/** What people type is a part of the name, unless it is terms already. Undefined: everything. */
export function workspaceQuery(typed: string, status: string): string | undefined {
  const text = typed.trim();
  const terms =
    text === "" || /^\w+:/.test(text) ? text : `name:"${text.replaceAll(/["\\]/g, "")}"`;
  const q = [terms, status === "" ? "" : `status:${status}`].filter(Boolean).join(" ");
  return q === "" ? undefined : q;
}
