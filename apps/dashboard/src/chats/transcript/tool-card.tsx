/**
 * One call of a tool: a line that says what, how long and how it went; opened, all there is of it. Each
 * part of the line has its place from the first moment, so that nothing moves when more is known.
 */
import { memo } from "react";
import { isBusy } from "@atelier/contract/chat/chat-view";
import { useLinkState } from "../page/chat-scene.ts";
import { Disclosure } from "./disclosure.tsx";
import { AgentLink, ToolDetails } from "./tool-details.tsx";

import { agentChatOf, endText, toolEnd, toolLine, type ToolEnd } from "./tool-words.ts";
import type { ToolRow } from "./transcript-rows.ts";

const SIGNS: Readonly<Record<ToolEnd["state"], { readonly sign: string; readonly look: string }>> =
  {
    running: { sign: "●", look: "text-accent" },
    done: { sign: "✓", look: "text-good" },
    failed: { sign: "✕", look: "text-bad" },
    background: { sign: "◐", look: "text-accent" },
    unknown: { sign: "–", look: "text-muted" },
  };

/** Their results say which agent it is about. */
const AGENT_TOOLS: ReadonlySet<string> = new Set(["spawn_agent", "wait_agent", "message_agent"]);

export const ToolCard = memo(
  function ToolCard({ row }: { readonly row: ToolRow }) {
    const isWorking = useLinkState(({ view }) => view.status !== null && isBusy(view.status));
    const end = toolEnd(row, isWorking);
    const named = row.call ?? { tool_name: row.result?.tool_name ?? "tool", args: {} };
    const { verb, subject } = toolLine(named, end.state !== "running");
    const { sign, look } = SIGNS[end.state];
    const agent = agentChatOf(row);
    const isOfAgent = agent !== null || AGENT_TOOLS.has(named.tool_name);
    const isCommand = row.call?.tool_name === "execute";
    return (
      <Disclosure
        aside={isOfAgent ? <AgentLink chatId={agent} /> : undefined}
        line={
          <>
            <span aria-hidden="true" className={`w-3 text-center text-xs ${look}`}>
              {sign}
            </span>
            <span className="w-44 max-w-[45%] shrink-0 truncate font-medium text-ink" title={verb}>
              {verb}
            </span>
            <span className={`min-w-0 flex-1 truncate ${isCommand ? "font-mono text-xs" : ""}`}>
              {subject}
            </span>
            <span
              title={end.state === "running" ? undefined : endText(end)}
              className={`w-36 shrink-0 truncate text-xs tabular-nums max-sm:w-24 ${end.state === "failed" ? "text-bad" : ""}`}
            >
              {end.state === "running" ? "running" : endText(end)}
            </span>
          </>
        }
        rowKey={row.key}
      >
        {() => <ToolDetails row={row} />}
      </Disclosure>
    );
  },
  ({ row: before }, { row }) =>
    before.key === row.key && before.call === row.call && before.result === row.result,
);
