import assert from "node:assert/strict";
import { test } from "node:test";
import { isAbout, parseDraft, reviewText, type ReviewComment } from "./review-draft.ts";

const comment = (over: Partial<ReviewComment>): ReviewComment => ({
  id: "1",
  root: "/home/ann/app",
  path: "src/a.ts",
  side: "after",
  line: 3,
  quoted: "  const x = 1;",
  text: "Why one?",
  ...over,
});

test("a review is one text, file by file and line by line, with what stands there", () => {
  const text = reviewText([
    comment({ path: "src/b.ts", text: " Good.\n" }),
    comment({ line: 10, side: "before", quoted: "", text: "Keep this." }),
    comment({}),
  ]);
  assert.equal(
    text,
    `Comments on the changes in /home/ann/app:

src/a.ts, line 3:
> const x = 1;
Why one?

src/a.ts, line 10 before the change:
Keep this.

src/b.ts, line 3:
> const x = 1;
Good.`,
  );
});

test("with several repositories each file is named in full", () => {
  const text = reviewText([comment({}), comment({ root: "/srv/other" })]);
  assert.match(text, /^Comments on the changes:\n/);
  assert.match(text, /^\/home\/ann\/app\/src\/a\.ts, line 3:$/m);
  assert.match(text, /^\/srv\/other\/src\/a\.ts, line 3:$/m);
});

test("a comment leaves its line when something else stands there", () => {
  assert.ok(isAbout(comment({}), comment({})));
  assert.ok(!isAbout(comment({}), comment({ quoted: "other" })));
  assert.ok(!isAbout(comment({}), comment({ side: "before" })));
});

test("a draft is found again, and what makes no sense is forgotten", () => {
  const draft = [comment({})];
  assert.deepEqual(parseDraft(JSON.stringify(draft)), draft);
  for (const kept of [null, "", "{", "{}", '[{"id":1}]']) assert.deepEqual(parseDraft(kept), []);
});
