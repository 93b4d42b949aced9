import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toStorableJson } from "./storable-json.ts";

test("JSON without what the database refuses stays as it is", () => {
  const value = { text: "a\\u0000 \ud83d\ude00", list: [1, null, true], date: new Date(0) };
  assert.equal(toStorableJson(value), JSON.stringify(value));
});

test("what the database refuses becomes the replacement character, in keys too", () => {
  assert.equal(
    toStorableJson({ "k\0": ["\ud800", { t: "\udc00x", at: new Date(0), absent: undefined }] }),
    '{"k\ufffd":["\ufffd",{"t":"\ufffdx","at":"1970-01-01T00:00:00.000Z"}]}',
  );
});

test("whatever the value, its JSON has nothing that the database refuses", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const text = toStorableJson({ value, "\ud800": "\0" });
      const parsed: unknown = JSON.parse(text);
      assert.equal(JSON.stringify(parsed), text);
      JSON.stringify(parsed, (key, inner: unknown) => {
        assert.ok(key.isWellFormed() && !key.includes("\0"));
        if (typeof inner === "string") assert.ok(inner.isWellFormed() && !inner.includes("\0"));
        return inner;
      });
    }),
  );
});
