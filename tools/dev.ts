/**
 * `npm run dev`: the server with debug logs, restarted when a file of it changes. Options go through:
 * `npm run dev -- --http-address 127.0.0.1:4000`. Its data lies apart from that of `npm start`.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./source-files.ts";

const DEFAULTS = ["--data-dir", join(ROOT, ".data/dev"), "--log-level", "debug"];

const server = spawn(
  process.execPath,
  [
    "--watch",
    "--watch-preserve-output",
    join(ROOT, "apps/server/src/main.ts"),
    // Of an option that is given twice, the last counts.
    ...DEFAULTS,
    ...process.argv.slice(2),
  ],
  // Out of the terminal's reach: the watcher passes signals on, and two would mean "at once".
  { stdio: "inherit", detached: true },
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => server.kill("SIGTERM"));
}
server.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
