/** `atelier workspaces delete`. */
import { deleteWorkspace } from "@atelier/contract/http/workspaces";
import { argument, defineCommand } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const workspacesDelete = defineCommand({
  name: "workspaces delete",
  summary: "Delete a workspace; its machine is cut off, and nothing on it is touched",
  examples: ["atelier workspaces delete box", "atelier workspaces delete ann/box -y"],
  args: { workspace: argument(WORKSPACE_ARGUMENT) },
  options: { yes: YES_OPTION },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Delete workspace ${args.workspace}?`,
      remove: async (api) => {
        const found = await findWorkspace(api, args.workspace);
        if (!found.ok) return found;
        return api.call(deleteWorkspace, { params: { workspace: found.value.id } });
      },
      json: { deleted: args.workspace },
      text: safe`Deleted workspace ${args.workspace}.`,
    }),
});
