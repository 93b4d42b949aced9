/** `atelier workspaces create`: also makes the token, because nothing works without. */
import { ok } from "@atelier/base/result";
import { createWorkspace } from "@atelier/contract/http/workspaces";
import { attachText, issueToken, TOKEN_NOTE } from "../agent-token-outcome.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const workspacesCreate = defineCommand({
  name: "workspaces create",
  summary: "Create a workspace, and show how to attach a machine to it",
  examples: ["atelier workspaces create box"],
  args: { name: argument("a name of your choice") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const created = await api.value.call(createWorkspace, {
      params: { user: "me" },
      body: { name: args.name },
    });
    if (!created.ok) return created;
    const issued = await issueToken(api.value, created.value.id);
    if (!issued.ok) return issued;
    return ok(
      shown({
        json: { workspace: created.value, ...issued.value },
        text: () => safe`Created workspace ${args.name}.\n\n` + attachText(issued.value),
        note: TOKEN_NOTE,
      }),
    );
  },
});
