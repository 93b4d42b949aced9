/** How a process and its lines are told. */
import type { ProcessInfo } from "@atelier/contract/rpc/workspace/processes";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  durationText,
  findProcess,
  lastLines,
  LineCutter,
  processLine,
  shownLine,
} from "./process-log.ts";

const NOW = new Date("2026-01-01T00:10:00.000Z");
const ENDED: ProcessInfo = {
  ...{ id: "3f2a9c11-aaaa", command: "npm test", workingDirectory: "/home/ann", group: "", pid: 7 },
  ...{ state: "exited", exitCode: 1, signal: null, startedAt: "2026-01-01T00:07:00.000Z" },
  ...{ endedAt: "2026-01-01T00:07:12.400Z", outputBytes: { stdout: 0, stderr: 0 } },
};

test("a process is told by its id, how it ended, since when, how long, and its command", () => {
  assert.equal(processLine(ENDED, NOW), "3f2a9c11  exited 1  began 3m ago, ran 12s  npm test");
  const running: ProcessInfo = { ...ENDED, state: "running", exitCode: null, endedAt: null };
  assert.equal(processLine(running, NOW), "3f2a9c11  running  began 3m ago  npm test");
  const killed: ProcessInfo = { ...ENDED, exitCode: null, signal: "SIGKILL" };
  assert.match(processLine(killed, NOW), /ended by SIGKILL/);
  assert.match(processLine({ ...ENDED, state: "lost", exitCode: null }, NOW), /lost/);
  assert.match(processLine({ ...ENDED, command: "a\u001b[2Jb" }, NOW), /a\ufffd\[2Jb/);
});

test("a line is harmless, without colours, and as it stands at its end", () => {
  assert.equal(shownLine("\u001b[31mred\u001b[0m"), "red");
  assert.equal(shownLine("10 %\r50 %\r100 %"), "100 %");
  assert.equal(shownLine("100 %\r"), "100 %");
  assert.equal(shownLine("\u001b]0;title\u0007x"), "\ufffd]0;title\ufffdx");
});

test("output is cut into lines wherever it comes in pieces", () => {
  const cutter = new LineCutter();
  const bytes = Buffer.from("grün\nzwei\nrest");
  const lines = [...bytes].flatMap((byte) => cutter.push(Uint8Array.of(byte)));
  assert.deepEqual([...lines, ...cutter.end()], ["grün", "zwei", "rest"]);
  assert.deepEqual(cutter.end(), []);
});

test("the last lines are those before the last line end", () => {
  assert.deepEqual(lastLines("a\nb\nc\n", 2), ["b", "c"]);
  assert.deepEqual(lastLines("a\nb\nc", 2), ["b", "c"]);
  assert.deepEqual(lastLines("", 2), []);
});

test("the beginning of an id names its process where only one begins so", () => {
  const other = { ...ENDED, id: "3f000000-bbbb" };
  assert.equal(findProcess([ENDED, other], "3f2")?.id, ENDED.id);
  assert.equal(findProcess([ENDED, other], "3f"), null);
  assert.equal(findProcess([ENDED, other], other.id)?.id, other.id);
  assert.equal(findProcess([ENDED], "zz"), null);
});

test("a duration is as long as it needs to be", () => {
  assert.deepEqual([5, 12_400, 61_000, 3_725_000].map(durationText), [
    "5ms",
    "12s",
    "1m1s",
    "1h2m",
  ]);
});
