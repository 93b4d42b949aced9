import assert from "node:assert/strict";
import { test } from "node:test";
import { effortOf, slashMeaning, slashOffers } from "./slash-commands.ts";

test("a line with a slash is a command, a path is a message", () => {
  const rows = [
    ["/compact", { kind: "command", name: "compact", rest: "" }],
    ["/rename  A new title ", { kind: "command", name: "rename", rest: "A new title" }],
    ["/nonsense", { kind: "unknown", word: "nonsense" }],
    ["/usr/bin/env", { kind: "message", text: "/usr/bin/env" }],
    ["//compact", { kind: "message", text: "/compact" }],
    ["Look at /compact", { kind: "message", text: "Look at /compact" }],
    ["/compact\nand more", { kind: "message", text: "/compact\nand more" }],
  ] as const;
  for (const [text, meaning] of rows) assert.deepEqual(slashMeaning(text), meaning);
});

test("what fits is offered until there is more than the command", () => {
  assert.ok(slashOffers("/").length > 5);
  assert.deepEqual(
    slashOffers("/re").map(({ name }) => name),
    ["rename"],
  );
  assert.deepEqual(slashOffers("/rename x"), []);
  assert.deepEqual(slashOffers("hello"), []);
});

test("efforts are the contract's", () => {
  assert.equal(effortOf("high"), "high");
  assert.equal(effortOf("huge"), null);
});
