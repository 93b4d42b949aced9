/** Which workspace people mean: by its name, by owner and name, or by its id. */
import type { Result } from "@atelier/base/result";
import {
  getWorkspace,
  getWorkspaceByName,
  type Workspace,
} from "@atelier/contract/http/workspaces";
import type { z } from "zod";
import type { CliFailure } from "./cli-failure.ts";
import type { Api } from "./cli.ts";

export const WORKSPACE_ARGUMENT = "a workspace: its name, owner/name, or id";

export type WorkspaceAnswer = z.output<typeof Workspace>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Without an owner it is one of one's own. */
export function findWorkspace(api: Api, ref: string): Promise<Result<WorkspaceAnswer, CliFailure>> {
  if (UUID.test(ref)) return api.call(getWorkspace, { params: { workspace: ref } });
  const slash = ref.indexOf("/");
  const user = slash === -1 ? "me" : ref.slice(0, slash);
  return api.call(getWorkspaceByName, { params: { user, name: ref.slice(slash + 1) } });
}
