import assert from "node:assert/strict";
import { test } from "node:test";
import { fittingWidthPx, panelStateOf, panelStateText } from "./panel-size.ts";

test("the panel is as it was left; of nonsense it makes its usual width", () => {
  const state = { isOpen: true, widthPx: 512 };
  assert.deepEqual(panelStateOf(panelStateText(state)), state);
  for (const text of [null, "", "open", "open 5", "open x"]) {
    assert.equal(panelStateOf(text).widthPx, 460);
  }
  assert.equal(panelStateOf(null).isOpen, false);
});

test("it leaves room for the conversation, and is never too narrow to use", () => {
  assert.equal(fittingWidthPx(900, 1_000), 620);
  assert.equal(fittingWidthPx(10, 1_000), 280);
  assert.equal(fittingWidthPx(500, 500), 280);
});
