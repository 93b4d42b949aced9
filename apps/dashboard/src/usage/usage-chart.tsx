/**
 * Usage by day as stacked bars. It is one control: arrows move from day to day, and what is looked at is
 * written below it and read out. The same figures stand in a table.
 */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { colourOf } from "./usage-colours.ts";
import { niceMax, sumOf, type UsageSeries } from "./usage-series.ts";

type UsageChartProps = {
  readonly days: readonly string[];
  readonly series: readonly UsageSeries[];
  /** What is measured, for those who cannot see it. */
  readonly label: string;
  readonly format: (value: number) => string;
};

/** In units of the drawing: it is stretched to the room there is. */
const DAY_WIDTH = 10;
const BAR_WIDTH = 8;
const HEIGHT = 100;
/** Between parts of a bar. */
const GAP = 0.6;

export function UsageChart({ days, series, label, format }: UsageChartProps) {
  const [chosen, setChosen] = useState<number | null>(null);
  const last = days.length - 1;
  const at = Math.min(chosen ?? last, last);
  const max = niceMax(Math.max(...days.map((_, day) => totalOf(series, day))));
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, next)));
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const day = Math.floor(((event.clientX - left) / width) * days.length);
    setChosen(Math.max(0, Math.min(last, day)));
  };
  return (
    <div>
      <div className="flex gap-2">
        <div
          aria-hidden="true"
          className="flex h-52 w-14 shrink-0 flex-col justify-between text-right text-xs text-muted tabular-nums"
        >
          <span className="-mt-2">{format(max)}</span>
          <span>{format(max / 2)}</span>
          <span className="-mb-2">0</span>
        </div>
        <div
          aria-label={label}
          aria-valuemax={last}
          aria-valuemin={0}
          aria-valuenow={at}
          aria-valuetext={readoutOf(days, series, at, format)}
          className="min-w-0 flex-1 cursor-crosshair rounded"
          onKeyDown={onKeyDown}
          onPointerDown={onPointerMove}
          onPointerMove={onPointerMove}
          role="slider"
          tabIndex={0}
        >
          <Bars at={at} days={days} max={max} series={series} />
        </div>
      </div>
      <div aria-hidden="true" className="mt-1 flex justify-between pl-16 text-xs text-muted">
        <span>{dayText(days[0])}</span>
        <span>{dayText(days[Math.floor(last / 2)])}</span>
        <span>{dayText(days[last])}</span>
      </div>
      <Readout at={at} days={days} format={format} series={series} />
    </div>
  );
}

type BarsProps = {
  readonly days: readonly string[];
  readonly series: readonly UsageSeries[];
  readonly max: number;
  readonly at: number;
};

function Bars({ days, series, max, at }: BarsProps) {
  return (
    <svg
      aria-hidden="true"
      className="h-52 w-full border-b border-strong-line"
      preserveAspectRatio="none"
      viewBox={`0 0 ${days.length * DAY_WIDTH} ${HEIGHT}`}
    >
      <rect fill="var(--color-hover)" height={HEIGHT} width={DAY_WIDTH} x={at * DAY_WIDTH} y={0} />
      {[0, HEIGHT / 2].map((y) => (
        <line
          key={y}
          stroke="var(--color-line)"
          vectorEffect="non-scaling-stroke"
          x1={0}
          x2={days.length * DAY_WIDTH}
          y1={y}
          y2={y}
        />
      ))}
      {days.map((day, index) => (
        <Bar key={day} max={max} series={series} x={index} />
      ))}
    </svg>
  );
}

function Bar({
  series,
  x,
  max,
}: {
  readonly series: readonly UsageSeries[];
  readonly x: number;
  readonly max: number;
}) {
  const heights = series.map(({ values }) => ((values[x] ?? 0) / max) * HEIGHT);
  return series.map(({ name }, index) => {
    const height = heights[index] ?? 0;
    if (height === 0) return null;
    const below = sumOf(heights.slice(0, index));
    return (
      <rect
        height={Math.max(height - GAP, 0.4)}
        key={name}
        style={{ fill: colourOf(index) }}
        width={BAR_WIDTH}
        x={x * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) / 2}
        y={HEIGHT - below - height}
      />
    );
  });
}

type ReadoutProps = {
  readonly days: readonly string[];
  readonly series: readonly UsageSeries[];
  readonly at: number;
  readonly format: (value: number) => string;
};

/** The legend, with the figures of the day that is looked at. */
function Readout({ days, series, at, format }: ReadoutProps) {
  return (
    <div className="mt-3">
      <p className="mb-1.5">
        <span className="font-medium">{dayText(days[at])}</span>{" "}
        <span className="tabular-nums">{format(totalOf(series, at))}</span>
      </p>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {series.map(({ name, values }, index) => (
          <li className="flex items-center gap-1.5" key={name}>
            <svg aria-hidden="true" className="size-3 shrink-0" viewBox="0 0 12 12">
              <rect height={12} rx={2} style={{ fill: colourOf(index) }} width={12} />
            </svg>
            <span className="break-all">{name}</span>
            <span className="text-muted tabular-nums">{format(values[at] ?? 0)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function totalOf(series: readonly UsageSeries[], day: number): number {
  return sumOf(series.map(({ values }) => values[day] ?? 0));
}

function readoutOf(
  days: readonly string[],
  series: readonly UsageSeries[],
  at: number,
  format: (value: number) => string,
): string {
  const parts = series
    .filter(({ values }) => (values[at] ?? 0) > 0)
    .map(({ name, values }) => `${name} ${format(values[at] ?? 0)}`);
  return [`${dayText(days[at])}: ${format(totalOf(series, at))}`, ...parts].join(", ");
}

/** The day by itself: its time zone was counted in where it was summed up. */
export function dayText(day: string | undefined): string {
  if (day === undefined) return "";
  return new Date(`${day}T00:00:00Z`).toLocaleDateString(undefined, {
    timeZone: "UTC",
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}
