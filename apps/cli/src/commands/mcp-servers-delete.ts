/** `atelier mcp-servers delete`. */
import { deleteMcpServer } from "@atelier/contract/http/mcp-servers";
import { argument, defineCommand } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { findMcpServer, SERVER_ARGUMENT } from "../mcp-server-lookup.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const mcpServersDelete = defineCommand({
  name: "mcp-servers delete",
  summary: "Delete a tool server; chats go on without its tools",
  examples: ["atelier mcp-servers delete wiki -y"],
  args: { server: argument(SERVER_ARGUMENT) },
  options: { yes: YES_OPTION },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Delete tool server ${args.server}?`,
      remove: async (api) => {
        const found = await findMcpServer(api, args.server);
        if (!found.ok) return found;
        return api.call(deleteMcpServer, { params: { server: found.value.id } });
      },
      json: { deleted: args.server },
      text: safe`Deleted tool server ${args.server}.`,
    }),
});
