import assert from "node:assert/strict";
import { test } from "node:test";
import { GOALS, judge, type Goal } from "./goals.ts";
import { withTables } from "./performance-page.ts";
import { toMarkdown } from "./report.ts";
import { addSample, type Samples } from "./samples.ts";

function samplesOf(values: Record<string, Record<string, readonly number[]>>): Samples {
  const samples: Samples = new Map();
  for (const [figure, byLane] of Object.entries(values)) {
    for (const [lane, rounds] of Object.entries(byLane)) {
      for (const [round, value] of rounds.entries())
        addSample(samples, { figure, lane, round, value });
    }
  }
  return samples;
}

const HALF: Goal = {
  text: "half of bare",
  lane: "l0",
  figure: "json cpu",
  of: { ratioTo: "bare" },
  limit: 0.5,
};
const BARE = [100, 101, 99];

test("a ratio below its limit meets the goal, one above misses it", () => {
  const verdict = (l0: number[]) =>
    judge(HALF, samplesOf({ "json cpu": { bare: BARE, l0 } })).verdict;
  assert.equal(verdict([40, 40, 40]), "met");
  assert.equal(verdict([80, 80, 80]), "missed");
  assert.equal(verdict([45, 52, 56]), "too close to tell");
});

test("a goal beside a lane that is missing is not measured", () => {
  assert.equal(judge(HALF, samplesOf({ "json cpu": { l0: [1, 1, 1] } })).verdict, "not measured");
});

test("what a lane adds is measured from nothing in between", () => {
  const goal: Goal = { ...HALF, figure: "latency p99", of: "added", limit: 400 };
  const samples = samplesOf({ "latency p99": { direct: [50, 60, 55], l0: [350, 360, 355] } });
  assert.equal(judge(goal, samples).seen?.median, 300);
  assert.equal(judge(goal, samples).verdict, "met");
});

test("of streams held, more is better", () => {
  const goal: Goal = { ...HALF, figure: "held", of: "itself", limit: 1_000, isFloor: true };
  assert.equal(judge(goal, samplesOf({ held: { l0: [2_000, 2_000] } })).verdict, "met");
  assert.equal(judge(goal, samplesOf({ held: { l0: [500, 500] } })).verdict, "missed");
});

test("a round that failed leaves a gap, and later rounds keep their number", () => {
  const samples = samplesOf({ "json cpu": { bare: BARE } });
  addSample(samples, { figure: "json cpu", lane: "l0", round: 2, value: 33 });
  assert.deepEqual(samples.get("json cpu")?.get("l0"), [Number.NaN, Number.NaN, 33]);
});

test("the report says the command, what is missing, and tables of what was measured", () => {
  const text = toMarkdown({
    command: "npm run bench -- gateway",
    date: "2026-01-01",
    machine: "two processors",
    caveats: ["Others use this machine."],
    lanes: [
      { id: "bare", name: "bare node proxy", version: "1" },
      { id: "l0", name: "L0", version: "2" },
    ],
    missing: ["nginx (not on PATH)"],
    failures: ["L0: broke"],
    samples: samplesOf({ "json cpu": { bare: BARE, l0: [40, 41, 40] } }),
  });
  assert.match(text, /`npm run bench -- gateway`, 2026-01-01\. two processors\./);
  assert.match(text, /Not measured: nginx \(not on PATH\)\./);
  assert.match(text, /\| L0 \| 40 ±0 \| 0\.40 \|/);
  assert.match(text, /\| L0 CPU per request, of the bare proxy \| ≤ 0\.5 \| .* \| met \|/);
  assert.match(text, /- L0: broke/);
  assert.doesNotMatch(text, /Memory and start/);
});

test("every goal names a figure and lanes that exist once", () => {
  const seen = GOALS.map(({ text, limit }) => `${text} ${limit}`);
  assert.equal(new Set(seen).size, seen.length);
});

test("tables replace what stands between the markers and nothing else", () => {
  const [start, end] = [
    "<!-- gateway: npm run bench -- gateway --write-docs -->",
    "<!-- end of gateway -->",
  ];
  const document = `before\n${start}\n\nold\n\n${end}\nafter\n`;
  assert.equal(withTables(document, "new"), `before\n${start}\n\nnew\n\n${end}\nafter\n`);
  assert.throws(() => withTables("no markers", "new"), /markers/);
});
