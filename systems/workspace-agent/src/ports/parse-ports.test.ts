/** What the systems say of listening sockets is read right. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLsof } from "./parse-lsof.ts";
import { parseProcNet } from "./parse-proc-net.ts";
import { shownPorts } from "./shown-ports.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n";
const row = (local: string, state: string, inode: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100\n`;

test("Linux: only sockets that listen, with their addresses", () => {
  const table =
    HEAD +
    row("0100007F:0BB8", "0A", 11) +
    row("00000000:0050", "0A", 12) +
    row("0100007F:C350", "01", 13) +
    row("00000000000000000000000001000000:1F90", "0A", 14) +
    row("00000000000000000000000000000000:1F91", "0A", 15) +
    row("0000000000000000FFFF00000100007F:1F92", "0A", 16) +
    row("B80D01200000000000000000010000FE:1F93", "0A", 17);
  assert.deepEqual(parseProcNet(table), [
    { port: 3_000, address: "127.0.0.1", inode: "11" },
    { port: 80, address: "0.0.0.0", inode: "12" },
    { port: 8_080, address: "::1", inode: "14" },
    { port: 8_081, address: "::", inode: "15" },
    { port: 8_082, address: "127.0.0.1", inode: "16" },
    { port: 8_083, address: "2001:db8::fe00:1", inode: "17" },
  ]);
  assert.deepEqual(parseProcNet(""), []);
});

test("macOS: processes and their sockets", () => {
  assert.deepEqual(
    parseLsof("p12\ncnode\nf3\nn*:3000\nf4\nn[::1]:3001\np13\ncx y\nf5\nn127.0.0.1:9\n"),
    [
      { pid: 12, processName: "node", address: "0.0.0.0", port: 3_000 },
      { pid: 12, processName: "node", address: "::1", port: 3_001 },
      { pid: 13, processName: "x y", address: "127.0.0.1", port: 9 },
    ],
  );
});

test("ports below 9 and the agent's own are not shown; the rest sorted, once", () => {
  const port = (number: number, address: string, pid: number | null) => ({
    port: number,
    address,
    pid,
    processName: "",
  });
  const shown = shownPorts(
    [
      port(90, "::", 2),
      port(80, "::", null),
      port(90, "0.0.0.0", 2),
      port(7, "::", 2),
      port(100, "::", 1),
      port(90, "::", 3),
    ],
    1,
  );
  assert.deepEqual(shown, [port(80, "::", null), port(90, "0.0.0.0", 2), port(90, "::", 2)]);
});
