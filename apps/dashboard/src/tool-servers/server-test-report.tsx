/** What a tool server answered when it was tried: its tools, and which of them chats get. */
import type { testMcpServer } from "@atelier/contract/http/mcp-servers";
import type { CallAnswer } from "@atelier/contract/client";
import { Badge } from "../ui/badge.tsx";

type Report = CallAnswer<typeof testMcpServer>;

export function ToolServerTestReport({ report }: { readonly report: Report }) {
  const { ok: isFine, message, tools } = report;
  const allowed = tools.filter((tool) => tool.is_allowed).length;
  return (
    <div className="space-y-3">
      <p className="flex flex-wrap items-center gap-2 font-medium">
        <Badge tone={isFine ? "good" : "bad"}>{isFine ? "answers" : "failed"}</Badge>
        {isFine
          ? `${tools.length} ${tools.length === 1 ? "tool" : "tools"}, ${allowed} for chats`
          : (message ?? "It does not answer as a tool server does.")}
      </p>
      {!isFine && (
        <p className="text-muted">
          Check the URL, whether this server can reach it, and the credentials.
        </p>
      )}
      {tools.length > 0 && (
        <ul className="space-y-2">
          {tools.map(({ name, description, is_allowed: isAllowed }) => (
            <li className="rounded-md border border-line p-2.5" key={name}>
              <p className="flex flex-wrap items-center gap-2">
                <code className="font-mono break-all">{name}</code>
                {!isAllowed && <Badge>refused here</Badge>}
              </p>
              {description !== "" && (
                <p className="line-clamp-3 break-words text-muted">{description}</p>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
