import assert from "node:assert/strict";
import { test } from "node:test";
import { loadArguments, parseReport } from "./load-driver.ts";
import { lossOf } from "./measurements.ts";
import { modelOf, parseModel } from "./mock-answer.ts";

const TARGET = { port: 1, path: "/x", token: "t", headers: ["x-a: 1", "x-b: 2"] };

test("what is not asked for is no argument", () => {
  const args = loadArguments(TARGET, { model: "m", bodyBytes: 5, connections: 2, seconds: 3 });
  assert.equal(args.join(" "), "-p 1 -P /x -k t -M m -c 2 -d 3 -w 0 -B 5 -H x-a: 1 -H x-b: 2");
});

const LINE =
  '{"rps":12.5,"done":25,"errors":1,"non2xx":2,"aborted":3,"open_at_end":4,"markers":50,' +
  '"lat":{"n":25,"mean":9,"p50":7.5,"p99":20,"max":21}}\n';

test("the driver's line is read, and what it did not measure is null", () => {
  const report = parseReport(LINE);
  const { done, errors, non2xx, aborted, openAtEnd, chunks } = report;
  assert.deepEqual([done, errors, non2xx, aborted, openAtEnd, chunks], [25, 1, 2, 3, 4, 50]);
  assert.deepEqual(report.latency, { n: 25, p50: 7.5, p99: 20, max: 21 });
  assert.equal(report.chunkDelay, null);
});

const HELD = { ...parseReport(LINE), done: 2, errors: 0, non2xx: 0, openAtEnd: 0, chunks: 20 };
const ASKED = { streams: 2, chunks: 10 };

test("streams are whole when each frame of each has arrived", () => {
  assert.equal(lossOf(HELD, ASKED), null);
});

test("a lost frame, a late stream, an error and a refusal are losses", () => {
  assert.match(lossOf({ ...HELD, chunks: 19 }, ASKED) ?? "", /1 of 20 frames were lost/);
  assert.match(lossOf({ ...HELD, done: 1, openAtEnd: 1 }, ASKED) ?? "", /1 of 2 streams were late/);
  assert.match(lossOf({ ...HELD, errors: 1 }, ASKED) ?? "", /1 errors/);
  assert.match(lossOf({ ...HELD, non2xx: 1 }, ASKED) ?? "", /1 answers not 2xx/);
});

test("the mock reads out of a request what the model's name was made of", () => {
  const shape = { chunks: 20, bytes: 300, paceMs: 5, delayMs: 2 };
  assert.deepEqual(parseModel(`{"model":"${modelOf(shape)}","stream":true}`), shape);
  assert.equal(modelOf({}), "mock-n0");
  assert.equal(parseModel(modelOf({ delayMs: 20 })).delayMs, 20);
});
