import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSearchQuery } from "./search-query.ts";

const KEYS = ["user", "action", "date_from"] as const;

for (const { text, terms } of [
  { text: "", terms: {} },
  { text: "  ", terms: {} },
  { text: "user:ann", terms: { user: "ann" } },
  { text: " USER:Ann  action:write ", terms: { user: "Ann", action: "write" } },
  { text: 'user:"ann of green gables"', terms: { user: "ann of green gables" } },
  { text: String.raw`user:"a \"b\" \\c"`, terms: { user: String.raw`a "b" \c` } },
  { text: "date_from:2026-01-01T10:00:00Z", terms: { date_from: "2026-01-01T10:00:00Z" } },
]) {
  test(`the search text ${JSON.stringify(text)} is understood`, () => {
    const parsed = parseSearchQuery(text, KEYS);
    assert.ok(parsed.ok);
    assert.deepEqual(Object.fromEntries(parsed.value), terms);
  });
}

for (const { text, complaints } of [
  { text: "ann", complaints: ["Write each term as key:value."] },
  { text: ":ann", complaints: ["Write each term as key:value."] },
  { text: "who:ann", complaints: ['"who" is not one of user, action, date_from.'] },
  { text: "user:", complaints: ['"user" has no value.'] },
  { text: 'user:"ann', complaints: ['The quotes of "user" are not closed properly.'] },
  { text: 'user:a"b"c', complaints: ['The quotes of "user" are not closed properly.'] },
  { text: "user:a user:b", complaints: ['"user" is given twice.'] },
]) {
  test(`the search text ${JSON.stringify(text)} is refused with a reason`, () => {
    const parsed = parseSearchQuery(text, KEYS);
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.failure.map(({ field, detail }) => ({ field, detail })),
      complaints.map((detail) => ({ field: "q", detail })),
    );
  });
}

test("any value survives quoting", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (value) => {
      const quoted = value.replaceAll(/["\\]/g, String.raw`\$&`);
      const parsed = parseSearchQuery(`action:write user:"${quoted}"`, KEYS);
      assert.ok(parsed.ok);
      assert.equal(parsed.value.get("user"), value);
    }),
  );
});

test("no text takes long or throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', "\\", ":", " ", "a") }), (text) => {
      parseSearchQuery(text, KEYS);
    }),
  );
  parseSearchQuery('"'.repeat(1_024), KEYS);
  parseSearchQuery('\\"'.repeat(512), KEYS);
});
