import assert from "node:assert/strict";
import { test } from "node:test";
import { byteText } from "./byte-text.ts";
import { isPicture, lineBlocks } from "./file-text.ts";
import { terminalTabs } from "./terminal-tabs.ts";

test("a text is numbered lines in blocks", () => {
  assert.deepEqual(lineBlocks("a\nb\n"), [{ from: 1, count: 2, lines: "a\nb" }]);
  assert.deepEqual(lineBlocks("a\r\n\r\nb"), [{ from: 1, count: 3, lines: "a\n\nb" }]);
  const many = lineBlocks(Array.from({ length: 450 }, (_, index) => index + 1).join("\n"));
  assert.deepEqual(
    many.map(({ from, count, lines }) => [from, count, lines.split("\n")[0]]),
    [
      [1, 200, "1"],
      [201, 200, "201"],
      [401, 50, "401"],
    ],
  );
});

test("pictures are what browsers draw without running anything", () => {
  for (const name of ["a.png", "b.JPEG", "c.webp"]) assert.ok(isPicture(name), name);
  for (const name of ["a.svg", "png", "a.png.txt"]) assert.ok(!isPicture(name), name);
});

test("sizes have three digits at most", () => {
  assert.deepEqual([0, 812, 1_536, 25_165_824, 2 ** 50].map(byteText), [
    "0 B",
    "812 B",
    "1.5 KiB",
    "24 MiB",
    "1024 TiB",
  ]);
});

test("tabs are the terminals that run, and the one that is shown", () => {
  const terminal = (id: string, title: string, state: "running" | "exited" = "running") => ({
    ...{ id, title, state },
    command: "",
    viewers: 0,
    started_at: "2026-01-01T00:00:00.000Z",
  });
  const known = [terminal("1", "vim"), terminal("2", ""), terminal("3", "old", "exited")];
  assert.deepEqual(
    terminalTabs(known, "2").map(({ title }) => title),
    ["vim", "Terminal 2"],
  );
  assert.deepEqual(
    terminalTabs(known, "new").map(({ id }) => id),
    ["1", "2", "new"],
  );
  assert.deepEqual(
    terminalTabs(known, "3").map(({ id }) => id),
    ["1", "2", "3"],
  );
});
