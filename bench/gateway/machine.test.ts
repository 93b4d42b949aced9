import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBusy, parseProcessors, placementOf } from "./machine.ts";

test("the kernel's list of processors is read with its ranges", () => {
  assert.deepEqual(parseProcessors("0-2,5,7-8"), [0, 1, 2, 5, 7, 8]);
  assert.deepEqual(parseProcessors(""), []);
});

test("the gateway gets one processor and everything else the others", () => {
  assert.deepEqual(placementOf([0, 1, 4]), { gateway: "4", others: "0,1" });
});

test("one processor alone is not shared out", () => {
  assert.equal(placementOf([0]), null);
});

test("waiting for the disk is not being busy", () => {
  const text = "cpu  10 1 5 70 14 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
  assert.deepEqual(parseBusy(text), { busy: 16, total: 100 });
});
