/** `atelier workspaces token`. */
import { ok } from "@atelier/base/result";
import { attachText, issueToken, TOKEN_NOTE } from "../agent-token-outcome.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const workspacesToken = defineCommand({
  name: "workspaces token",
  summary: "Make a new token for a workspace's machine; the former one is void",
  details: "A machine that is attached by the former token is cut off at once.",
  examples: ["atelier workspaces token box", "atelier workspaces token box -y --json"],
  args: { workspace: argument(WORKSPACE_ARGUMENT) },
  options: { yes: YES_OPTION },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findWorkspace(api.value, args.workspace);
    if (!found.ok) return found;
    const question = `Make a new token for ${args.workspace}, and cut off a machine that uses the former one?`;
    const sure = await confirmed(cli, options.yes, question);
    if (!sure.ok) return sure;
    const issued = await issueToken(api.value, found.value.id);
    if (!issued.ok) return issued;
    const text = (): string => attachText(issued.value);
    return ok(shown({ json: issued.value, text, note: TOKEN_NOTE }));
  },
});
