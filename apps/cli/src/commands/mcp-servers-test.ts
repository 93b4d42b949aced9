/** `atelier mcp-servers test`. */
import { fail, ok } from "@atelier/base/result";
import { testMcpServer } from "@atelier/contract/http/mcp-servers";
import { plainFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { findMcpServer, SERVER_ARGUMENT } from "../mcp-server-lookup.ts";
import { table, type Cell } from "../output/people.ts";

export const mcpServersTest = defineCommand({
  name: "mcp-servers test",
  summary: "Connect to a tool server, and list its tools",
  examples: ["atelier mcp-servers test wiki"],
  args: { server: argument(SERVER_ARGUMENT) },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findMcpServer(api.value, args.server);
    if (!found.ok) return found;
    const tested = await api.value.call(testMcpServer, { params: { server: found.value.id } });
    if (!tested.ok) return tested;
    const { tools, message = "It did not work." } = tested.value;
    if (!tested.value.ok) return fail(plainFailure(message));
    const columns = ["TOOL", "ALLOWED", "DOES"].map((title) => ({ title }));
    const rows = tools.map(({ name, description, is_allowed: isAllowed }): Cell[] => [
      ...[name, isAllowed ? "yes" : "no", description.split("\n")[0] ?? ""],
    ]);
    const text = (): string =>
      tools.length === 0 ? "It answers, and offers no tools." : table(cli.look, columns, rows);
    return ok(shown({ json: tested.value, text }));
  },
});
