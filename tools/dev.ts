/**
 * `npm run dev`: the server with debug logs, restarted when a file of it changes, and the dashboard at
 * an address of its own, which shows each change of it at once. Options go through:
 * `npm run dev -- --http-address 127.0.0.1:4000`. Its data lies apart from that of `npm start`.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createServer } from "vite";
import { dashboardConfig } from "./dashboard-build.ts";
import { ROOT } from "./source-files.ts";

const DEFAULT_ADDRESS = "127.0.0.1:3000";
const DEFAULTS = ["--data-dir", join(ROOT, ".data/dev"), "--log-level", "debug"];
/** What the server answers itself; all else is the dashboard's. */
const SERVER_PATHS = ["/api", "/healthz", "/readyz", "/metrics"];

const args = process.argv.slice(2);
const server = spawn(
  process.execPath,
  [
    "--watch",
    "--watch-preserve-output",
    join(ROOT, "apps/server/src/main.ts"),
    // Of an option that is given twice, the last counts.
    ...DEFAULTS,
    ...args,
  ],
  // Out of the terminal's reach: the watcher passes signals on, and two would mean "at once".
  { stdio: "inherit", detached: true },
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => server.kill("SIGTERM"));
}
server.on("exit", (code) => process.exit(code ?? 1));

const target = `http://${addressAmong(args)}`;
const config = await dashboardConfig();
const dashboard = await createServer({
  ...config,
  base: "/",
  plugins: [...(config.plugins ?? []), { name: "atelier-base", transformIndexHtml: withBase }],
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(SERVER_PATHS.map((path) => [path, { target, ws: true }])),
  },
});
await dashboard.listen();
console.log(`Dashboard with live reload: ${dashboard.resolvedUrls?.local[0] ?? ""}`);

/** As the server does it: the dashboard finds by it where it begins. */
function withBase(page: string): string {
  return page.replace("<head>", '<head><base href="/">');
}

/** Where the server listens, as the last of the options says. */
function addressAmong(options: readonly string[]): string {
  const index = options.lastIndexOf("--http-address");
  const given = index === -1 ? undefined : options[index + 1];
  const inline = options.findLast((each) => each.startsWith("--http-address="));
  const address = given ?? inline?.split("=")[1] ?? DEFAULT_ADDRESS;
  return address.startsWith(":") ? `127.0.0.1${address}` : address;
}
