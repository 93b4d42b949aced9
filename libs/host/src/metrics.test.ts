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
