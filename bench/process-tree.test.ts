import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { parseKb, parseStat, treeCpuMs, treeMemoryKb, treeOf } from "./process-tree.ts";

const STAT =
  "42 (odd ) name (x)) S 7 42 42 0 -1 4194560 900 0 0 0 150 25 30 5 20 0 11 0 5000 1 2 3 4 5\n";

test("a command's name may hold spaces and brackets", () => {
  assert.deepEqual(parseStat(STAT), {
    pid: 42,
    command: "odd ) name (x)",
    parent: 7,
    cpuMs: 2_100,
  });
});

test(
  "what a child has used is not lost with it",
  { skip: process.platform === "linux" ? false : "needs /proc" },
  async () => {
    const before = treeCpuMs(process.pid).own;
    const busy = "while (process.cpuUsage().user < 250_000);";
    const child = spawn(process.execPath, ["-e", busy], { stdio: "ignore" });
    await once(child, "exit");
    assert.ok(treeCpuMs(process.pid).own - before > 150);
  },
);

test("a process that has ended has no line", () => {
  assert.equal(parseStat(""), null);
});

test("sizes are found by their name at the start of a line", () => {
  const text = "Rss:   99 kB\nPss:         1234 kB\nSwapPss:   7 kB\n";
  assert.equal(parseKb(text, "Pss"), 1_234);
  assert.equal(parseKb(text, "Uss"), null);
});

test(
  "a tree is a process with its children, and has used time and memory",
  { skip: process.platform === "linux" ? false : "needs /proc" },
  async () => {
    const child = spawn("sh", ["-c", "read line"], { stdio: ["pipe", "ignore", "ignore"] });
    try {
      await once(child, "spawn");
      const pids = treeOf(process.pid).map(({ pid }) => pid);
      assert.ok(pids.includes(child.pid ?? 0) && pids.includes(process.pid));
      assert.ok(treeCpuMs(process.pid).own > 0);
      assert.ok(treeMemoryKb(process.pid).own > 1_000);
    } finally {
      child.kill();
    }
  },
);
