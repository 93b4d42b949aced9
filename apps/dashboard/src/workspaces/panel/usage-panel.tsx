/** How much of its machine a workspace takes, as it is now and as it was while one looked. */
import { watchWorkspaceStats } from "@atelier/contract/http/workspace-live";
import { WorkspaceStats } from "@atelier/contract/http/workspace-processes";
import { useState } from "react";
import type { z } from "zod";
import { byteText } from "./byte-text.ts";
import { LiveNotice } from "./live-notice.tsx";
import type { WorkspacePanelProps } from "./panel-props.ts";
import { pathOf, useLiveEvents } from "./use-live.ts";

type Stats = z.output<typeof WorkspaceStats>;

/** Two minutes, at one every two seconds. */
const SAMPLES_MAX = 60;
const NEARLY_FULL = 0.9;

export function UsagePanel({ agentId }: WorkspacePanelProps) {
  const [samples, setSamples] = useState<readonly Stats[]>([]);
  const path = pathOf(watchWorkspaceStats, { params: { agent: agentId } });
  const state = useLiveEvents(path, {
    onData: (told) => {
      const parsed = WorkspaceStats.safeParse(told);
      if (parsed.success) setSamples((before) => [...before, parsed.data].slice(-SAMPLES_MAX));
    },
  });
  const now = samples.at(-1);
  return (
    <div className="@container">
      <LiveNotice state={state} what="the machine's use" />
      {now !== undefined && (
        <div className="grid gap-4 @2xl:grid-cols-3">
          <Meter
            history={samples.map((each) => share(each.cpu_cores_used, each.cpu_cores))}
            name="Processors"
            text={`${now.cpu_cores_used.toFixed(1)} of ${now.cpu_cores} cores`}
          />
          <Meter
            history={samples.map((each) => share(each.memory_bytes_used, each.memory_bytes))}
            name="Memory"
            text={`${byteText(now.memory_bytes_used)} of ${byteText(now.memory_bytes)}`}
          />
          <Meter
            history={samples.map((each) => share(each.disk_bytes_used, each.disk_bytes))}
            name="Disk of the home directory"
            text={`${byteText(now.disk_bytes_used)} of ${byteText(now.disk_bytes)}`}
          />
          <p className="text-muted @2xl:col-span-3">
            On average {now.load1.toFixed(2)} programs wanted to run at once in the last minute.
          </p>
        </div>
      )}
    </div>
  );
}

function share(used: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, used / whole);
}

type MeterProps = {
  readonly name: string;
  readonly text: string;
  /** From 0 to 1, oldest first. */
  readonly history: readonly number[];
};

function Meter({ name, text, history }: MeterProps) {
  const now = history.at(-1) ?? 0;
  const isNearlyFull = now >= NEARLY_FULL;
  return (
    <div className="rounded-lg border border-line bg-surface p-3">
      <div className="flex items-baseline justify-between gap-2">
        <span className="font-medium">{name}</span>
        <span className="text-muted tabular-nums">{Math.round(now * 100)} %</span>
      </div>
      <div
        aria-label={name}
        aria-valuemax={100}
        aria-valuemin={0}
        aria-valuenow={Math.round(now * 100)}
        aria-valuetext={text}
        className="my-2 h-2 overflow-hidden rounded bg-hover"
        role="meter"
      >
        <div
          className={`h-full ${isNearlyFull ? "bg-bad-fill" : "bg-accent-fill"}`}
          style={{ width: `${now * 100}%` }}
        />
      </div>
      <p className="text-xs text-muted tabular-nums">
        {text}
        {isNearlyFull && ", nearly all"}
      </p>
      <Curve history={history} />
    </div>
  );
}

const CURVE_HEIGHT = 32;

/** What was, for the eye: the numbers above say what is. */
function Curve({ history }: Pick<MeterProps, "history">) {
  const from = SAMPLES_MAX - history.length;
  const points = history.map(
    (value, index) => `${from + index},${(CURVE_HEIGHT - value * CURVE_HEIGHT).toFixed(1)}`,
  );
  return (
    <svg
      aria-hidden="true"
      className="mt-2 h-8 w-full text-accent"
      preserveAspectRatio="none"
      viewBox={`0 0 ${SAMPLES_MAX - 1} ${CURVE_HEIGHT}`}
    >
      <polyline
        fill="none"
        points={points.join(" ")}
        stroke="currentColor"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
