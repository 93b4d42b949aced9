import assert from "node:assert/strict";
import { test } from "node:test";
import { markdownBlocks, plainText, safeHref } from "./markdown-tokens.ts";

test("a text that grows keeps the blocks before the one that grows", () => {
  const text = "# One\n\nTwo **three** four\n\n```ts\nconst a = 1;\nconst b";
  const blocks = markdownBlocks(text).map(({ type, raw }) => [type, raw.trim()]);
  assert.deepEqual(
    blocks.map(([type]) => type),
    ["heading", "paragraph", "code"],
  );
  const longer = markdownBlocks(`${text} = 2;\n\`\`\`\n\nFive`);
  assert.deepEqual(
    longer.slice(0, 2).map(({ type, raw }) => [type, raw.trim()]),
    blocks.slice(0, 2),
  );
  assert.equal(longer.at(-1)?.type, "paragraph");
});

test("links lead to the web or to a mailbox, and nowhere else", () => {
  assert.equal(safeHref(" https://example.com/a "), "https://example.com/a");
  assert.equal(safeHref("mailto:ann@example.com"), "mailto:ann@example.com");
  for (const href of [
    "javascript:alert(1)",
    "data:text/html,x",
    "/deployment/users",
    "JaVaScRiPt:x",
  ]) {
    assert.equal(safeHref(href), null, href);
  }
});

test("entities are the characters that they stand for, and no more", () => {
  assert.equal(
    plainText("a &lt; b &amp;&amp; c &#65; &#x42; &unknown; &#xD800;"),
    "a < b && c A B &unknown; &#xD800;",
  );
});
