/**
 * A process that appends numbered records to a spool for ever, and prints each number once it is
 * promised: for tests that kill it. Usage: spool-writer-testkit.ts <root>
 */
import { writeSync } from "node:fs";
import { silentLogger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { openSpool } from "./spool-io.ts";

const [root = ""] = process.argv.slice(2);
const newName = (): string => systemRandom.uuid();
const spool = await openSpool({ root, log: silentLogger, newName, segmentBytesMax: 5_000 });
for (let last = 0; ;) {
  const count = 1 + (last % 7);
  const numbers = Array.from({ length: count }, (_, index) => last + index + 1);
  await spool.append(numbers.map((number) => `${number} ${"x".repeat(number % 300)}`));
  last += count;
  writeSync(1, `${last}\n`);
}
