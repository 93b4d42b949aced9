/**
 * `npm run doctor`: looks for what keeps Atelier from running on this machine, and says how to mend
 * it. `--json` prints the findings for programs. Exit code 1 when there is a problem.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { startPostgresServer } from "@atelier/testkit/postgres-server";
import { ROOT } from "./source-files.ts";

export type Finding = {
  readonly name: string;
  /** A note is worth knowing and stops nothing. */
  readonly state: "ok" | "note" | "problem";
  readonly detail: string;
  readonly remedy: string | null;
};

const HTTP_PORT = 3000;
const DISK_BYTES_MIN = 1_000_000_000;
export const NODE_MAJOR_MIN = 24;
/** The first release of each line with the security fixes of October 2026. */
const NODE_PATCHED: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  24: [22, 1],
  26: [12, 1],
};

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, "").split(".").map(Number);
  const name = `Node ${major}.${minor}.${patch}`;
  if (major < NODE_MAJOR_MIN) {
    const remedy = `Install Node ${NODE_MAJOR_MIN} or later, or start through npm, which fetches one.`;
    return { name, state: "problem", detail: "too old", remedy };
  }
  const [minorMin, patchMin] = NODE_PATCHED[major] ?? [0, 0];
  const isPatched = minor > minorMin || (minor === minorMin && patch >= patchMin);
  if (isPatched) return { name, state: "ok", detail: "recent enough", remedy: null };
  const wanted = `${major}.${minorMin}.${patchMin}`;
  return {
    name,
    state: "note",
    detail: `lacks the security fixes of ${wanted}`,
    remedy: `Good for development. Where others can reach the server, run it on Node ${wanted} or later.`,
  };
}

function checkCommand(command: string, what: { purpose: string; remedy: string }): Finding {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  const version = stdout?.split("\n")[0] ?? "";
  return status === 0
    ? { name: command, state: "ok", detail: version, remedy: null }
    : { name: command, state: "note", detail: `not found: ${what.purpose}`, remedy: what.remedy };
}

export async function checkPort(port: number): Promise<Finding> {
  const name = `port ${port}`;
  const server = createServer();
  const code = await new Promise<string | null>((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(null)));
  });
  if (code === null) return { name, state: "ok", detail: "free", remedy: null };
  const remedy =
    "Stop the program that listens there, or give another: --http-address 127.0.0.1:4000";
  return { name, state: "problem", detail: `not free (${code})`, remedy };
}

export function checkDataDirectory(path: string): Finding[] {
  let present = path;
  while (!existsSync(present)) present = dirname(present);
  const name = `data directory ${path}`;
  try {
    accessSync(present, constants.W_OK);
  } catch {
    const remedy = "Make it writable for this user, or give another: --data-dir";
    return [{ name, state: "problem", detail: `${present} is not writable`, remedy }];
  }
  const { bavail, bsize } = statfsSync(present);
  const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
  const isEnough = bavail * bsize >= DISK_BYTES_MIN;
  const remedy = "Free at least 1 GB, or put the data on another disk: --data-dir";
  return [
    { name, state: "ok", detail: "writable", remedy: null },
    isEnough
      ? { name: "disk", state: "ok", detail: free, remedy: null }
      : { name: "disk", state: "problem", detail: free, remedy },
  ];
}

async function checkPostgres(): Promise<Finding> {
  const name = "Postgres";
  try {
    await using _server = await startPostgresServer();
    return { name, state: "ok", detail: "a server of our own starts and answers", remedy: null };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const remedy = "Run npm ci again, or use your own server: --postgres-url";
    return { name, state: "problem", detail, remedy };
  }
}

async function examine(): Promise<Finding[]> {
  return [
    checkNode(process.version),
    checkCommand("npm", { purpose: "installs dependencies", remedy: "Install npm 10 or later." }),
    await checkPort(HTTP_PORT),
    ...checkDataDirectory(join(ROOT, ".data")),
    await checkPostgres(),
    checkCommand("cc", {
      purpose: "only npm run bench needs a C compiler",
      remedy: "Install gcc or clang to measure.",
    }),
  ];
}

if (import.meta.main) {
  const findings = await examine();
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(findings, null, 2));
  } else {
    for (const { name, state, detail, remedy } of findings) {
      console.log(`${state.padEnd(8)} ${name}: ${detail}`);
      if (remedy !== null) console.log(`         ${remedy}`);
    }
  }
  process.exitCode = findings.some(({ state }) => state === "problem") ? 1 : 0;
}
