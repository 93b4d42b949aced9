/** One call of a tool: a line that says what, how long and how it went; opened, all there is of it. */
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

export const ToolCard = memo(
  function ToolCard({ row }: { readonly row: ToolRow }) {
    const isWorking = useLinkState(({ view }) => view.status !== null && isBusy(view.status));
    const end = toolEnd(row, isWorking);
    const named = row.call ?? { tool_name: row.result?.tool_name ?? "tool", args: {} };
    const { verb, subject } = toolLine(named, end.state !== "running");
    const { sign, look } = SIGNS[end.state];
    const agent = agentChatOf(row);
    const isCommand = row.call?.tool_name === "execute";
    return (
      <Disclosure
        aside={agent === null ? undefined : <AgentLink chatId={agent} />}
        line={
          <>
            <span aria-hidden="true" className={`w-3 text-center text-xs ${look}`}>
              {sign}
            </span>
            <span className="max-w-[55%] shrink-0 truncate font-medium text-ink">{verb}</span>
            <span className={`min-w-0 flex-1 truncate ${isCommand ? "font-mono text-xs" : ""}`}>
              {subject}
            </span>
            <span
              className={`shrink-0 text-xs whitespace-nowrap tabular-nums ${end.state === "failed" ? "text-bad" : ""}`}
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
