/** What went through the gateway: one row for each conversation of a client, latest activity first. */
import {
  COUNT_MAX,
  listAiSessions,
  listUsedClients,
  listUsedModels,
  listUsedProviders,
  type AiSession,
} from "@atelier/contract/http/ai-usage";
import type { Endpoint } from "@atelier/contract/endpoint";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { z } from "zod";
import { useEndpoint, usePages } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { useNow } from "../browser/ticks.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { PERIODS, sessionQuery } from "../gateway/session-search.ts";
import { tokenText } from "../gateway/token-text.ts";
import { Badge } from "../ui/badge.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { costText } from "../usage/money-text.ts";

type Session = z.output<typeof AiSession>;
type Chosen = Readonly<Record<string, string | undefined>>;

const PAGE_SIZE = 50;
const LOOK_AGAIN_MS = 5_000;
const MINUTE_MS = 60_000;

export function Page() {
  const chosen: Chosen = useSearch({ strict: false });
  const now = useNow(MINUTE_MS);
  const q = sessionQuery(chosen, now);
  const seesAll = useMay("ai_usage:read");
  const pages = usePages(
    listAiSessions,
    { query: { limit: PAGE_SIZE, q } },
    ({ sessions }) =>
      sessions.length < PAGE_SIZE
        ? null
        : { query: { limit: PAGE_SIZE, q, after_session_id: sessions.at(-1)?.id } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  return (
    <>
      <PageHead
        about={
          seesAll
            ? "What everybody’s clients asked of which model, with tokens, tools and errors."
            : "What your clients asked of which model, with tokens, tools and errors."
        }
        title="Sessions"
      />
      <Filters chosen={chosen} seesAll={seesAll} />
      <Loaded query={pages} what="sessions">
        {({ pages: answers }) => {
          const rows = answers.flatMap(({ sessions }) => sessions);
          if (rows.length === 0) return <NoSessions isFiltered={q !== undefined} />;
          return (
            <>
              <DataTable
                columns={columns(seesAll)}
                label="Sessions"
                rowKey={({ id, initiator }) => `${initiator.id} ${id}`}
                rows={rows}
              />
              <LoadMore
                count={answers[0]?.count ?? 0}
                countMax={COUNT_MAX}
                pages={pages}
                shown={rows.length}
              />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function NoSessions({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <EmptyState icon="search" title="No session fits">
        <p>Take a filter away, or choose a longer time.</p>
        <ButtonLink to="/logs/ai-sessions">Show all</ButtonLink>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="sessions" title="Nothing went through the gateway yet">
      <p>
        Connect Claude Code, Codex, an SDK or another client. Each conversation of it becomes a
        session here: prompts, models, tokens, tools and what went wrong.
      </p>
      <ButtonLink look="main" to="/ai/connect">
        Connect a client
      </ButtonLink>
    </EmptyState>
  );
}

function columns(seesAll: boolean): readonly Column<Session>[] {
  return [
    {
      title: "Session",
      cell: (row) => (
        <div className="max-w-72 min-w-40">
          <Link
            className="line-clamp-2 font-medium break-words text-accent underline-offset-2 hover:underline"
            search={seesAll ? { initiator: row.initiator.username } : {}}
            to={`/logs/ai-sessions/${encodeURIComponent(row.id)}`}
          >
            {row.last_prompt ?? "(no prompt)"}
          </Link>
          <div className="text-xs text-muted">
            {seesAll && `${row.initiator.username} · `}
            {row.client === "" ? "unknown client" : row.client}
          </div>
        </div>
      ),
    },
    {
      title: "State",
      cell: (row) => (
        <span className="flex flex-wrap gap-1">
          {row.ended_at === null && <Badge tone="accent">under way</Badge>}
          {row.errors > 0 && (
            <Badge tone="bad">{row.errors === 1 ? "1 error" : `${row.errors} errors`}</Badge>
          )}
          {row.ended_at !== null && row.errors === 0 && <Badge tone="good">fine</Badge>}
        </span>
      ),
    },
    {
      title: "Model",
      isMinor: true,
      cell: (row) => (
        <>
          {row.models.join(", ")}
          <div className="text-xs text-muted">{row.provider_names.join(", ")}</div>
        </>
      ),
    },
    { title: "Tokens", isMinor: true, cell: (row) => tokenText(row.token_usage_summary) },
    { title: "Cost", isMinor: true, isNumber: true, cell: costText },
    { title: "Calls", isMinor: true, isNumber: true, cell: (row) => row.interceptions },
    { title: "Last active", cell: (row) => <RelativeTime time={row.last_active_at} /> },
  ];
}

type FiltersProps = { readonly chosen: Chosen; readonly seesAll: boolean };

function Filters({ chosen, seesAll }: FiltersProps) {
  const navigate = useNavigate();
  const set = (field: string, value: string): void => {
    navigate({
      to: "/logs/ai-sessions",
      search: { ...chosen, [field]: value },
      replace: true,
    }).catch(() => {}); // The router shows what went wrong.
  };
  const facet = (name: string, label: string, endpoint: FacetEndpoint) => (
    <FacetField
      endpoint={endpoint}
      label={label}
      name={name}
      onChange={(value) => set(name, value)}
      value={chosen[name] ?? ""}
    />
  );
  const isFiltered = Object.values(chosen).some((value) => value !== undefined && value !== "");
  return (
    <div className="mb-4 grid grid-cols-2 items-end gap-3 md:grid-cols-5">
      {seesAll && (
        <TextField
          label="Person"
          name="initiator"
          onChange={(value) => set("initiator", value)}
          placeholder="username"
          type="search"
          value={chosen["initiator"] ?? ""}
        />
      )}
      {facet("provider_name", "Provider", listUsedProviders)}
      {facet("model", "Model", listUsedModels)}
      {facet("client", "Client", listUsedClients)}
      <ChoiceField
        choices={PERIODS}
        label="Started"
        name="period"
        onChange={(value) => set("period", value)}
        value={chosen["period"] ?? ""}
      />
      {isFiltered && (
        <div className="col-span-2 md:col-span-5">
          <Button
            onClick={() => {
              navigate({ to: "/logs/ai-sessions", search: {}, replace: true }).catch(() => {}); // As above.
            }}
          >
            Show all
          </Button>
        </div>
      )}
    </div>
  );
}

type FacetEndpoint = typeof listUsedModels;

type FacetFieldProps = {
  readonly endpoint: FacetEndpoint & Endpoint;
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

/** The values that were seen; one that an address names is offered even where it was not. */
function FacetField({ endpoint, value, ...rest }: FacetFieldProps) {
  const { data } = useEndpoint(endpoint, {});
  const seen = data?.results ?? [];
  const offered = value === "" || seen.includes(value) ? seen : [value, ...seen];
  return (
    <ChoiceField
      {...rest}
      choices={[
        { value: "", label: "All" },
        ...offered.map((each) => ({ value: each, label: each })),
      ]}
      value={value}
    />
  );
}
