/** Pages of any directory, one after the other, are the directory. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryPage, type Entry } from "./entry-page.ts";

test("any directory: its pages together are all entries, in order, once", () => {
  const entry = fc.record({ name: fc.string({ minLength: 1 }), isDirectory: fc.boolean() });
  const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 40 });
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 12 }), (all, limit) => {
      const seen: Entry[] = [];
      let after = "";
      for (let pages = 0; pages <= all.length; pages += 1) {
        const page = new EntryPage(after, limit);
        for (const each of all) page.add(each);
        const { entries: found, next } = page.end();
        assert.ok(found.length <= limit);
        seen.push(...found);
        if (next === null) break;
        after = next;
      }
      const rank = ({ name, isDirectory }: Entry): string => `${isDirectory ? 0 : 1}${name}`;
      assert.deepEqual(
        seen,
        all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)),
      );
    }),
  );
});
