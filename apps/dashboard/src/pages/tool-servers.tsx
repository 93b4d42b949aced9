/** The tool servers (MCP) that chats can use. */
import { listMcpServers } from "@atelier/contract/http/mcp-servers";
import { Link } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import {
  AUTH_WORDS,
  AVAILABILITY_WORDS,
  type ToolServerView,
} from "../tool-servers/server-values.ts";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";

export function Page() {
  const query = useEndpoint(listMcpServers, {});
  const mayChange = useMay("chat_setting:update");
  const add = mayChange && (
    <ButtonLink look="main" to="/ai/settings/mcp-servers/new">
      Add a tool server
    </ButtonLink>
  );
  return (
    <>
      <PageHead
        about="Servers of the Model Context Protocol (MCP): what agents can do besides working on machines."
        title="Tool servers"
      >
        {add}
      </PageHead>
      <Loaded query={query} what="tool servers">
        {({ servers }) =>
          servers.length === 0 ? (
            <EmptyState icon="tool" title="No tool server yet">
              <p>
                A wiki, a ticket system, a search: a server that offers tools by MCP gives them to
                your agents. Its credentials stay here.
              </p>
              {add}
            </EmptyState>
          ) : (
            <DataTable
              columns={COLUMNS}
              label="Tool servers"
              rowKey={({ id }) => id}
              rows={servers}
            />
          )
        }
      </Loaded>
    </>
  );
}

const COLUMNS: readonly Column<ToolServerView>[] = [
  {
    title: "Server",
    cell: ({ id, slug, display_name: displayName, description }) => (
      <>
        <Link
          className="font-medium text-accent underline-offset-2 hover:underline"
          to={`/ai/settings/mcp-servers/${id}`}
        >
          {displayName === "" ? slug : displayName}
        </Link>
        <div className="text-xs text-muted">
          {[
            ...(displayName === "" ? [] : [slug]),
            ...(description === "" ? [] : [description]),
          ].join(" · ")}
        </div>
      </>
    ),
  },
  {
    title: "State",
    cell: ({ enabled }) => (
      <Badge tone={enabled ? "good" : "neutral"}>{enabled ? "in use" : "switched off"}</Badge>
    ),
  },
  { title: "Who has it", cell: ({ availability }) => AVAILABILITY_WORDS[availability] },
  { title: "Credentials", isMinor: true, cell: ({ auth_type: auth }) => AUTH_WORDS[auth] },
  {
    title: "URL",
    isMinor: true,
    cell: ({ url }) => <code className="font-mono text-xs break-all">{url}</code>,
  },
];
