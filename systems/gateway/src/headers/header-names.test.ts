import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderNames } from "./header-names.ts";

test("a name is found in any case, and no other", () => {
  const listed = ["host", "date", "te", "content-length"];
  const names = new HeaderNames(listed);
  const cased = fc.constantFrom(...listed).chain((name) => fc.mixedCase(fc.constant(name)));
  fc.assert(fc.property(cased, (name) => names.has(name)));
  fc.assert(
    fc.property(fc.string(), (name) => names.has(name) === listed.includes(name.toLowerCase())),
  );
  assert.equal(names.has(""), false);
});
