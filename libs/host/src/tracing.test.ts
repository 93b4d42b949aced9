/** Traces to a real collector, and to one that is away, slow or refuses. */
import type { Logger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startTraceCollector } from "@atelier/testkit/trace-collector";
import { SpanKind } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startTracing, type TracingOptions } from "./tracing.ts";

function logTo(lines: string[]): Logger {
  const at = (level: string) => (_fields: object, message: string) => {
    lines.push(`${level}: ${message}`);
  };
  const log: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return log;
}

function startedTracing(options: Partial<TracingOptions> & { endpoint: string }, lines: string[]) {
  const defaults = { headers: {}, serviceName: "test", samplingRatio: 1 };
  const deps = { clock: systemClock, random: systemRandom, log: logTo(lines) };
  return startTracing({ ...defaults, ...options }, deps);
}

test("what is left is sent at the end, with the service's name and the operator's headers", async () => {
  await using collector = await startTraceCollector();
  const lines: string[] = [];
  {
    const headers = { "x-collector-key": "made-up" };
    await using tracing = await startedTracing({ endpoint: collector.url, headers }, lines);
    tracing.tracer
      .startSpan("work", { kind: SpanKind.SERVER, attributes: { model: "m".repeat(5_000) } })
      .end();
  }
  const [span] = await collector.spans("work", 1);
  assert.deepEqual(span?.attributes, [{ key: "model", value: { stringValue: "m".repeat(1_024) } }]);
  assert.equal(collector.resource()["service.name"], "test");
  assert.deepEqual(
    collector.exports.map(({ path, headers }) => [path, headers["x-collector-key"]]),
    [["/v1/traces", "made-up"]],
  );
  assert.deepEqual(lines, []);
});

test("an endpoint that names the path of traces is taken as it is", async () => {
  await using collector = await startTraceCollector();
  {
    await using tracing = await startedTracing({ endpoint: `${collector.url}/v1/traces` }, []);
    tracing.tracer.startSpan("work").end();
  }
  assert.equal(collector.exports[0]?.path, "/v1/traces");
});

test("with a ratio of 0 nothing is sampled", async () => {
  await using collector = await startTraceCollector();
  {
    const options = { endpoint: collector.url, samplingRatio: 0 };
    await using tracing = await startedTracing(options, []);
    assert.equal(tracing.tracer.startSpan("work").isRecording(), false);
  }
  assert.equal(collector.exports.length, 0);
});

test("a collector that refuses costs a warning and nothing else", async () => {
  await using collector = await startTraceCollector(400);
  const lines: string[] = [];
  {
    await using tracing = await startedTracing({ endpoint: collector.url }, lines);
    tracing.tracer.startSpan("work").end();
  }
  assert.deepEqual(lines, ["warn: sending traces failed"]);
});

test("a collector that does not answer holds the end up for two seconds at most", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const lines: string[] = [];
  const tracing = await startedTracing({ endpoint: `http://127.0.0.1:${port}` }, lines);
  tracing.tracer.startSpan("work").end();
  const startMs = performance.now();
  await tracing[Symbol.asyncDispose]();
  assert.ok(performance.now() - startMs < 10_000);
  assert.deepEqual(lines, ["warn: the last traces were not sent in time"]);
  server.close();
  server.closeAllConnections();
});
