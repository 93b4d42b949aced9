/** `atelier mcp-servers list`. */
import { ok } from "@atelier/base/result";
import { listMcpServers } from "@atelier/contract/http/mcp-servers";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { mcpServersTable } from "../output/mcp-server-fields.ts";

export const mcpServersList = defineCommand({
  name: "mcp-servers list",
  summary: "List the tool servers that chats can use; for administrators all",
  examples: ["atelier mcp-servers list"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const listed = await api.value.call(listMcpServers, {});
    if (!listed.ok) return listed;
    const { servers } = listed.value;
    const text = (): string =>
      servers.length === 0
        ? "No tool servers. An administrator adds one with `atelier mcp-servers create`."
        : mcpServersTable(cli.look, servers);
    return ok(shown({ json: listed.value, text }));
  },
});
