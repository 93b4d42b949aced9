/** How many names become labels, and which. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedNames } from "./bounded-names.ts";

test("names are labels until the places are taken, and stay what they were", () => {
  const names = new BoundedNames({ namesMax: 3, unprovenMax: 2 });
  const asked = ["a", "b", "c", "a", "b"].map((name) => names.labelOf(name));
  assert.deepEqual(asked, ["a", "b", "other", "a", "b"]);
});

test("names that were made up leave places for those that work", () => {
  const names = new BoundedNames({ namesMax: 3, unprovenMax: 2 });
  for (const name of ["x1", "x2", "x3"]) names.labelOf(name);
  names.prove("real");
  names.prove("late");
  const asked = ["real", "late", "x1", "x3"].map((name) => names.labelOf(name));
  assert.deepEqual(asked, ["real", "other", "x1", "other"]);
});

test("a proven name makes room for another that is not", () => {
  const names = new BoundedNames({ namesMax: 3, unprovenMax: 1 });
  names.labelOf("a");
  names.prove("a");
  assert.deepEqual([names.labelOf("b"), names.labelOf("c")], ["b", "other"]);
});

test("a name that is too long is other, proven or not", () => {
  const names = new BoundedNames({ namesMax: 3, unprovenMax: 3 });
  const long = "m".repeat(257);
  names.prove(long);
  assert.equal(names.labelOf(long), "other");
});
