/** `atelier mcp-servers disconnect`. */
import { ok } from "@atelier/base/result";
import { signOutOfMcpServer } from "@atelier/contract/http/mcp-servers";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { findMcpServer, SERVER_ARGUMENT } from "../mcp-server-lookup.ts";
import { safe } from "../output/terminal-safe.ts";

export const mcpServersDisconnect = defineCommand({
  name: "mcp-servers disconnect",
  summary: "Sign out of a tool server; its tokens are forgotten, and revoked where that works",
  examples: ["atelier mcp-servers disconnect wiki"],
  args: { server: argument(SERVER_ARGUMENT) },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findMcpServer(api.value, args.server);
    if (!found.ok) return found;
    const { id, slug } = found.value;
    const done = await api.value.call(signOutOfMcpServer, { params: { server: id } });
    if (!done.ok) return done;
    return ok(shown({ json: { disconnected: slug }, text: () => safe`Signed out of ${slug}.` }));
  },
});
