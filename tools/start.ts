/**
 * `npm start`: the server. In a checkout whose dashboard is not built, or was built from other
 * sources, it is built beside the starting server, which waits for nothing.
 */
import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { join } from "node:path";
import { isDashboardCurrent } from "./dashboard-build.ts";

const LOW_PRIORITY = 10;
const ENDS_AT_ONCE = ["--help", "-h", "--version", "dbcrypt"];

const [, , ...args] = process.argv;
if (!args.some((arg) => ENDS_AT_ONCE.includes(arg)) && !isDashboardCurrent()) buildBeside();
await import("../apps/server/src/main.ts");

function buildBeside(): void {
  const child = spawn(process.execPath, [join(import.meta.dirname, "build.ts")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (child.pid !== undefined) setPriority(child.pid, LOW_PRIORITY);
  let trouble = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (trouble += text));
  child.on("error", (error) => console.error(`The dashboard is not built: ${error.message}`));
  child.on("exit", (code) => {
    if (code !== 0) console.error(`The dashboard could not be built:\n${trouble}`);
  });
  process.on("exit", () => child.kill());
}
