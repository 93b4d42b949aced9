/** `atelier workspaces show`. */
import { ok } from "@atelier/base/result";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { workspaceFields } from "../output/workspace-fields.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const workspacesShow = defineCommand({
  name: "workspaces show",
  summary: "Show one workspace and its machine",
  examples: ["atelier workspaces show box", "atelier workspaces show ann/box"],
  args: { workspace: argument(WORKSPACE_ARGUMENT) },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findWorkspace(api.value, args.workspace);
    if (!found.ok) return found;
    return ok(shown({ json: found.value, text: () => workspaceFields(cli.look, found.value) }));
  },
});
