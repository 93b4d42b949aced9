/** What people call a tool server. */
import type { McpServer } from "@atelier/contract/http/mcp-servers";

export function serverName({
  display_name: name,
  slug,
}: Pick<McpServer, "display_name" | "slug">): string {
  return name === "" ? slug : name;
}
