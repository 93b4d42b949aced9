/**
 * Loaded into a measured server before its own code: notes how late its event loop runs, a line for each
 * half second, with the time and the 99th percentile in milliseconds.
 */
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 5;
const NOTE_EVERY_MS = 500;

const file = process.env["BENCH_LOOP_FILE"];
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  setInterval(() => {
    const lateMs = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS);
    appendFileSync(file, `${Date.now()} ${lateMs.toFixed(2)}\n`);
    delay.reset();
  }, NOTE_EVERY_MS).unref();
}
