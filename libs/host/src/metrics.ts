/**
 * Metrics for Prometheus. One registry per process, made by the app and handed to each system.
 *
 * Our metrics begin with `atelier_`; the process's own keep their usual names (`process_…`,
 * `nodejs_…`), which ready-made dashboards expect. Labels have few values: never a key, and what a
 * client chooses freely only with a limit.
 */
import { assert } from "@atelier/base/assert";
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from "prom-client";

/** What one thread counted: survives a structured clone. */
export type CollectedMetrics = readonly MetricObjectWithValues<MetricValue<string>>[];

export type MetricDescription = {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
};

/** Each metric is made once, when its owner starts. Making a name twice is a bug and throws. */
export interface Metrics {
  /** Its name ends in `_total`. */
  counter<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label>;
  gauge<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    /** Over threads that each have a value. */
    over?: "sum" | "max",
  ): Gauge<Label>;
  histogram<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: readonly number[],
  ): Histogram<Label>;
  /** Runs the work before each rendering: for what is counted only when somebody looks. */
  onRender(work: () => void): void;
  /** All metrics as values, for another thread to render with its own. */
  collect(): Promise<CollectedMetrics>;
  /** What `work` brings is added to what is rendered. */
  addFrom(work: () => Promise<readonly CollectedMetrics[]>): void;
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Our own metrics made so far, for the reference page. */
  describe(): readonly MetricDescription[];
}

const PREFIX = "atelier_";

export type MetricsOptions = {
  /** Whether this thread tells of the process as a whole. One does. */
  readonly ofProcess?: boolean;
};

export function createMetrics({ ofProcess = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const others: (() => Promise<readonly CollectedMetrics[]>)[] = [];
  const descriptions: MetricDescription[] = [];
  const beforeRender: (() => void)[] = [];
  const define = (description: MetricDescription): { name: string; help: string } => {
    const { name, help, kind } = description;
    assert(/^[a-z][a-z0-9_]*$/.test(name), `${name} is a metric name`);
    assert(
      (kind === "counter") === name.endsWith("_total"),
      `only counters end in _total: ${name}`,
    );
    descriptions.push(description);
    return { name, help };
  };
  const collect = (): Promise<CollectedMetrics> => {
    for (const work of beforeRender) work();
    return registry.getMetricsAsJSON();
  };
  return {
    counter: (name, help, labels) => {
      const named = define({ name: PREFIX + name, kind: "counter", help, labels });
      return new Counter({ ...named, labelNames: labels, registers: [registry] });
    },
    gauge: (name, help, labels, over = "sum") => {
      const named = define({ name: PREFIX + name, kind: "gauge", help, labels });
      return new Gauge({ ...named, labelNames: labels, registers: [registry], aggregator: over });
    },
    histogram: (name, help, labels, buckets) => {
      const named = define({ name: PREFIX + name, kind: "histogram", help, labels });
      const options = { labelNames: labels, buckets: [...buckets], registers: [registry] };
      return new Histogram({ ...named, ...options });
    },
    onRender: (work) => {
      beforeRender.push(work);
    },
    collect,
    addFrom: (work) => {
      others.push(work);
    },
    render: async () => {
      if (others.length === 0) {
        for (const work of beforeRender) work();
        return registry.metrics();
      }
      const brought = await Promise.all(others.map((work) => work()));
      return AggregatorRegistry.aggregate(
        [await collect(), ...brought.flat()].map((each) => [...each]),
      ).metrics();
    },
    contentType: registry.contentType,
    describe: () => [...descriptions],
  };
}
