import assert from "node:assert/strict";
import { test } from "node:test";
import { madeOnce } from "./made-once.ts";

test("what is made of an object is made once, also where it is nothing", () => {
  const asked: object[] = [];
  const make = madeOnce((key: object) => {
    asked.push(key);
    return undefined;
  });
  const [one, other] = [{}, {}];
  for (const key of [one, one, other, one]) assert.equal(make(key), undefined);
  assert.deepEqual([asked.length, asked[0] === one, asked[1] === other], [2, true, true]);
});
