/** What one's own agents cost in this period, and may: everybody sees their own. */
import { getChatCostSummary, getChatUsageLimitStatus } from "@atelier/contract/http/chat-spending";
import type { CallAnswer } from "@atelier/contract/client";
import { Link } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { chatPath } from "../chats/chat-words.ts";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Panel } from "../ui/panel.tsx";
import { costText } from "../usage/money-text.ts";
import { resetText, spentPercent, spentText, unpricedText } from "./spending-words.ts";

/** More than one looks at. */
const CHATS_SHOWN = 5;

export function OwnSpending() {
  const status = useEndpoint(getChatUsageLimitStatus, {});
  const summary = useEndpoint(getChatCostSummary, { params: { user: "me" } });
  return (
    <Panel about="What your agents cost, as it was recorded." title="Spending">
      <Loaded query={status} what="what you spent">
        {(answer) => <Standing status={answer} />}
      </Loaded>
      <Loaded query={summary} what="your chats’ costs">
        {({ by_chat: chats }) =>
          chats.length === 0 ? null : (
            <div className="mt-4 space-y-2">
              <h3 className="font-medium">Your dearest chats of the last 30 days</h3>
              <DataTable
                columns={COLUMNS}
                label="Your dearest chats"
                rowKey={({ chat_id: id }) => id}
                rows={chats.slice(0, CHATS_SHOWN)}
              />
            </div>
          )
        }
      </Loaded>
    </Panel>
  );
}

type Status = CallAnswer<typeof getChatUsageLimitStatus>;

function Standing({ status }: { readonly status: Status }) {
  const percent = spentPercent(status);
  const unpriced = unpricedText(status);
  return (
    <div className="max-w-2xl space-y-2">
      <p>
        <span className="text-base font-semibold tabular-nums">{spentText(status)}</span>
        {percent === null && <span className="text-muted">; nobody limits it.</span>}
      </p>
      {percent !== null && (
        <>
          <SpentBar percent={percent} />
          <p className="text-muted">
            {percent >= 100
              ? `It is spent: agents take no messages until ${resetText(status)}. What works goes on to its end, and nothing that you wrote is lost.`
              : `Begins anew on ${resetText(status)}.`}
          </p>
        </>
      )}
      {unpriced !== "" && <p className="text-muted">{unpriced}</p>}
    </div>
  );
}

function SpentBar({ percent }: { readonly percent: number }) {
  const look = percent >= 100 ? "bg-bad" : percent >= 80 ? "bg-warn" : "bg-accent";
  return (
    <div aria-hidden="true" className="h-2 overflow-hidden rounded-full bg-hover">
      <div className={`h-full ${look}`} style={{ width: `${percent}%` }} />
    </div>
  );
}

type ChatRow = CallAnswer<typeof getChatCostSummary>["by_chat"][number];

const COLUMNS: readonly Column<ChatRow>[] = [
  {
    title: "Chat",
    cell: ({ chat_id: id, title }) =>
      title === undefined ? (
        <span className="text-muted">a chat that is gone</span>
      ) : (
        <Link className="text-accent underline" to={chatPath(id)}>
          {title}
        </Link>
      ),
  },
  { title: "Calls of models", isNumber: true, isMinor: true, cell: (row) => row.request_count },
  {
    title: "Cost",
    isNumber: true,
    cell: (row) =>
      costText({
        cost_micros: row.total_cost_micros,
        unpriced_requests: row.unpriced_request_count,
      }),
  },
];
