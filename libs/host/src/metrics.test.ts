/** Names, labels and the text that Prometheus reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "./metrics.ts";

test("metrics are rendered with our prefix, beside those of the process", async () => {
  const metrics = createMetrics();
  metrics.counter("requests_total", "Requests.", ["route"]).inc({ route: "a" }, 2);
  metrics.gauge("inflight", "Requests under way.", []).set(3);
  metrics.histogram("duration_seconds", "Duration.", [], [1, 5]).observe(2);
  const text = await metrics.render();
  for (const line of [
    'atelier_requests_total{route="a"} 2',
    "atelier_inflight 3",
    'atelier_duration_seconds_bucket{le="5"} 1',
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
  assert.match(text, /^process_resident_memory_bytes \d+/m);
});

test("metrics describe themselves for the reference page", () => {
  const metrics = createMetrics();
  metrics.counter("requests_total", "Requests.", ["route"]);
  assert.deepEqual(metrics.describe(), [
    { name: "atelier_requests_total", kind: "counter", help: "Requests.", labels: ["route"] },
  ]);
});

test("two registries do not share metrics, and one refuses a name twice", () => {
  const metrics = createMetrics();
  metrics.counter("requests_total", "Requests.", []);
  createMetrics().counter("requests_total", "Requests.", []);
  assert.throws(
    () => metrics.counter("requests_total", "Requests.", []),
    /already been registered/,
  );
  assert.throws(() => metrics.counter("requests", "Requests.", []), /only counters end in _total/);
});

test("what other threads counted is rendered with one's own: sums, and gauges as they say", async () => {
  const own = createMetrics();
  const other = createMetrics({ ofProcess: false });
  for (const [metrics, value] of [
    [own, 1],
    [other, 2],
  ] as const) {
    metrics.counter("done_total", "Done.", ["kind"]).inc({ kind: "a" }, value);
    metrics.gauge("under_way", "Under way.", []).set(value);
    metrics.gauge("worst", "The worst.", [], "max").set(value);
    const seconds = metrics.histogram("seconds", "Seconds.", [], [1, 10]);
    metrics.onRender(() => seconds.observe(value));
  }
  // As it comes through a message.
  own.addFrom(async () => [structuredClone(await other.collect())]);
  const text = await own.render();
  const lines = text.split("\n").filter((line) => line.startsWith("atelier_"));
  assert.deepEqual(lines.toSorted(), [
    'atelier_done_total{kind="a"} 3',
    'atelier_seconds_bucket{le="+Inf"} 2',
    'atelier_seconds_bucket{le="1"} 1',
    'atelier_seconds_bucket{le="10"} 2',
    "atelier_seconds_count 2",
    "atelier_seconds_sum 3",
    "atelier_under_way 3",
    "atelier_worst 2",
  ]);
  assert.equal(text.match(/^process_cpu_seconds_total /gm)?.length, 1);
});
