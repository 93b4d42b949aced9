/** What is done about an edit that was interrupted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRecovery, type PlannedFile } from "./edit-plan.ts";

const file = (path: string): PlannedFile => ({
  path,
  diff: "",
  directory: "/",
  name: path,
  temp: "t",
  beforeHash: "h",
});
const [a, b] = [file("a"), file("b")];
const plan = { kind: "edit", files: [a, b], torn: null } as const;

for (const { name, states, expected } of [
  { name: "none is in place: all are put there", states: ["waits", "waits"], expected: [a, b] },
  { name: "some are in place: the others follow", states: ["placed", "waits"], expected: [b] },
  { name: "all are in place: nothing is left to do", states: ["placed", "placed"], expected: [] },
]) {
  test(`of an interrupted edit ${name}`, () => {
    const recovery = decideRecovery(plan, (each) => ({
      isWaiting: states[plan.files.indexOf(each)] === "waits",
      isUnchanged: true,
    }));
    assert.deepEqual(recovery, { kind: "finish", waiting: expected });
  });
}

test("files that somebody changed since are not overwritten", () => {
  const state = (isWaiting: boolean, isUnchanged: boolean) => ({ isWaiting, isUnchanged });
  const untouched = decideRecovery(plan, (each) => state(true, each === a));
  assert.deepEqual(untouched, { kind: "forget" });
  const torn = decideRecovery(plan, (each) =>
    each === a ? state(false, false) : state(true, false),
  );
  assert.ok(torn.kind === "torn");
  assert.match(torn.message, /a has it, b does not/);
});
