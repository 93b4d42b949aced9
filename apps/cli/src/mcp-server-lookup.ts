/** Which tool server people mean: by slug or id. */
import { fail, ok, type Result } from "@atelier/base/result";
import { listMcpServers, type McpServer } from "@atelier/contract/http/mcp-servers";
import { plainFailure, type CliFailure } from "./cli-failure.ts";
import type { Api } from "./cli.ts";

export const SERVER_ARGUMENT = "a tool server: its slug or id";

export async function findMcpServer(api: Api, ref: string): Promise<Result<McpServer, CliFailure>> {
  const listed = await api.call(listMcpServers, {});
  if (!listed.ok) return listed;
  const found = listed.value.servers.find(({ id, slug }) => id === ref || slug === ref);
  return found === undefined
    ? fail(plainFailure(`No tool server is called ${ref}.`, "See `atelier mcp-servers list`."))
    : ok(found);
}
