import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenCalls } from "./open-calls.ts";

function openCalls(names: readonly string[]) {
  const calls = new OpenCalls();
  const ended: string[] = [];
  const over = new Map(names.map((name) => [name, calls.add(() => ended.push(name))]));
  return { calls, ended, over: (name: string) => over.get(name)?.() };
}

test("calls that are over are not ended", () => {
  const { calls, ended, over } = openCalls(["a", "b", "c"]);
  over("b");
  calls.endAll();
  assert.deepEqual(ended, ["a", "c"]);
});

test("a call that is over twice does not take another's place away", () => {
  const { calls, ended, over } = openCalls(["a"]);
  over("a");
  calls.add(() => ended.push("later"));
  over("a");
  calls.add(() => ended.push("last"));
  calls.endAll();
  assert.deepEqual(ended, ["later", "last"]);
});

test("calls that are over by the end of another are passed by", () => {
  const calls = new OpenCalls();
  const ended: string[] = [];
  calls.add(() => secondOver());
  const secondOver = calls.add(() => ended.push("second"));
  calls.endAll();
  assert.deepEqual(ended, []);
});
