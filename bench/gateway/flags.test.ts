import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUPS, parseFlags } from "./flags.ts";

const LANES = [
  { id: "direct", name: "direct", isUsual: true },
  { id: "l0", name: "L0", isUsual: true },
  { id: "slow", name: "slow to install", isUsual: false },
];

function flagsOf(...args: string[]) {
  const parsed = parseFlags(args, LANES);
  assert.equal(parsed.kind, "run", JSON.stringify(parsed));
  return parsed.flags;
}

test("without flags it is five rounds of everything usual", () => {
  const { lanes, groups, rounds, seconds } = flagsOf();
  assert.deepEqual(lanes, ["direct", "l0"]);
  assert.deepEqual(groups, Object.keys(GROUPS));
  assert.deepEqual([rounds, seconds], [5, 2]);
});

test("lanes and groups are chosen by name, in their own order", () => {
  assert.deepEqual(flagsOf("--lanes", "slow,direct").lanes, ["direct", "slow"]);
  assert.deepEqual(flagsOf("--lanes", "all").lanes, ["direct", "l0", "slow"]);
  assert.deepEqual(flagsOf("--only", "bodies,cpu").groups, ["cpu", "bodies"]);
});

test("quick is short, and still obeys numbers that are given", () => {
  const { rounds, seconds } = flagsOf("--quick", "--rounds", "3");
  assert.deepEqual([rounds, seconds], [3, 0.5]);
});

for (const args of [
  ["--lanes", "x"],
  ["--only", "x"],
  ["--rounds", "0"],
  ["--seconds", "x"],
  ["-z"],
]) {
  test(`${args.join(" ")} is a mistake`, () => {
    const parsed = parseFlags(args, LANES);
    assert.ok(parsed.kind === "text" && parsed.isMistake);
  });
}

test("help names every lane and every group", () => {
  const parsed = parseFlags(["--help"], LANES);
  assert.ok(parsed.kind === "text" && !parsed.isMistake);
  for (const name of [...LANES.map(({ id }) => id), ...Object.keys(GROUPS)]) {
    assert.match(parsed.text, new RegExp(`^ +${name} `, "m"));
  }
});
