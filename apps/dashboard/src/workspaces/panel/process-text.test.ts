import assert from "node:assert/strict";
import { test } from "node:test";
import {
  plainText,
  processState,
  SHOWN_CHARACTERS_MAX,
  withMore,
  type ProcessView,
} from "./process-text.ts";

const process = (over: Partial<ProcessView>): ProcessView => ({
  id: "p1",
  command: "make",
  working_directory: "/home/ann",
  group: "",
  pid: 1,
  state: "exited",
  exit_code: 0,
  signal: null,
  started_at: "2026-01-01T00:00:00.000Z",
  ended_at: null,
  output_bytes: { stdout: 0, stderr: 0 },
  ...over,
});

test("how a process is, in a word", () => {
  const words = (over: Partial<ProcessView>) => processState(process(over)).words;
  assert.equal(words({ state: "running", exit_code: null }), "running");
  assert.equal(words({}), "done");
  assert.equal(words({ exit_code: 2 }), "exit 2");
  assert.equal(words({ exit_code: null, signal: "SIGKILL" }), "ended by SIGKILL");
  assert.equal(words({ state: "lost", exit_code: null }), "lost");
});

test("long output loses whole lines at its beginning, and says so", () => {
  const short = withMore({ text: "a\n", isCut: false }, "b\n");
  assert.deepEqual(short, { text: "a\nb\n", isCut: false });
  const line = `${"x".repeat(99)}\n`;
  const long = withMore({ text: line.repeat(SHOWN_CHARACTERS_MAX / 100), isCut: false }, line);
  assert.ok(long.isCut && long.text.length <= SHOWN_CHARACTERS_MAX);
  assert.ok(long.text.startsWith("x".repeat(99)) && long.text.endsWith(line));
  const one = withMore({ text: "", isCut: false }, "y".repeat(SHOWN_CHARACTERS_MAX + 5));
  assert.equal(one.text.length, SHOWN_CHARACTERS_MAX);
});

test("colours and cursors are left out, and what was written over", () => {
  assert.equal(plainText("\u001B[31mred\u001B[0m\r\n\u001B]0;title\u0007x"), "red\nx");
  assert.equal(plainText("10 %\r50 %\r100 %\ndone\n"), "100 %\ndone\n");
  assert.equal(plainText("half\r"), "half\r");
});
