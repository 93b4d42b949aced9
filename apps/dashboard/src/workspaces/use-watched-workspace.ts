/** A workspace by its owner and name, as it is at each moment: the server tells of every change. */
import { requestPath } from "@atelier/contract/client";
import { watchWorkspace } from "@atelier/contract/http/workspace-sockets";
import { getWorkspaceByName, Workspace } from "@atelier/contract/http/workspaces";
import { useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import { keyOf, useEndpoint } from "../api/use-endpoint.ts";
import { openEvents } from "../browser/host.ts";
import type { WorkspaceView } from "./workspace-words.ts";

/** In case the events do not arrive: some proxies hold them back. */
const LOOK_AGAIN_MS = 15_000;

export function useWatchedWorkspace(owner: string, name: string): UseQueryResult<WorkspaceView> {
  const queryClient = useQueryClient();
  const query = useEndpoint(
    getWorkspaceByName,
    { params: { user: owner, name } },
    { everyMs: LOOK_AGAIN_MS },
  );
  const id = query.data?.id;
  useEffect(() => {
    const path = id === undefined ? null : requestPath(watchWorkspace.path, { workspace: id }, {});
    if (path === null) return undefined;
    const events = openEvents(path);
    events.addEventListener("data", ({ data }: MessageEvent<unknown>) => {
      const told = Workspace.safeParse(JSON.parse(String(data)));
      if (!told.success) return; // Of a newer server: the page asks by itself.
      queryClient.setQueryData(
        keyOf(getWorkspaceByName, { params: { user: owner, name } }),
        told.data,
      );
    });
    return () => events.close();
  }, [id, owner, name, queryClient]);
  return query;
}
