import assert from "node:assert/strict";
import { test } from "node:test";
import { tabTitle } from "./tab-title.ts";

test("those who look at other tabs see first how many agents wait for them", () => {
  assert.equal(tabTitle("Users", 3), "(3) Users · Atelier");
  assert.equal(tabTitle("Users", 0), "Users · Atelier");
});
