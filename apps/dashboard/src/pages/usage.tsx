/** What models cost, and how much they were used: by day, person, model, client and provider. */
import { exportAiUsage, getAiUsage, type UsageRow } from "@atelier/contract/http/ai-costs";
import type { CallAnswer } from "@atelier/contract/client";
import { Link, useSearch } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { endpointUrl } from "../browser/host.ts";
import { useNow } from "../browser/ticks.ts";
import { compactNumber } from "../gateway/token-text.ts";
import { ButtonLink, DownloadLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { costText, moneyText } from "../usage/money-text.ts";
import { UsageChart } from "../usage/usage-chart.tsx";
import { UsageDays } from "../usage/usage-days.tsx";
import { UsageFilters, type UsageChosen } from "../usage/usage-filters.tsx";
import { dayOf, daysOf, spanOf } from "../usage/usage-period.ts";
import { USAGE_BY, offeredBy, usageQuery, type UsageBy } from "../usage/usage-search.ts";
import {
  measured,
  nameOfRow,
  seriesOf,
  USAGE_MEASURES,
  type UsageMeasure,
} from "../usage/usage-series.ts";

const HOUR_MS = 3_600_000;
const LOOK_AGAIN_MS = 60_000;
const ROWS_MAX = 10_000;

type Usage = CallAnswer<typeof getAiUsage>;

export function Page() {
  const chosen: UsageChosen = useSearch({ strict: false });
  const seesAll = useMay("ai_usage:read");
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const span = spanOf(chosen, dayOf(useNow(HOUR_MS), timeZone));
  const by = offeredBy(seesAll).find(({ value }) => value === chosen["by"])?.value ?? "model";
  const measure = USAGE_MEASURES.find(({ value }) => value === chosen["measure"])?.value ?? "cost";
  const question = { ...span, time_zone: timeZone, q: usageQuery(chosen) };
  const byDay = useEndpoint(
    getAiUsage,
    { query: { ...question, group_by: `day,${by}`, limit: ROWS_MAX } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  const ranking = useEndpoint(
    getAiUsage,
    { query: { ...question, group_by: by } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  return (
    <>
      <PageHead
        about={
          seesAll
            ? "What everybody’s clients and agents asked of models, and what that cost."
            : "What your clients and agents asked of models, and what that cost."
        }
        title="Usage and cost"
      >
        <DownloadLink href={endpointUrl(exportAiUsage, { ...question, group_by: `day,${by}` })}>
          Download as CSV
        </DownloadLink>
      </PageHead>
      <UsageFilters by={by} chosen={chosen} measure={measure} seesAll={seesAll} span={span} />
      <Loaded query={ranking} what="usage">
        {(usage) =>
          usage.total.requests === 0 ? (
            <NoUsage isFiltered={question.q !== undefined || chosen["period"] !== undefined} />
          ) : (
            <>
              <Totals usage={usage} />
              <Panel title={`${labelOf(measure)} by day`}>
                <Loaded query={byDay} what="usage by day">
                  {({ rows, group_by: grouped }) => (
                    <ByDay
                      by={byOf(grouped)}
                      chosen={chosen}
                      measure={measure}
                      rows={rows}
                      span={span}
                    />
                  )}
                </Loaded>
              </Panel>
              <Ranking by={byOf(usage.group_by)} chosen={chosen} measure={measure} usage={usage} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

/** Of the answer that is shown: that of the question may be on its way. */
function byOf(grouped: Usage["group_by"]): UsageBy {
  return USAGE_BY.find(({ value }) => grouped.includes(value))?.value ?? "model";
}

function labelOf(measure: UsageMeasure): string {
  return USAGE_MEASURES.find(({ value }) => value === measure)?.label ?? measure;
}

function formatOf(measure: UsageMeasure): (value: number) => string {
  return measure === "cost" ? moneyText : (value) => compactNumber(Math.round(value));
}

type ByDayProps = {
  readonly rows: readonly UsageRow[];
  readonly span: Parameters<typeof daysOf>[0];
  readonly by: UsageBy;
  readonly measure: UsageMeasure;
  readonly chosen: UsageChosen;
};

function ByDay({ rows, span, by, measure, chosen }: ByDayProps) {
  const days = daysOf(span);
  const series = seriesOf(rows, days, { by, measure });
  const label = `${labelOf(measure)} by day`;
  const format = formatOf(measure);
  if (series.length === 0) {
    return measure === "cost" ? (
      <p className="text-muted">
        Nothing to show: no price is known.{" "}
        <Link
          className="text-accent underline"
          search={{ ...chosen, measure: "tokens" }}
          to="/ai/usage"
        >
          Show tokens
        </Link>
      </p>
    ) : (
      <p className="text-muted">Nothing to show: none.</p>
    );
  }
  return (
    <>
      <UsageChart days={days} format={format} label={label} series={series} />
      <UsageDays days={days} format={format} series={series} />
    </>
  );
}

function NoUsage({ isFiltered }: { readonly isFiltered: boolean }) {
  return isFiltered ? (
    <EmptyState icon="search" title="Nothing was used in these days">
      <p>Take a filter away, or choose a longer time.</p>
      <ButtonLink to="/ai/usage">Show all</ButtonLink>
    </EmptyState>
  ) : (
    <EmptyState icon="chart" title="No model was used yet">
      <p>
        Connect a client, or start an agent. Each request is counted here with its tokens, and with
        what it cost.
      </p>
      <ButtonLink look="main" to="/ai/connect">
        Connect a client
      </ButtonLink>
    </EmptyState>
  );
}

function Totals({ usage: { total } }: { readonly usage: Usage }) {
  const maySeePrices = useMay("ai_provider:read");
  const read = total.cache_read_input_tokens;
  const input = total.input_tokens + read + total.cache_write_input_tokens;
  const cached = input === 0 ? 0 : Math.round((read / input) * 100);
  const tiles = [
    {
      name: "Cost",
      value: moneyText(total.cost_micros),
      more:
        total.unpriced_requests === 0
          ? "of all requests"
          : `${compactNumber(total.unpriced_requests)} requests have no price`,
    },
    {
      name: "Requests",
      value: compactNumber(total.requests),
      more: total.errors === 0 ? "none failed" : `${compactNumber(total.errors)} failed`,
    },
    { name: "Tokens in", value: compactNumber(input), more: `${cached} % from caches` },
    { name: "Tokens out", value: compactNumber(total.output_tokens), more: "written by models" },
  ];
  return (
    <>
      <dl className="mb-5 grid grid-cols-2 gap-3 lg:grid-cols-4">
        {tiles.map(({ name, value, more }) => (
          <div className="rounded-lg border border-line bg-surface p-4" key={name}>
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="text-2xl font-semibold tabular-nums">{value}</dd>
            <dd className="text-xs text-muted">{more}</dd>
          </div>
        ))}
      </dl>
      {total.unpriced_requests > 0 && (
        <p className="mb-5 rounded-md bg-warn-soft p-3">
          The cost is without {total.unpriced_requests} requests whose price is not known.{" "}
          {maySeePrices && (
            <Link
              className="text-accent underline"
              search={{ unpriced: "true" }}
              to="/ai/settings/prices"
            >
              Give their models a price
            </Link>
          )}
        </p>
      )}
    </>
  );
}

type RankingProps = {
  readonly usage: Usage;
  readonly chosen: UsageChosen;
  readonly by: UsageBy;
  readonly measure: UsageMeasure;
};

function Ranking({ usage, chosen, by, measure }: RankingProps) {
  const { rows, count, total } = usage;
  const sorted = rows.toSorted((a, b) => measured(b, measure) - measured(a, measure));
  const label = USAGE_BY.find(({ value }) => value === by)?.label ?? by;
  return (
    <Panel title={`By ${label.toLowerCase()}`}>
      <DataTable
        columns={rankingColumns({ label, by, measure, chosen, whole: measured(total, measure) })}
        label={`Usage by ${label.toLowerCase()}`}
        rowKey={(row) => nameOfRow(row, by) + (row.user?.id ?? "")}
        rows={sorted}
      />
      {rows.length < count && (
        <p className="mt-2 text-muted">
          The first {rows.length} of {count}; the CSV file has all.
        </p>
      )}
    </Panel>
  );
}

type RankingLook = Pick<RankingProps, "by" | "measure" | "chosen"> & {
  readonly label: string;
  readonly whole: number;
};

function rankingColumns({
  label,
  by,
  measure,
  chosen,
  whole,
}: RankingLook): readonly Column<UsageRow>[] {
  const filter = USAGE_BY.find(({ value }) => value === by)?.filter ?? "model";
  return [
    {
      title: label,
      cell: (row) => {
        const name = nameOfRow(row, by);
        return name === "unknown" ? (
          <span className="text-muted">unknown</span>
        ) : (
          <Link
            className="font-medium break-all text-accent underline-offset-2 hover:underline"
            search={{ ...chosen, [filter]: name }}
            to="/ai/usage"
          >
            {name}
          </Link>
        );
      },
    },
    {
      title: "Share",
      isMinor: true,
      cell: (row) => <Share part={measured(row, measure)} whole={whole} />,
    },
    { title: "Cost", isNumber: true, cell: costText },
    { title: "Requests", isNumber: true, cell: ({ requests }) => requests.toLocaleString() },
    {
      title: "Failed",
      isNumber: true,
      isMinor: true,
      cell: ({ errors }) => errors.toLocaleString(),
    },
    {
      title: "Tokens",
      isNumber: true,
      isMinor: true,
      cell: (row) => compactNumber(measured(row, "tokens")),
    },
  ];
}

function Share({ part, whole }: { readonly part: number; readonly whole: number }) {
  const percent = whole === 0 ? 0 : Math.round((part / whole) * 100);
  return (
    <span className="flex items-center gap-2">
      <svg aria-hidden="true" className="h-2 w-24" preserveAspectRatio="none" viewBox="0 0 100 8">
        <rect fill="var(--color-hover)" height={8} rx={2} width={100} />
        <rect fill="var(--color-accent-fill)" height={8} rx={2} width={percent} />
      </svg>
      <span className="tabular-nums">{percent} %</span>
    </span>
  );
}
