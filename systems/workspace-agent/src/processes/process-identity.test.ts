import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseProcessRow, PS_COLUMNS } from "./process-identity.ts";

const STAT = "18 (a) b (c)) S 7 18 18 0 -1 4194560 1 2 0 0 3 4 0 0 20 0 1 0 1573088 2654208 105";

test("a line of /proc is read, whatever the process is called", () => {
  const row = {
    pid: 18,
    parentPid: 7,
    group: 18,
    session: 18,
    startTime: 1_573_088,
    isZombie: false,
  };
  assert.deepEqual(parseProcessRow(STAT), row);
  assert.deepEqual(parseProcessRow(STAT.replace(") S ", ") Z ")), { ...row, isZombie: true });
});

test("a line of ps is read", () => {
  const row = {
    pid: 12,
    parentPid: 1,
    group: 12,
    session: null,
    startTime: new Date(2026, 10, 21, 4, 5, 23).getTime(),
    isZombie: false,
  };
  assert.deepEqual(parseProcessRow("   12     1    12 Ss   Sat Nov 21 04:05:23 2026"), row);
  const zombie = parseProcessRow("12 1 12 Z+ Sat Nov 21 04:05:23 2026    ");
  assert.deepEqual(zombie, { ...row, isZombie: true });
});

test("what was cut or is something else is no row", () => {
  for (let length = 0; length < STAT.length - " 2654208 105".length - 7; length += 1) {
    assert.equal(parseProcessRow(STAT.slice(0, length)), null, String(length));
  }
  for (const line of ["", "revoked", "12", "12 1 12 Ss", "  PID  PPID  PGID STAT STARTED"]) {
    assert.equal(parseProcessRow(line), null, line);
  }
});

test("both say the same of this process", { skip: process.platform !== "linux" }, () => {
  const columns = PS_COLUMNS.flatMap((column) => ["-o", column]);
  const env = { ...process.env, LC_ALL: "C" };
  const byPs = execFileSync("ps", [...columns, "-p", String(process.pid)], { env });
  const fromPs = parseProcessRow(String(byPs).trimEnd());
  const fromProc = parseProcessRow(readFileSync("/proc/self/stat", "utf8").trimEnd());
  assert.ok(fromPs !== null && fromProc !== null);
  const { pid, parentPid, group } = fromProc;
  assert.deepEqual(
    { pid: fromPs.pid, parentPid: fromPs.parentPid, group: fromPs.group },
    { pid, parentPid, group },
  );
  assert.ok(Math.abs(fromPs.startTime - performance.timeOrigin) < 60_000);
});
