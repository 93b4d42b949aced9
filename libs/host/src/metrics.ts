/**
 * Metrics for Prometheus. One registry per process, made by the app and handed to each system.
 *
 * Our metrics begin with `atelier_`; the process's own keep their usual names (`process_…`,
 * `nodejs_…`), which ready-made dashboards expect. Labels have few values: never a key, and what a
 * client chooses freely only with a limit.
 */
import { assert } from "@atelier/base/assert";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

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
  ): Gauge<Label>;
  histogram<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: readonly number[],
  ): Histogram<Label>;
  /** Runs the work before each rendering: for what is counted only when somebody looks. */
  onRender(work: () => void): void;
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Our own metrics made so far, for the reference page. */
  describe(): readonly MetricDescription[];
}

const PREFIX = "atelier_";

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
  return {
    counter: (name, help, labels) => {
      const named = define({ name: PREFIX + name, kind: "counter", help, labels });
      return new Counter({ ...named, labelNames: labels, registers: [registry] });
    },
    gauge: (name, help, labels) => {
      const named = define({ name: PREFIX + name, kind: "gauge", help, labels });
      return new Gauge({ ...named, labelNames: labels, registers: [registry] });
    },
    histogram: (name, help, labels, buckets) => {
      const named = define({ name: PREFIX + name, kind: "histogram", help, labels });
      const options = { labelNames: labels, buckets: [...buckets], registers: [registry] };
      return new Histogram({ ...named, ...options });
    },
    onRender: (work) => {
      beforeRender.push(work);
    },
    render: () => {
      for (const work of beforeRender) work();
      return registry.metrics();
    },
    contentType: registry.contentType,
    describe: () => [...descriptions],
  };
}
