/** Workspaces by a part of their name, for the palette. */
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useSettled } from "../browser/settled.ts";
import { workspaceQuery, type WorkspaceView } from "./workspace-words.ts";

const SETTLED_MS = 150;
const FOUND_MAX = 5;
const TYPED_MIN = 2;

/** None for less than two letters. */
export function useFoundWorkspaces(typed: string): readonly WorkspaceView[] {
  const text = useSettled(typed.trim(), SETTLED_MS);
  const isWanted = text.length >= TYPED_MIN;
  const input = { query: { q: workspaceQuery(text, ""), limit: FOUND_MAX } };
  const { data } = useEndpoint(listWorkspaces, input, { isWanted });
  return isWanted ? (data?.workspaces ?? []) : [];
}
