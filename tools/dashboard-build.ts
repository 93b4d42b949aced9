/**
 * Builds the dashboard into dist/dashboard, where the server finds it, unless what stands there was
 * built from the same sources. The change is one rename, so a server that runs never sees half a build.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { InlineConfig } from "vite";
import { listFiles, ROOT } from "./source-files.ts";

const DASHBOARD_SOURCE = join(ROOT, "apps/dashboard");
export const DASHBOARD_DIST = join(ROOT, "dist/dashboard");

/** What a build depends on. */
const SOURCES = [
  "apps/dashboard/{index.html,package.json}",
  "apps/dashboard/{src,public}/**/*.*",
  "libs/{base,contract}/src/**/*.ts",
  "tools/{dashboard-build,tailwind-plugin,zod-in-browsers-plugin}.ts",
  "package-lock.json",
];

/** Names the sources that a build was made of. */
const STAMP = "build.stamp";

/** A build takes seconds, on a busy machine a minute. */
const ABANDONED_MS = 600_000;

/** Smaller files do not get smaller on the way. */
const COMPRESSED_BYTES_MIN = 512;

/** Browsers of the last two years or so: they know `light-dark()`, which older ones do not. */
const TARGET = ["chrome123", "edge123", "firefox120", "safari17.5"];

/** Loads the build's tools only here: to see that nothing is to be done needs none of them. */
export async function dashboardConfig(): Promise<InlineConfig> {
  const { tailwindPlugin } = await import("./tailwind-plugin.ts");
  const { zodInBrowsersPlugin } = await import("./zod-in-browsers-plugin.ts");
  const { default: react } = await import("@vitejs/plugin-react");
  return {
    configFile: false,
    root: DASHBOARD_SOURCE,
    // Relative: the server says in the page what it is relative to.
    base: "./",
    plugins: [react(), tailwindPlugin(DASHBOARD_SOURCE), zodInBrowsersPlugin()],
    build: {
      target: TARGET,
      cssTarget: TARGET,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 700,
    },
    logLevel: "warn",
  };
}

/** True if there was something to do. */
export async function buildDashboard(): Promise<boolean> {
  if (isDashboardCurrent()) return false;
  const stamp = sourceStamp();
  const { build } = await import("vite");
  dropAbandoned();
  const outDir = `${DASHBOARD_DIST}-${randomUUID()}`;
  try {
    const config = await dashboardConfig();
    await build({ ...config, build: { ...config.build, outDir, emptyOutDir: true } });
    compressFiles(outDir);
    writeFileSync(join(outDir, STAMP), stamp);
    putInPlace(outDir);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
  return true;
}

/** Whether what is built was made of the sources as they are. */
export function isDashboardCurrent(): boolean {
  const file = join(DASHBOARD_DIST, STAMP);
  return existsSync(file) && readFileSync(file, "utf8") === sourceStamp();
}

function sourceStamp(): string {
  const hash = createHash("sha256");
  for (const file of listFiles(ROOT, SOURCES)) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex");
}

/** What builds that were killed have left behind. */
function dropAbandoned(): void {
  for (const name of listFiles(dirname(DASHBOARD_DIST), ["dashboard-*"])) {
    const path = join(dirname(DASHBOARD_DIST), name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
  }
}

function compressFiles(directory: string): void {
  for (const file of listFiles(directory, ["**/*.{css,js,svg,webmanifest}"])) {
    const path = join(directory, file);
    const plain = readFileSync(path);
    if (plain.length < COMPRESSED_BYTES_MIN) continue;
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
    writeFileSync(`${path}.br`, brotliCompressSync(plain, { params }));
    writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
  }
}

/**
 * Another build may do the same at the same time: one of them stands in the end. What stands already is
 * not exchanged for its like, because a server may be reading it.
 */
function putInPlace(directory: string): void {
  if (isDashboardCurrent()) return;
  const aside = `${DASHBOARD_DIST}-${randomUUID()}`;
  try {
    renameSync(DASHBOARD_DIST, aside);
  } catch {
    // There was none, or the other build has just moved it.
  }
  try {
    renameSync(directory, DASHBOARD_DIST);
  } catch (error) {
    if (!existsSync(DASHBOARD_DIST)) throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}
