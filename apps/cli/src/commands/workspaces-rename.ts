/** `atelier workspaces rename`. */
import { ok } from "@atelier/base/result";
import { updateWorkspace } from "@atelier/contract/http/workspaces";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const workspacesRename = defineCommand({
  name: "workspaces rename",
  summary: "Rename a workspace",
  examples: ["atelier workspaces rename box crate"],
  args: { workspace: argument(WORKSPACE_ARGUMENT), name: argument("its new name") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findWorkspace(api.value, args.workspace);
    if (!found.ok) return found;
    const renamed = await api.value.call(updateWorkspace, {
      params: { workspace: found.value.id },
      body: { name: args.name },
    });
    if (!renamed.ok) return renamed;
    const text = (): string => safe`Renamed workspace ${found.value.name} to ${args.name}.`;
    return ok(shown({ json: renamed.value, text }));
  },
});
